import { describe, expect, test } from '@jest/globals';
import { preparePolicyData, type PolicyDataParts } from '../../src/bundle/policy_data.ts';
import { digestOf } from '../../src/contract/digest.ts';
import type { BundleMetadata } from '../../src/contract/types.gen.ts';
import { PortcullisError } from '../../src/errors.ts';

const TRANSFER = 'tool:payments/transfer';
const METADATA: BundleMetadata = { schema_version: 1, tables: ['transfer_limits'] };

function prepare(own: object, rest: Partial<PolicyDataParts> = {}): object {
  const parts = { own: own as PolicyDataParts['own'], metadata: METADATA, library: true };
  return preparePolicyData({ ...parts, ...rest });
}

function faultOf(own: object, rest: Partial<PolicyDataParts> = {}): string {
  try {
    prepare(own, rest);
    return 'taken';
  } catch (error) {
    if (error instanceof PortcullisError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('the index beside the data', () => {
  test('grants stand under what they speak of and whom they address, and nowhere else', () => {
    const tellers = { to: { group: 'tellers' }, on: TRANSFER };
    const alice = { to: { group: 'tellers', user: 'user:alice' }, on: TRANSFER, id: 'a' };
    const planner = { to: { actor_type: 'human', agent: 'planner' }, on: 'tool:payments/*' };
    const humans = { to: { surface: 'ide', actor_type: 'human' }, on: '*' };
    const ide = { to: { surface: 'ide', anyone: true }, on: '*' };
    const all = { to: { anyone: true }, on: '*' };
    const rules = { 'boundary/risk': { reason_code: 'RISK_CEILING' } };
    const { data } = prepare({
      grants: [tellers, alice, planner, humans, ide, all],
      registry: {},
      directory: { 'user:alice': { manager: 'user:bob' } },
      portcullis: { rules },
    }) as { data: object };
    expect(JSON.parse(JSON.stringify(data))).toEqual({
      registry: {},
      directory: { 'user:alice': { manager: 'user:bob' } },
      portcullis: {
        rules,
        index: {
          grants: {
            [TRANSFER]: { 'group:tellers': [tellers], 'user:user:alice': [alice] },
            'tool:payments/*': { 'agent:planner': [planner] },
            '*': { 'actor_type:human': [humans], 'surface:ide': [ide], anyone: [all] },
          },
          asking: {},
          agents: {},
          surfaces: {},
          tables: {},
        },
      },
    });
  });

  test('grants that ask stand under what they speak of, whomever they address', () => {
    const ask = {
      to: { group: 'tellers' },
      on: TRANSFER,
      require_approval: { by: 'manager_of_requester' },
    };
    const { data } = prepare({ grants: [{ to: { anyone: true }, on: TRANSFER }, ask] }) as {
      data: { portcullis: { index: { asking: object } } };
    };
    expect(JSON.parse(JSON.stringify(data.portcullis.index.asking))).toEqual({ [TRANSFER]: [ask] });
  });

  test('agents and surfaces are found by their clients, an agent without any by its name', () => {
    const { data } = prepare({
      agents: {
        planner: { clients: ['cid-1', 'cid-2', 'cid-1'], may: ['*'], delegates_to: ['runner'] },
        runner: { may: [] },
        nobody: { clients: [], may: [] },
      },
      surfaces: { ide: { clients: ['cid-1', '__proto__'] }, open: {} },
    }) as { data: { portcullis: { index: { agents: object; surfaces: object } } } };
    const { agents, surfaces } = data.portcullis.index;
    expect(Object.entries(agents)).toEqual([
      ['cid-1', 'planner'],
      ['cid-2', 'planner'],
      ['runner', 'runner'],
    ]);
    expect(Object.entries(surfaces)).toEqual([
      ['cid-1', 'ide'],
      ['__proto__', 'ide'],
    ]);
  });

  test('a table that the build did not know stands in the index', () => {
    const limits = { 'user:alice': 10 };
    const within = { '/amount': { at_most: { data: 'late_limits' } } };
    const own = { late_limits: limits, grants: [{ to: { anyone: true }, on: '*', within }] };
    const { data } = prepare(own) as { data: { portcullis: { index: { tables: object } } } };
    expect(Object.entries(data.portcullis.index.tables)).toEqual([['late_limits', limits]]);
  });

  test('a policy that is not the library keeps its data as it is', () => {
    const own = { grants: 'of another shape', agents: 7 };
    expect(prepare(own, { library: false })).toMatchObject({ data: own });
  });
});

describe('the projection of the arguments', () => {
  test('joins what rules and regions read, cut at a wildcard, in one order', () => {
    const to = { anyone: true };
    const grants = [
      { to, on: TRANSFER, within: { '/amount': { at_most: 1 }, '/to/iban': { prefix: 'DE' } } },
      { to, on: TRANSFER, id: 'b', within: { '/paths/*': { path_under: '/srv' } } },
      {
        to,
        on: '*',
        unless_within: { '/*/size': { at_most: 1 } },
        require_approval: { by: { group: 'sre' } },
      },
      { to, on: 'tool:payments/balance' },
    ];
    const metadata = {
      ...METADATA,
      arguments: { [TRANSFER]: ['/note', '/amount'], 'tool:a/b': [''] },
    };
    const pointers = {
      '*': [''],
      'tool:a/b': [''],
      [TRANSFER]: ['/amount', '/note', '/paths', '/to/iban'],
    };
    expect(prepare({ grants }, { metadata })).toMatchObject({
      projection: { digest: digestOf(pointers), pointers },
    });
  });

  test('is empty where nothing reads arguments', () => {
    expect(prepare({}, { metadata: undefined })).toMatchObject({
      projection: { digest: digestOf({}), pointers: {} },
    });
  });

  test("is the rules' own for a policy that is not the library", () => {
    const metadata = { ...METADATA, arguments: { '*': ['/a'] } };
    expect(prepare({ grants: [] }, { metadata, library: false })).toMatchObject({
      projection: { pointers: { '*': ['/a'] } },
    });
  });
});

describe('refused data', () => {
  const to = { anyone: true };
  const ask = { to, on: TRANSFER, require_approval: { by: { group: 'sre' } } };
  const inside = (operand: unknown): object => ({
    grants: [{ to, on: TRANSFER, within: { '/amount': { at_most: operand } } }],
  });

  test.each<[string, object, string]>([
    ['rules as data', { mcp: { rules: {} } }, 'the data root `mcp` is reserved: /mcp'],
    [
      'an index of its own',
      { portcullis: { rules: {}, index: {} } },
      'the data root `portcullis` is reserved: /portcullis',
    ],
    [
      'rules of a wrong type',
      { portcullis: { rules: [] } },
      'the data root `portcullis` is reserved: /portcullis',
    ],
    [
      'an empty region',
      { grants: [{ to, on: TRANSFER, within: {} }] },
      'the data does not fit its schema: it must have at least 1 member: /grants/0/within',
    ],
    [
      'a grant to nobody',
      { grants: [{ to: {}, on: TRANSFER }] },
      'the data does not fit its schema: it must have at least 1 member: /grants/0/to',
    ],
    [
      'a client of two agents',
      { agents: { a: { clients: ['x'], may: [] }, b: { clients: ['x'], may: [] } } },
      'a client belongs to two of the agents: /agents/b/clients/0',
    ],
    [
      'a client with the name of an agent',
      { agents: { a: { clients: ['b'], may: [] }, b: { may: [] } } },
      'a client belongs to two of the agents: /agents/b',
    ],
    [
      'a client of two surfaces',
      { surfaces: { a: { clients: ['x'] }, b: { clients: ['y', 'x'] } } },
      'a client belongs to two of the surfaces: /surfaces/b/clients/1',
    ],
    [
      'a delegate that does not exist',
      { agents: { a: { may: [], delegates_to: ['a', 'toString'] } } },
      'an agent delegates to one that does not exist: /agents/a/delegates_to/1',
    ],
    [
      'a table that does not exist',
      inside({ data: 'transfer_limit' }),
      'a grant names a table that does not exist: /grants/0/within/~1amount/at_most',
    ],
    [
      'a root of the library as a table',
      { ...inside({ data: 'agents' }), agents: {} },
      'a grant names a table that does not exist: /grants/0/within/~1amount/at_most',
    ],
    [
      'an operand that names no table',
      { grants: [{ to, on: TRANSFER, within: { '/a': { equals: { b: 1 } } } }] },
      'a grant names a table that does not exist: /grants/0/within/~1a/equals',
    ],
    [
      'two grants that ask under one name',
      { grants: [ask, { ...ask, to: { group: 'x' } }] },
      'an approval of one grant would count for another; give each an id: /grants/1',
    ],
    [
      'two reasons under one name',
      {
        grants: [
          { to, on: TRANSFER, reason_code: 'A_B' },
          { to, on: TRANSFER },
        ],
      },
      'two grants of one name give different reasons; give each an id: /grants/1',
    ],
    [
      'a grant with the name of a rule',
      { grants: [{ ...ask, id: 'a/b' }], portcullis: { rules: { 'a/b': {} } } },
      'a grant has the name of a rule: /grants/0',
    ],
  ])('%s', (_title, own, message) => {
    expect(faultOf(own)).toBe(`DATA_INVALID: ${message}`);
  });

  test('the pointer of an error is its own member too', () => {
    expect(() => prepare({ mcp: {} })).toThrow(
      expect.objectContaining({ code: 'DATA_INVALID', pointer: '/mcp' }),
    );
  });

  test('a table of the bundle that has no data yet is no fault', () => {
    expect(faultOf(inside({ data: 'transfer_limits' }))).toBe('taken');
  });

  test('grants that ask for different things, or under names of their own', () => {
    expect(faultOf({ grants: [ask, { ...ask, id: 'second' }, { to, on: TRANSFER }] })).toBe(
      'taken',
    );
  });

  test('reserved roots are refused under any policy', () => {
    const foreign = { library: false };
    expect(faultOf({ mcp: {} }, foreign)).toBe(
      'DATA_INVALID: the data root `mcp` is reserved: /mcp',
    );
    expect(faultOf({}, { ...foreign, overlay: { portcullis: { rules: {} } } })).toBe(
      'DATA_INVALID: the data root `portcullis` is reserved: /portcullis',
    );
  });
});

test('of ten thousand grants each is found under its own key', () => {
  const grants = Array.from({ length: 10_000 }, (_, i) => ({
    to: { group: `g${i % 200}` },
    on: `tool:payments/t${i}`,
    within: { '/amount': { at_most: i } },
  }));
  const { data } = prepare({ grants }) as {
    data: { portcullis: { index: { grants: Record<string, Record<string, unknown[]>> } } };
  };
  const index = data.portcullis.index.grants;
  expect(Object.keys(index)).toHaveLength(10_000);
  expect(
    grants.filter((grant, i) => index[grant.on]?.[`group:g${i % 200}`]?.[0] !== grant),
  ).toEqual([]);
});
