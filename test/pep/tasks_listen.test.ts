/** Who listens for tasks (the extension for 2026-07-28) hears of its own, as it would be told. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { allow, deny, hide, type Script } from './support/scripted.ts';
import { closeAll, ENVELOPE, messageOf } from './support/http.ts';
import { DECLARED, modernRig } from './support/modern_tasks.ts';
import { rawRig } from './support/raw.ts';
import { plainTool } from './support/servers.ts';

afterEach(closeAll);

const ID = 'io.modelcontextprotocol/subscriptionId';
const NOTICE = 'notifications/tasks';
const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': DECLARED };
const stateOf = (taskId: string) => ({
  taskId,
  status: 'working',
  ttlMs: 60_000,
  createdAt: '2026-11-20T08:00:00Z',
  lastUpdatedAt: '2026-11-20T08:00:00Z',
});

/** With tasks `1` and `2` made, and one who listens for the first and for another's. */
async function listening(script: Script = {}, taskIds: unknown = ['1', '9', 7]) {
  let made = 0;
  const rig = await rawRig(
    [plainTool('open')],
    ({ method }) =>
      method === 'tools/call' ? { resultType: 'task', ...stateOf(String((made += 1))) } : undefined,
    script,
  );
  for (const id of ['a', 'b']) await rig.wire.ask(id, 'tools/call', { name: 'open', _meta });
  const params = { notifications: { taskIds }, _meta };
  rig.wire.give({ jsonrpc: '2.0', id: 's', method: 'subscriptions/listen', params });
  await new Promise((resolve) => setImmediate(resolve));
  const given = rig.received.at(-1);
  /** What the client hears of a notification for its subscription. */
  const heard = async (method: string, said: object, subscription: unknown = given?.id) => {
    const from = rig.wire.sent.length;
    await rig.say({ method, params: { ...said, _meta: { [ID]: subscription, more: 1 } } });
    return rig.wire.messages.slice(from);
  };
  return { ...rig, given, heard };
}

describe('a filter', () => {
  test('that names tasks is trimmed to those of the caller, and acknowledged so', async () => {
    const { given, heard } = await listening();
    expect(given?.params['notifications']).toEqual({ taskIds: ['1'] });
    expect(given?.params['_meta']).toMatchObject({
      'io.modelcontextprotocol/clientCapabilities': DECLARED,
    });
    const method = 'notifications/subscriptions/acknowledged';
    const notifications = { taskIds: ['1', '2', '9'] };
    expect(await heard(method, { notifications })).toEqual([
      {
        jsonrpc: '2.0',
        method,
        params: { notifications: { taskIds: ['1'] }, _meta: { [ID]: 's' } },
      },
    ]);
  });

  test.each([
    ['no list', 'x'],
    ['nothing of its own', ['9']],
    ['nothing', null],
  ])('that names %s asks for none', async (_what, taskIds) => {
    const { given } = await listening({}, taskIds);
    expect(given?.params['notifications']).toEqual({});
  });

  test('by a client that takes no tasks is refused, over stdio and HTTP', async () => {
    const data = { requiredCapabilities: DECLARED };
    const { wire } = await listening();
    const params = { notifications: { taskIds: ['1'] }, _meta: ENVELOPE };
    const { error } = await wire.askFor(2, 'subscriptions/listen', params);
    expect(error).toMatchObject({ code: -32021, data });
    const { send, made } = await modernRig();
    const notifications = { taskIds: [await made()] };
    const response = await send('subscriptions/listen', { notifications }, { offers: {} });
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toMatchObject({ error: { code: -32021, data } });
  });
});

describe('a notice', () => {
  test('of a task that was asked for is told under the id of the subscription', async () => {
    const { heard } = await listening();
    const state = { ...stateOf('1'), status: 'completed', result: { content: [] } };
    expect(await heard(NOTICE, state)).toEqual([
      { jsonrpc: '2.0', method: NOTICE, params: { ...state, _meta: { [ID]: 's' } } },
    ]);
  });

  test.each([
    ['of another of its own', NOTICE, stateOf('2')],
    ['of another’s', NOTICE, stateOf('9')],
    ['of none', NOTICE, { status: 'working' }],
    ['in the words of the other generation', 'notifications/tasks/status', stateOf('1')],
    ['that asks', NOTICE, { ...stateOf('1'), inputRequests: {} }],
    ['of an end that is a question', NOTICE, { ...stateOf('1'), result: { resultType: 'x' } }],
  ])('%s is not', async (_what, method, state) => {
    const { heard } = await listening();
    expect(await heard(method, state)).toEqual([]);
  });

  test('without a subscription is not', async () => {
    const { say, wire } = await listening();
    const from = wire.sent.length;
    await say({ method: NOTICE, params: stateOf('1') });
    expect(wire.messages.slice(from)).toEqual([]);
  });

  test('is decided on each time, as the state would be', async () => {
    const { heard, parts } = await listening();
    const masking = () =>
      allow({ obligations: [{ type: 'keep_fields', paths: [], unstructured: 'drop' }] });
    for (const decide of [hide, deny, masking, () => Promise.reject(new Error('down'))]) {
      Object.assign(parts.decisionPoint.script, { decide });
      expect(await heard(NOTICE, stateOf('1'))).toEqual([]);
    }
    Object.assign(parts.decisionPoint.script, { decide: () => allow() });
    expect(await heard(NOTICE, stateOf('1'))).toHaveLength(1);
    const { action, resource } = parts.decisionPoint.decisions.at(-1)!;
    expect([action.name, resource.type, resource.id]).toEqual(['tasks/get', 'tool', 'open']);
  });
});
