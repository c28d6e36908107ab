/** What passes before a policy is active and after it was, and what a decision leaves to say. */
import { describe, expect, test } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import { ALL_KINDS, KINDS } from '../../src/pep/kinds.ts';
import { HELLO } from './support/rig.ts';
import { bare, reasonsOf, type Bare } from './support/bare.ts';
import { allow } from './support/scripted.ts';
import { plainTool } from './support/servers.ts';
import { settle } from './support/wire.ts';

const call = (id: unknown, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
});
const cancel = (requestId: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
});

describe('before and after a policy', () => {
  test('what is known to be ready is not asked for again', async () => {
    const rig = await bare();
    await rig.wire.ask('p', 'ping');
    rig.parts.decisionPoint.script.describe = () => Promise.reject(new Error('slow'));
    for (const method of ['ping', 'tools/list']) {
      expect(await rig.wire.askFor(method, method)).toHaveProperty('result');
    }
    expect((await rig.wire.call(1, 'balance')).result).toEqual({ content: [] });
  });

  test('without one no list is told, nor asked for', async () => {
    const rig = await bare({ describe: () => ({ ready: false }) });
    for (const method of ALL_KINDS.map((kind) => KINDS[kind].method)) {
      const { error } = await rig.wire.askFor(method, method);
      expect(error.data.reason_code).toBe('POLICY_UNAVAILABLE');
    }
    expect([rig.heard, rig.own]).toEqual([[], []]);
  });

  test.each(['balance', 'unheard'])(
    'without a decision on `%s` it is unavailable',
    async (name) => {
      const rig = await bare({ decide: () => Promise.reject(new Error('gone')) });
      const { result } = await rig.wire.call(1, name);
      expect(result._meta[EXTENSION].reason_code).toBe('POLICY_UNAVAILABLE');
      expect([reasonsOf(rig.parts), rig.heard]).toEqual([[], []]);
    },
  );

  test('without one the server hears of cancellations only', async () => {
    const rig = await bare(
      {},
      { answer: ({ method }) => (method === 'ping' ? { result: {} } : undefined) },
    );
    await rig.wire.ask('p', 'ping');
    rig.wire.give(call(1, 'balance'));
    await settle();
    rig.parts.decisionPoint.announce({ ready: false });
    const before = rig.heard.length;
    rig.wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
    rig.wire.give(cancel(1));
    expect(rig.heard.slice(before).map(({ method }) => method)).toEqual([
      'notifications/cancelled',
    ]);
  });

  test('a client that is there hears of each change to an active one', async () => {
    const answer = () => ({ result: { capabilities: { tools: {} } } });
    const rig = await bare({}, { answer });
    await rig.wire.ask('hello', 'initialize', HELLO);
    rig.wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
    const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' };
    const told = () => rig.wire.messages.slice(1);
    rig.parts.decisionPoint.announce({ ready: true });
    expect(told()).toEqual([changed]);
    rig.parts.decisionPoint.announce({ ready: false });
    expect(told()).toEqual([changed]);
    rig.parts.decisionPoint.announce({ ready: true });
    expect(told()).toEqual([changed, changed]);
  });

  test('one that goes while a call is looked at is asked without arguments', async () => {
    const rig: Bare = await bare(
      {},
      {
        list: () => {
          rig.parts.decisionPoint.announce({ ready: false });
          return { result: { tools: [plainTool('transfer')] } };
        },
      },
    );
    await rig.wire.call(1, 'transfer', { amount: 5 });
    const [asked] = rig.parts.decisionPoint.decisions;
    expect(asked?.context.arguments).toEqual({});
    expect(asked?.context).not.toHaveProperty('arguments_projection');
  });

  test('an error of the handshake passes as it is', async () => {
    const error = { code: -32602, message: 'no such revision', data: { supported: [] } };
    const rig = await bare({}, { answer: () => ({ error }) });
    expect(await rig.wire.askFor(1, 'initialize', {})).toEqual({ jsonrpc: '2.0', id: 1, error });
  });
});

test('a caller of whom little is known is served by what is', async () => {
  const subject = { type: 'identity' as const, id: 'user:alice' };
  const rig = await bare(
    { decide: () => allow({ constraints: { actor_required: 'human' } }) },
    { identity: () => ({ subject }) },
  );
  const { result } = await rig.wire.call(1, 'balance');
  expect(JSON.stringify(result)).toContain('ACTOR_VALIDATION_FAILED');
  rig.parts.decisionPoint.script.decide = () => allow();
  expect((await rig.wire.call(2, 'balance')).result).toEqual({ content: [] });
  const [asked] = rig.parts.decisionPoint.decisions;
  expect(asked?.subject).toEqual(subject);
  expect(Object.keys(asked?.context ?? {}).sort()).toEqual([
    'agent',
    'arguments',
    'arguments_digest',
    'arguments_projection',
    'pep',
    'phase',
    'profile',
    'request',
  ]);
});

test('a refusal by the guard says what the policy said, where it is of the same kind', async () => {
  const said = (reason_code: string) =>
    allow({ constraints: { approval_required: true }, reason_code, safe_message: 'Ask Bob.' });
  const rig = await bare({ decide: () => said('APPROVAL_REQUIRED') });
  const text = async (id: number) => (await rig.wire.call(id, 'balance')).result.content[0].text;
  expect(await text(1)).toBe('Ask Bob.');
  rig.parts.decisionPoint.script.decide = () => said('MANAGER_ONLY');
  expect(await text(2)).toBe('This operation requires approval before execution.');
});

test('a call of what changed meanwhile may be made again in a while', async () => {
  let title = 'one';
  const rig: Bare = await bare(
    {
      decide: async () => {
        title = 'two';
        await rig.say({ method: 'notifications/tools/list_changed' });
        return allow();
      },
    },
    { list: () => ({ result: { tools: [plainTool('balance', { title })] } }) },
  );
  const { result } = await rig.wire.call(1, 'balance');
  expect(Object.values(result._meta)).toMatchObject([
    { reason_code: 'DEFINITION_CHANGED', retry: 'after_seconds', retry_after_seconds: 5 },
  ]);
});

test('a second request under an open id is told what is wrong with it', async () => {
  const rig = await bare({}, { answer: () => undefined });
  rig.wire.give(call(1, 'balance'));
  rig.wire.give(call(1, 'balance'));
  expect(rig.wire.messages).toEqual([
    {
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32600, message: 'Invalid request', data: { pointer: '/id' } },
    },
  ]);
});
