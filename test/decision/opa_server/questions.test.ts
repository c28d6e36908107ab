/** What an OPA server is asked, and which of its answers count: no OPA is needed for it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/contract/digest.ts';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { opaServer } from '../../../src/decision/opa_server/backend.ts';
import { codeOf } from '../../support/decisions.ts';
import { askedOver, servers, type Answering, type Sent } from '../foreign/asked.ts';

afterEach(() => servers.close());

const QUERY = '?provenance=true&strict-builtin-errors=true';
const PATHS = { path: 'main/decision', discovery_path: null };
const LISTING = { path: 'main/decision', discovery_path: 'main/visible' };
const ITEMS = ['a', 'b', 'c'].map((id): Resource => ({
  type: 'tool',
  id,
  properties: { server: 'payments' },
}));
const INPUT = {
  subject: { type: 'identity', id: 'user:alice@example.com' },
  action: { name: 'tools/list' },
  context: { profile: 'mcp/1', phase: 'discovery' },
};

const active = (revision: string) => ({ bundles: { main: { revision } } });

/** Says the same to each question. */
const saying =
  (result: unknown, provenance: unknown = active('one')): Answering =>
  () => ({ result, provenance });

const opa = (settings: typeof PATHS | typeof LISTING, answering = saying(false), base = '') =>
  askedOver((client, server) => opaServer(client, { server, ...settings }), { answering, base });

describe('an OPA server is asked', () => {
  test('whether its bundles are active, and then for nobody', async () => {
    const { backend, sent } = await opa(PATHS, saying(false), '/opa');
    await backend.look();
    expect(sent).toMatchObject([
      { path: '/opa/health?bundles', body: undefined },
      {
        path: `/opa/v1/data/main/decision${QUERY}`,
        body: { input: { subject: { id: 'portcullis:nobody' } } },
      },
    ]);
  });

  test.each([
    ['/main//decision/', 'main/decision'],
    ['decision', 'decision'],
    ['a b/ä?x=1#y', 'a%20b/%C3%A4%3Fx%3D1%23y'],
    ['a%2f..', 'a%252f..'],
    ['.../..a', '.../..a'],
  ])('for the rule %j at its place, and nowhere else', async (path, place) => {
    const { backend, sent } = await opa({ path, discovery_path: null });
    await backend.look();
    expect(sent.at(-1)?.path).toBe(`/v1/data/${place}${QUERY}`);
  });

  test.each(['', '/', '//', '.', '..', './a', 'a/.', 'a/../b', '../../v1/policies'])(
    'for no rule that is called %j',
    async (path) => {
      for (const paths of [{ path }, { discovery_path: path || '/' }]) {
        await expect(opa({ ...LISTING, ...paths })).rejects.toMatchObject({
          code: 'CONFIGURATION_INVALID',
          pointer: '/policy/remote/path',
          message: expect.stringContaining('must be rules, as in `a/b`'),
        });
      }
    },
  );

  test('for each item of a list by itself where no rule lists', async () => {
    const { backend, sent, answer } = await opa(PATHS);
    const { list } = await backend.look();
    sent.length = 0;
    answer(({ body }) => ({ result: body.input.resource.id !== 'b', provenance: active('one') }));
    expect(await list(INPUT, ITEMS)).toEqual([
      [true, 'ALLOWED', []],
      [false, 'POLICY_DENIED', []],
      [true, 'ALLOWED', []],
    ]);
    const byName = (a: Sent, b: Sent) =>
      a.body.input.resource.id < b.body.input.resource.id ? -1 : 1;
    expect(sent.toSorted(byName)).toEqual(
      ITEMS.map((resource) => ({
        path: `/v1/data/main/decision${QUERY}`,
        body: { input: { ...INPUT, resource } },
      })),
    );
  });

  test('for a whole list at once where a rule lists', async () => {
    const { backend, sent, answer } = await opa(LISTING);
    const { list } = await backend.look();
    sent.length = 0;
    answer(saying([0, 2]));
    expect(await list(INPUT, ITEMS)).toEqual([0, 2]);
    expect(sent).toEqual([
      {
        path: `/v1/data/main/visible${QUERY}`,
        body: { input: { ...INPUT, resources: ITEMS } },
      },
    ]);
  });

  test('nothing more once it is closed', async () => {
    const { backend, sent } = await opa(PATHS);
    const { evaluate } = await backend.look();
    sent.length = 0;
    await backend.close();
    expect(await codeOf(evaluate(INPUT))).toBe('BACKEND_UNREACHABLE');
    expect(sent).toEqual([]);
  });
});

describe('an answer of an OPA server', () => {
  test.each([
    ['a call', PATHS, true, true],
    ['a list by single questions', PATHS, true, ITEMS.map(() => [true, 'ALLOWED', []])],
    ['a list', LISTING, [0], [0]],
  ])('to %s counts under the revision looked at only', async (what, paths, result, told) => {
    const { backend, answer } = await opa(paths);
    const { evaluate, list } = await backend.look();
    const ask = () => (what === 'a call' ? evaluate(INPUT) : list(INPUT, ITEMS));
    for (const provenance of [active('two'), {}, null, { revision: 'one' }]) {
      answer(saying(result, provenance));
      await expect(ask()).rejects.toMatchObject({
        code: 'BACKEND_ANSWER_INVALID',
        message: expect.stringContaining('its policy changed since it was looked at'),
      });
    }
    answer(saying(result));
    expect(await ask()).toEqual(told);
  });

  test.each([
    ['an array', []],
    ['null', null],
    ['a text', 'true'],
    ['true', true],
  ])('that is %s is none, not even to a look', async (_what, odd) => {
    const { backend, answer } = await opa(PATHS, saying(false, null));
    const { evaluate } = await backend.look();
    answer(({ body }) => (body ? odd : {}));
    for (const ask of [() => backend.look(), () => evaluate(INPUT)]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'BACKEND_ANSWER_INVALID',
        message: expect.stringContaining('its answer is no object'),
      });
    }
  });
});

test.each([
  [400, 'BACKEND_ANSWER_INVALID'],
  [500, 'BACKEND_ANSWER_INVALID'],
  [413, 'BACKEND_UNREACHABLE'],
  [503, 'BACKEND_UNREACHABLE'],
])('an answer of an OPA server of status %i is %s', async (status, code) => {
  const { backend, answer } = await opa(PATHS);
  const { evaluate, list } = await backend.look();
  answer(() => status);
  expect(await codeOf(evaluate(INPUT))).toBe(code);
  expect(await codeOf(list(INPUT, ITEMS))).toBe(code);
});

test('an OPA server that is not healthy yet is not asked for anybody', async () => {
  const { backend, sent } = await opa(PATHS, () => 500);
  expect(await codeOf(backend.look())).toBe('BACKEND_UNREACHABLE');
  expect(sent.map(({ path }) => path)).toEqual(['/health?bundles']);
});

describe('the policy of an OPA server is known', () => {
  const long = 'x'.repeat(256);

  test.each<[what: string, provenance: unknown, revision: string]>([
    ['its bundles', { bundles: { b: { revision: '2' }, a: { revision: '1' } } }, 'a@1 b@2'],
    ['a bundle without a revision', { bundles: { a: {}, b: { revision: 2 } } }, 'a@ b@'],
    ['its bundles first', { ...active('1'), revision: 'r' }, 'main@1'],
    ['its only revision', { revision: 'r' }, 'r'],
    ['a revision beside no bundles', { bundles: {}, revision: 'r' }, 'r'],
    ['a revision that may be shown whole', { revision: long }, long],
    ['no revision', {}, 'unversioned'],
    ['an empty revision', { revision: '' }, 'unversioned'],
    ['a revision that is no text', { revision: 7 }, 'unversioned'],
    ['no provenance', null, 'unversioned'],
  ])('by %s', async (_what, provenance, revision) => {
    const { backend } = await opa(PATHS, saying(false, provenance));
    expect((await backend.look()).identity.revision).toBe(revision);
  });

  test('by the digest of a revision that is too long for an answer', async () => {
    const { backend } = await opa(PATHS, saying(false, { revision: `${long}x` }));
    expect((await backend.look()).identity.revision).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test('by the digest of what it says of itself, and of what is asked', async () => {
    const versioned = await opa(LISTING);
    const { url: server } = versioned;
    const { identity } = await versioned.backend.look();
    const asked = { backend: 'opa', server, path: 'main/decision', discovery_path: 'main/visible' };
    expect(identity.digest).toBe(digestOf({ ...asked, revision: 'main@one' }));
    versioned.answer(saying(false, null));
    const { identity: unversioned } = await versioned.backend.look();
    expect(unversioned.digest).toBe(digestOf({ ...asked, revision: null }));
  });
});
