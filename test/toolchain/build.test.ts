import { expect, test } from '@jest/globals';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { argumentPointers } from '../../src/toolchain/projection.ts';
import { gatherSources } from '../../src/toolchain/sources.ts';
import { describeWithOpa, opa, parsed, policyOf } from '../support/toolchain.ts';
import { ALLOW, FILE, one, rule } from './refusals/refusal.ts';

const LIMITED = `effect := "allow"

applies if request.name == "tool:shop/refund"

default within := false

within if {
	compare.at_most(request.arguments.amount, data.refund_limits[request.user.id])
	every line in input.context.arguments.lines {
		compare.more_than(line.price, 0)
	}
	_known(request.arguments.shop.id)
}

_known(shop) if shop in data.shops`;

const POLICY = {
  [FILE]: rule(LIMITED, '# METADATA\n# title: Refunds\n# custom: {reason_code: REFUND_LIMIT}\n'),
  'rules/shop/log.rego': `package mcp.rules.shop.log

effect := "oblige"

applies := true

obligations contains {"type": "log", "level": "info"}
`,
  'data.yaml': 'refund_limits: {"user:a": 5}\nshops: [s1]\n',
  'places/data.json': '{"berlin": {"open": true}}',
  'self_tests.yaml': '- {title: nobody, input: {}, outcome: deny}\n',
};

function text(files: Map<string, Uint8Array>, name: string): string {
  return Buffer.from(files.get(name) ?? []).toString('utf8');
}

describeWithOpa('portcullis build', () => {
  test('the same sources give the same bytes', async () => {
    const [first, second] = await Promise.all([
      buildPolicy(opa, policyOf(POLICY)),
      buildPolicy(opa, policyOf(POLICY)),
    ]);
    expect([...first.files.keys()]).toEqual([...second.files.keys()]);
    for (const [name, bytes] of first.files) {
      expect(Buffer.compare(bytes, second.files.get(name) ?? new Uint8Array())).toBe(0);
    }
  });

  test('the manifest says what the bundle is', async () => {
    const { files, revision, metadata } = await buildPolicy(opa, policyOf(POLICY));
    expect(JSON.parse(text(files, '.manifest'))).toEqual({
      revision,
      rego_version: 1,
      roots: [''],
      wasm: ['mcp/main/decision', 'mcp/list/items', 'mcp/approval/eligible'].map((entrypoint) => ({
        entrypoint,
        module: '/policy.wasm',
      })),
      metadata: {
        portcullis: {
          schema_version: 1,
          entrypoint: 'mcp/main/decision',
          discovery: 'mcp/list/items',
          approval: 'mcp/approval/eligible',
          arguments: { 'tool:shop/refund': ['/amount', '/lines', '/shop/id'] },
          tables: ['places', 'refund_limits', 'shops'],
          self_tests: [{ title: 'nobody', input: {}, outcome: 'deny' }],
          sources_digest: policyOf(POLICY).digest,
          opa_version: '1.22.0',
        },
      },
    });
    expect(revision).toBe(metadata.sources_digest?.slice(7, 19));
  });

  test('data of all files is merged, and METADATA lies beside it', async () => {
    const { files } = await buildPolicy(opa, policyOf(POLICY));
    expect(JSON.parse(text(files, 'data.json'))).toMatchObject({
      refund_limits: { 'user:a': 5 },
      shops: ['s1'],
      places: { berlin: { open: true } },
      portcullis: {
        rules: {
          'boundary/environment': { reason_code: 'ENVIRONMENT_BOUNDARY' },
          'shop/refund': { reason_code: 'REFUND_LIMIT' },
        },
      },
    });
  });

  test('a rule concerns the capabilities that its applies names', async () => {
    const { files } = await buildPolicy(opa, policyOf(POLICY));
    const router = text(files, 'mcp/router.rego');
    expect(router).toContain('allowed["tool:shop/refund"] contains "shop/refund" if {');
    expect(router).toContain('obliged["*"] contains obligation if {');
    expect(router).not.toContain('some area, title');
  });

  test('each file of a rule is read with its own imports', async () => {
    const part = (alias: string, body: string): string =>
      `package mcp.rules.shop.refund\n\nimport ${alias}\n\n${body}\n`;
    const { files } = await buildPolicy(
      opa,
      policyOf({
        'data.yaml': 'sale: {name: none}\n',
        'rules/shop/a.rego': part(
          'data.mcp.request as it',
          'effect := "deny"\n\napplies if it.name == "tool:shop/refund"',
        ),
        'rules/shop/b.rego': part('data.sale as it', 'applies if it.name == "tool:shop/stock"'),
      }),
    );
    expect(text(files, 'mcp/router.rego')).toContain('denied["*"] contains "shop/refund" if {');
  });

  test('a policy that breaks the contract is not built', async () => {
    const bad = one('effect := "deny"\n\napplies if not startswith(request.surface, "x")');
    await expect(buildPolicy(opa, policyOf(bad))).rejects.toMatchObject({
      code: 'RULES_REFUSED',
      message: expect.stringMatching(/^policy\/rules\/shop\/refund\.rego:\d+: `not` over a call/u),
    });
  });

  test('a policy of its own contract is built as it is', async () => {
    const text_of_it = 'package authz\n\nallow if input.context.arguments.size == 1\n';
    const plain = gatherSources([{ path: 'authz.rego', text: text_of_it }], []);
    const { files, metadata } = await buildPolicy(opa, plain, {
      entrypoint: 'authz/allow',
      revision: 'r1',
    });
    expect(metadata).toEqual({
      schema_version: 1,
      entrypoint: 'authz/allow',
      arguments: { '*': ['/size'] },
      tables: [],
      self_tests: [],
      sources_digest: plain.digest,
      opa_version: '1.22.0',
    });
    expect([...files.keys()]).toEqual([
      '.manifest',
      'data.json',
      'policy.wasm',
      'policy/authz.rego',
    ]);
    expect(JSON.parse(text(files, '.manifest')).revision).toBe('r1');
  });

  test('self-tests of the wrong shape are refused with their pointer', async () => {
    const sources = policyOf({
      'self_tests.yaml': '- {title: nobody, input: {}, outcome: maybe}\n',
    });
    await expect(buildPolicy(opa, sources)).rejects.toMatchObject({
      code: 'DATA_INVALID',
      pointer: '/self_tests/0/outcome',
    });
  });

  test.each([
    ['two files give one member', { 'data.yaml': 'a: {b: 1}', 'a/data.json': '{"b": 2}' }],
    ['data is a list', { 'data.json': '[]' }],
    ['a name is doubled in JSON', { 'data.json': '{"a": 1, "a": 2}' }],
    ['a name is doubled in YAML', { 'data.yaml': 'a: 1\na: 2\n' }],
    ['YAML is malformed', { 'data.yaml': 'a: [1\n' }],
  ])('data is refused where %s', (_title, files) => {
    expect(() => policyOf(files)).toThrow(expect.objectContaining({ code: 'DATA_INVALID' }));
  });

  test.each([
    ['a member', 'within if compare.at_most(request.arguments.amount, 5)', ['/amount']],
    ['a nested member', 'within if compare.at_most(request.arguments.a.b, 5)', ['/a/b']],
    ['a member by index', 'within if request.arguments.list[0].x == 1', ['/list']],
    [
      'any member of a list',
      'within if {\n\tsome x in request.arguments.list\n\tx == 1\n}',
      ['/list'],
    ],
    [
      'a member and all of its parent',
      'within if {\n\trequest.arguments.a.b == 1\n\trequest.arguments.a\n}',
      ['/a'],
    ],
    ['all of them', 'within if count(request.arguments) == 1', ['']],
    [
      'all of them by a variable',
      'within if {\n\tsome name\n\trequest.arguments[name] == 1\n}',
      [''],
    ],
    ['all of them by an alias', 'within if object.get(input.context, "arguments", {}) == {}', ['']],
    ['an escaped name', 'within if request.arguments["a/b~c"] == 1', ['/a~1b~0c']],
  ])('the projection holds what is read: %s', async (_title, within, pointers) => {
    const body = [ALLOW, 'default within := false', within].join('\n\n');
    const { base, rules } = await parsed(one(body));
    expect(argumentPointers(base, rules)).toEqual({ 'tool:shop/refund': pointers });
  });
});
