/** A decision service in the SEP's profile: what it is asked, and what is made of its answers. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { digestOf } from '../../../src/contract/digest.ts';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { sepPdp } from '../../../src/decision/sep_pdp/backend.ts';
import { codeOf } from '../../support/decisions.ts';
import { askedOver, servers, type Answering } from '../foreign/asked.ts';

afterEach(() => servers.close());

const ALLOWING: Answering = () => ({ decision: 'allow' });

const SUBJECT = {
  type: 'identity',
  id: 'user:alice@example.com',
  properties: { actor_type: 'human', groups: ['tellers'] },
};
const ALICE = {
  principal: 'user:alice@example.com',
  actor_type: 'human',
  groups: ['tellers'],
};

const thing = (type: string, id = 'transfer') =>
  ({ type, id, properties: { server: 'payments' } }) as Resource;

const asking = (method: string, type: string) => ({
  subject: SUBJECT,
  action: { name: method },
  resource: thing(type),
  context: { arguments: { amount: 5 }, environment: { deployment: 'production' } },
});

const CALL = asking('tools/call', 'tool');

async function sep(answering: Answering, path: string | null = null, base = '') {
  const asked = await askedOver((client, server) => sepPdp(client, { server, path }), {
    answering,
    base,
  });
  return { ...asked, ...(await asked.backend.look()) };
}

describe('a decision service is asked', () => {
  test.each([
    ['where the settings say', '/decide?v=1', '/tenant', '/decide?v=1'],
    ['at the address of the examples', null, '', '/v1/decision'],
    ['under the path of its address', null, '/tenant', '/tenant/v1/decision'],
  ])('%s, and looked at without a question', async (_what, path, base, expected) => {
    const { evaluate, sent, url, identity } = await sep(ALLOWING, path, base);
    expect(sent).toEqual([]);
    expect(identity).toEqual({
      revision: 'unversioned',
      digest: digestOf({ backend: 'sep', server: url, path: expected }),
    });
    await evaluate(CALL);
    expect(sent.map((each) => each.path)).toEqual([expected]);
  });

  test('whether this caller may do this, in its own words', async () => {
    const { evaluate, sent } = await sep(ALLOWING);
    expect(await evaluate(CALL)).toEqual({ decision: 'allow' });
    expect(sent.map(({ body }) => body)).toEqual([
      {
        subject: ALICE,
        capability: { type: 'tool', name: 'transfer' },
        action: 'execute',
        arguments: { amount: 5 },
        environment: { deployment: 'production' },
      },
    ]);
  });

  test.each([
    ['logging/setLevel', 'mcp_server'],
    ['tools/exec', 'tool'],
    ['prompts/get', 'tool'],
  ])('[E-10] never for %s of a thing of type %s, which is denied', async (method, type) => {
    const { evaluate, sent } = await sep(ALLOWING);
    expect(await evaluate(asking(method, type))).toEqual({
      decision: 'deny',
      reason_code: 'UNKNOWN_METHOD_DENIED',
    });
    expect(sent).toEqual([]);
  });

  test('never what cannot be said in its words', async () => {
    const { evaluate, list, sent } = await sep(ALLOWING);
    const unnamed = { ...CALL, subject: {} };
    for (const ask of [() => evaluate(unnamed), () => list(unnamed, [thing('tool')])]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'BACKEND_ANSWER_INVALID',
        message: expect.stringContaining('cannot be said in its profile'),
      });
    }
    expect(sent).toEqual([]);
  });

  test('nothing more once it is closed', async () => {
    const { backend, evaluate, sent } = await sep(ALLOWING);
    await backend.close();
    expect(await codeOf(evaluate(CALL))).toBe('BACKEND_UNREACHABLE');
    expect(sent).toEqual([]);
  });
});

describe('an answer of a decision service', () => {
  test.each([
    [400, 'BACKEND_ANSWER_INVALID'],
    [413, 'BACKEND_ANSWER_INVALID'],
    [422, 'BACKEND_ANSWER_INVALID'],
    [401, 'BACKEND_UNREACHABLE'],
    [404, 'BACKEND_UNREACHABLE'],
    [503, 'BACKEND_UNREACHABLE'],
  ])('of status %i is no decision', async (status, code) => {
    const { evaluate, list } = await sep(() => status);
    expect(await codeOf(evaluate(CALL))).toBe(code);
    expect(await codeOf(list(CALL, [thing('tool')]))).toBe(code);
  });

  test('is read as an answer of that profile', async () => {
    const { evaluate, answer } = await sep(() => ['allow']);
    expect(await codeOf(evaluate(CALL))).toBe('BACKEND_ANSWER_INVALID');
    answer(() => ({ decision: 'allow', constraints: { approval_via: 'task' }, trace: {} }));
    expect(await evaluate(CALL)).toEqual({
      decision: 'allow',
      constraints: { require_approval_via: 'task' },
    });
  });
});

describe('a list', () => {
  const LIST = { ...CALL, action: { name: 'tools/list' }, context: {} };
  const shown = [true, 'ALLOWED', []];
  const hidden = [false, 'POLICY_DENIED', []];

  /** Which words it was asked for each item, by name. */
  const wordsOf = (sent: readonly { body: Sep }[]) => {
    const words: Record<string, string[]> = {};
    for (const { body } of sent) (words[body.capability.name] ??= []).push(body.action);
    return words;
  };
  interface Sep {
    capability: { name: string };
    action: string;
  }

  test('shows what could be used, and else what may be listed', async () => {
    const allowed: Record<string, string[]> = { used: ['execute'], listed: ['list'], neither: [] };
    const { list, sent } = await sep(({ body }) => ({
      decision: allowed[body.capability.name]?.includes(body.action) ? 'allow' : 'deny',
    }));
    const items = Object.keys(allowed).map((name) => thing('tool', name));
    expect(await list(LIST, items)).toEqual([shown, shown, hidden]);
    expect(wordsOf(sent)).toEqual({
      used: ['execute'],
      listed: ['execute', 'list'],
      neither: ['execute', 'list'],
    });
  });

  test('shows what is denied for something that can be had', async () => {
    const { list, sent } = await sep(() => ({
      decision: 'deny',
      reason_code: 'ACTOR_VALIDATION_FAILED',
    }));
    expect(await list(LIST, [thing('tool')])).toEqual([shown]);
    expect(wordsOf(sent)).toEqual({ transfer: ['execute'] });
  });

  test('asks once for what can only be listed', async () => {
    const { list, sent } = await sep(() => ({ decision: 'deny' }));
    expect(await list(LIST, [thing('resource_template')])).toEqual([hidden]);
    expect(wordsOf(sent)).toEqual({ transfer: ['list'] });
  });

  test('[E-10] asks nothing that there is no word for, whatever would be said', async () => {
    const { list, sent } = await sep(({ body }) => ({
      decision: body.action === 'list' ? 'allow' : 'deny',
    }));
    const listed = await list(LIST, [thing('mcp_server', 'all'), thing('completion', 'city')]);
    expect(listed).toEqual([[false, 'UNKNOWN_METHOD_DENIED', []], hidden]);
    expect(wordsOf(sent)).toEqual({ city: ['complete'] });
  });
});
