/** What an AuthZEN decision point is asked by itself, and which of its answers count. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/contract/digest.ts';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { authzenPdp, type AuthzenSettings } from '../../../src/decision/authzen_pdp/backend.ts';
import { readMetadata } from '../../../src/decision/authzen_pdp/metadata.ts';
import { codeOf } from '../../support/decisions.ts';
import { askedOver, servers, type Answering } from '../foreign/asked.ts';

afterEach(() => servers.close());

const PATHS = { path: '/one', discovery_path: '/many' };
const YES = { decision: true };
const NO = { decision: false };
const SHOWN = [true, 'ALLOWED', []];
const HIDDEN = [false, 'POLICY_DENIED', []];

const INPUT = {
  subject: {
    type: 'identity',
    id: 'user:alice@example.com',
    properties: { groups: ['tellers'], actor_type: 'human' },
  },
  action: { name: 'odd/list', properties: { verb: 'odd' } },
  context: { profile: 'mcp/1', phase: 'discovery' },
};

const thing = (type: Resource['type'], id = 'a'): Resource => ({
  type,
  id,
  properties: { server: 'payments' },
});
const tools = (count: number) => Array.from({ length: count }, (_, i) => thing('tool', `t${i}`));

async function pdp(answering: Answering, settings: Partial<AuthzenSettings> = {}) {
  const more = { ...PATHS, roles_member: 'roles', batch_items_max: 2, ...settings };
  const asked = await askedOver((client, server) => authzenPdp(client, { server, ...more }), {
    answering,
  });
  return { ...asked, ...(await asked.backend.look()) };
}

/** Says yes to everything. */
const allowing: Answering = ({ body }) =>
  body.evaluations ? { evaluations: body.evaluations.map(() => YES) } : YES;

const refusal = (why: string) => ({
  code: 'BACKEND_ANSWER_INVALID',
  message: expect.stringContaining(why),
});

describe('an AuthZEN decision point is asked', () => {
  test('at the paths of the settings without its metadata, and known by them', async () => {
    const { evaluate, list, sent, identity, url } = await pdp(allowing);
    await evaluate(INPUT);
    await list(INPUT, tools(1));
    expect(sent.map(({ path }) => path)).toEqual(['/one', '/many']);
    const asked = { server: url, evaluation: '/one', evaluations: '/many' };
    expect(identity).toEqual({
      revision: 'unversioned',
      digest: digestOf({ backend: 'authzen', ...asked }),
    });
  });

  test.each([1, 2, 3, 4])('for a list of %i in no more requests than it needs', async (count) => {
    const { list, sent } = await pdp(allowing);
    expect(await list(INPUT, tools(count))).toEqual(Array(count).fill(SHOWN));
    expect(sent.map(({ body }) => body.evaluations.length)).toEqual(
      [[1], [2], [2, 1], [2, 2]][count - 1],
    );
  });

  test.each<[Resource['type'], object]>([
    ['tool', { name: 'tools/list', properties: { verb: 'list' } }],
    ['resource', { name: 'resources/list', properties: { verb: 'list' } }],
    ['resource_template', { name: 'resources/templates/list', properties: { verb: 'list' } }],
    ['prompt', { name: 'prompts/list', properties: { verb: 'list' } }],
    ['task', { name: 'tasks/list', properties: { verb: 'list' } }],
    ['completion', INPUT.action],
    ['mcp_server', INPUT.action],
  ])('for a %s in a list under the method that lists it, if any does', async (type, action) => {
    const resource = thing(type);
    for (const discovery_path of ['/many', null]) {
      const { list, sent } = await pdp(allowing, { discovery_path });
      expect(await list(INPUT, [resource])).toEqual([SHOWN]);
      const [asked] = sent.map(({ body }) => body.evaluations?.[0] ?? body);
      expect(asked).toMatchObject({ resource, action });
    }
  });

  test.each([
    [{ groups: ['a'] }, { groups: ['a'], roles: ['a'] }],
    [
      { groups: ['a'], roles: ['ours'] },
      { groups: ['a'], roles: ['ours'] },
    ],
    [{ tenant: 'north' }, { tenant: 'north' }],
    [undefined, undefined],
  ])('with the properties %j of the subject as %j', async (properties, expected) => {
    const { evaluate, list, sent } = await pdp(allowing);
    const plain = { type: 'identity', id: 'user:alice@example.com' };
    const input = { ...INPUT, subject: properties ? { ...plain, properties } : plain };
    await evaluate(input);
    await list(input, tools(1));
    const subject = expected ? { ...plain, properties: expected } : plain;
    expect(sent.map(({ body }) => body.subject)).toEqual([subject, subject]);
  });

  test('nothing more once it is closed', async () => {
    const { backend, evaluate, sent } = await pdp(allowing);
    await backend.close();
    expect(await codeOf(evaluate(INPUT))).toBe('BACKEND_UNREACHABLE');
    expect(sent).toEqual([]);
  });
});

test.each([
  [400, 'BACKEND_ANSWER_INVALID'],
  [413, 'BACKEND_ANSWER_INVALID'],
  [422, 'BACKEND_ANSWER_INVALID'],
  [401, 'BACKEND_UNREACHABLE'],
  [500, 'BACKEND_UNREACHABLE'],
])('an answer of an AuthZEN decision point of status %i is %s', async (status, code) => {
  const { evaluate, list } = await pdp(() => status);
  expect(await codeOf(evaluate(INPUT))).toBe(code);
  expect(await codeOf(list(INPUT, tools(1)))).toBe(code);
});

describe('an answer to a list', () => {
  test('counts for the items of its own question only', async () => {
    const { list } = await pdp(({ body }) => ({
      evaluations: body.evaluations[0].resource.id === 't0' ? [YES] : [NO, YES, YES],
    }));
    await expect(list(INPUT, tools(4))).rejects.toMatchObject(
      refusal('it answered 1 of 2 questions'),
    );
  });

  test.each<[what: string, answer: unknown, why: string]>([
    ['no object', [YES, YES], 'its answer is no object'],
    ['nothing', {}, '`evaluations` is no array'],
    ['what looks like an array', { evaluations: { 0: YES, 1: YES, length: 2 } }, 'is no array'],
    ['a text', { evaluations: 'ab' }, '`evaluations` is no array'],
    ['too few', { evaluations: [YES] }, 'it answered 1 of 2 questions'],
    ['too many', { evaluations: [YES, YES, YES] }, 'it answered 3 of 2 questions'],
    ['one that is no object', { evaluations: [YES, true] }, 'its answer is no object'],
  ])('that holds %s is none', async (_what, answer, why) => {
    const { list } = await pdp(() => answer);
    await expect(list(INPUT, tools(2))).rejects.toMatchObject(refusal(why));
  });

  test('is read in its order', async () => {
    const { list } = await pdp(() => ({ evaluations: [NO, YES] }));
    expect(await list(INPUT, tools(4))).toEqual([HIDDEN, SHOWN, HIDDEN, SHOWN]);
  });
});

describe('the metadata of an AuthZEN decision point', () => {
  async function metadataOf(tell: (url: string) => unknown) {
    const { backend, url, answer } = await askedOver(
      (client, server) =>
        (named = server) =>
          readMetadata(client, named),
      { answering: () => ({}) },
    );
    answer(() => tell(url));
    return { read: backend, url };
  }

  const at = (url: string, more: object = {}) => ({
    policy_decision_point: url,
    access_evaluation_endpoint: `${url}/one`,
    ...more,
  });

  test.each([
    ['', '/'],
    ['/', ''],
    ['/', '/'],
  ])('may name it with %j at its end where the settings have %j', async (named, set) => {
    const { read, url } = await metadataOf((address) =>
      at(address, { policy_decision_point: address + named }),
    );
    expect(await read(url + set)).toEqual({ evaluation: '/one', evaluations: null });
  });

  test.each<[what: string, tell: (url: string) => unknown, why: string]>([
    ['no object', (url) => [at(url)], 'its metadata is no object'],
    [
      'another decision point',
      (url) => at(url, { policy_decision_point: `${url}/other` }),
      'its metadata is that of another decision point',
    ],
    [
      'its name in a list',
      (url) => at(url, { policy_decision_point: [url] }),
      'its metadata is that of another decision point',
    ],
    ...[
      (url: string) => [`${url}/one`],
      (url: string) => `${url}/one#part`,
      () => 'https://evil.example/one',
      () => undefined,
    ].map((endpoint): [string, (url: string) => unknown, string] => [
      `the endpoint ${String(endpoint('URL'))}`,
      (url) => at(url, { access_evaluation_endpoint: endpoint(url) }),
      'its metadata names no endpoint at its own address',
    ]),
    [
      'a list elsewhere',
      (url) => at(url, { access_evaluations_endpoint: 'https://evil.example/many' }),
      'its metadata names no endpoint at its own address',
    ],
  ])('that holds %s is not followed', async (_what, tell, why) => {
    const { read } = await metadataOf(tell);
    await expect(read()).rejects.toMatchObject(refusal(why));
  });
});
