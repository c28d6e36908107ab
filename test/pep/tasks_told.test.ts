/** What a server tells of tasks beside its answers, and what a client may say of them. */
import { describe, expect, test } from '@jest/globals';
import type { EvaluationResponse } from '../../src/contract/types.gen.ts';
import { rawRig, type Answerer } from './support/raw.ts';
import { allow, deny } from './support/scripted.ts';
import { plainTool } from './support/servers.ts';

const RELATED = 'io.modelcontextprotocol/related-task';
const TOOLS = [plainTool('open', { execution: { taskSupport: 'required' } })];
const STATE = {
  taskId: '1',
  status: 'working',
  ttl: 60_000,
  createdAt: '2026-11-20T08:00:00Z',
  lastUpdatedAt: '2026-11-20T08:00:00Z',
};
const MASKED: EvaluationResponse = allow({
  obligations: [{ type: 'keep_fields', paths: ['/a'], unstructured: 'redact' }],
});

/** With task `1` made. */
async function rig(answer: Answerer = () => STATE, decide = () => allow(), _meta?: object) {
  const answers: Answerer = (request) =>
    request.method === 'tools/call' ? { task: STATE } : answer(request);
  const raw = await rawRig(TOOLS, answers, { decide });
  await raw.wire.ask('make', 'tools/call', { name: 'open', task: {}, ...(_meta && { _meta }) });
  /** What a message of the server leads to. */
  const told = async (message: object) => {
    const from = raw.wire.sent.length;
    await raw.say(message);
    return raw.wire.messages.slice(from);
  };
  return { ...raw, told };
}

const notice = (params: object) => ({ method: 'notifications/tasks/status', params });

describe('a notice of a task', () => {
  test('passes to its owner', async () => {
    const { told } = await rig();
    const state = { ...STATE, statusMessage: 'half' };
    expect(await told(notice(state))).toEqual([{ jsonrpc: '2.0', ...notice(state) }]);
  });

  test.each([
    ['another', { ...STATE, taskId: '2' }],
    ['none', { status: 'working' }],
    ['a task that asks', { ...STATE, inputRequests: {} }],
  ])('of %s does not', async (_what, state) => {
    const { told } = await rig();
    expect(await told(notice(state))).toEqual([]);
  });

  test('does not where the call is masked, or would be now, or is refused now', async () => {
    const { told, parts: once } = await rig(undefined, () => MASKED);
    expect(await told(notice(STATE))).toEqual([]);
    Object.assign(once.decisionPoint.script, { decide: () => allow() });
    expect(await told(notice(STATE))).toEqual([]);
    const { told: later, parts } = await rig();
    for (const decide of [() => MASKED, () => deny(), () => Promise.reject(new Error('down'))]) {
      Object.assign(parts.decisionPoint.script, { decide });
      expect(await later(notice(STATE))).toEqual([]);
    }
  });

  test('in the words of the other generation does not', async () => {
    const { told } = await rig();
    expect(await told({ method: 'notifications/tasks', params: STATE })).toEqual([]);
  });
});

describe('progress of a task', () => {
  const PROGRESS = 'notifications/progress';
  const followed = async (decide = () => allow(), progressToken: unknown = 'p') => {
    const told = await rig(undefined, decide, { progressToken });
    const token = (told.received[0]!.params['_meta'] as { progressToken: number }).progressToken;
    const tell = () =>
      told.told({ method: PROGRESS, params: { progressToken: token, progress: 1 } });
    return { ...told, tell };
  };

  test('goes on under the token of the call, and ends with the task', async () => {
    const { tell, wire } = await followed();
    const params = { progressToken: 'p', progress: 1 };
    expect(await tell()).toEqual([{ jsonrpc: '2.0', method: PROGRESS, params }]);
    await wire.ask(1, 'tasks/result', { taskId: '1' });
    expect(await tell()).toEqual([]);
  });

  test('is not told where the call is masked, or would be now, or is refused now', async () => {
    expect(await (await followed(() => MASKED)).tell()).toEqual([]);
    const { tell, parts } = await followed();
    for (const decide of [() => MASKED, () => deny(), () => Promise.reject(new Error('down'))]) {
      Object.assign(parts.decisionPoint.script, { decide });
      expect(await tell()).toEqual([]);
    }
  });

  test('is not told where nobody wants to hear of it', async () => {
    const { told } = await rig();
    expect(await told({ method: PROGRESS, params: { progressToken: 1, progress: 1 } })).toEqual([]);
  });
});

describe('the name of a task', () => {
  const named = (taskId: unknown) => ({ _meta: { [RELATED]: { taskId }, beside: 1 } });
  const log = (taskId: unknown) => ({
    method: 'notifications/message',
    params: { level: 'info', data: 'x', ...named(taskId) },
  });

  test('in a message of the server is one of the caller’s own', async () => {
    const { told } = await rig();
    expect(await told(log('1'))).toMatchObject([{ params: named('1') }]);
    for (const other of ['2', 1, undefined]) {
      const [message] = await told(log(other));
      expect(message?.['params']).toEqual({ level: 'info', data: 'x', _meta: { beside: 1 } });
    }
  });

  test('in an answer is one of the caller’s own, and in that of a task its own', async () => {
    const { wire } = await rig(() => ({ content: [], ...named('2') }));
    const { result } = await wire.askFor(1, 'tasks/result', { taskId: '1' });
    expect(result).toEqual({ content: [], _meta: { [RELATED]: { taskId: '1' }, beside: 1 } });
  });

  test('in a request of the client reaches no server', async () => {
    const { wire, received } = await rig();
    await wire.ask(1, 'tasks/get', { taskId: '1', more: 1, ...named('1') });
    await wire.ask(2, 'tools/call', { name: 'open', ...named('1') });
    expect(received.slice(1).map(({ params }) => params)).toEqual([
      { taskId: '1', _meta: { beside: 1 } },
      { name: 'open', _meta: { beside: 1 } },
    ]);
  });
});

test('a list keeps the order and the cursor, and tells no more than its own', async () => {
  const tasks = [{ ...STATE, taskId: '2' }, STATE, { ...STATE, taskId: '3' }, 1];
  const { wire, received } = await rig(() => ({
    tasks,
    nextCursor: 'c',
    more: 1,
    _meta: { x: 1 },
  }));
  const { result } = await wire.askFor(1, 'tasks/list', { cursor: 'b', more: 1 });
  expect(result).toEqual({ tasks: [STATE], nextCursor: 'c' });
  expect(received.at(-1)?.params).toEqual({ cursor: 'b' });
});

test.each([[{}], [{ tasks: 1 }], [[]]])('a list that is none is withheld: %j', async (said) => {
  const { wire } = await rig(() => said);
  const { error } = await wire.askFor(1, 'tasks/list');
  expect(error.data.reason_code).toBe('RESULT_WITHHELD');
});

describe('tasks of a client', () => {
  test.each(['tasks/get', 'tasks/result', 'tasks/list', 'tasks/cancel'])(
    '%s of a server does not reach it',
    async (method) => {
      const { told, received } = await rig();
      expect(await told({ id: 7, method, params: { taskId: '1' } })).toEqual([]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(received.at(-1)).toMatchObject({ id: 7, error: { code: -32601 } });
    },
  );

  test('are told of to nobody', async () => {
    const { wire, received } = await rig();
    wire.give({ jsonrpc: '2.0', ...notice(STATE) });
    await wire.ask(1, 'tasks/get', { taskId: '1' });
    expect(received.map(({ method }) => method)).toEqual(['tools/call', 'tasks/get']);
  });
});

describe('an answer about a masked task', () => {
  const beside = { statusMessage: '123', _meta: { note: '123' }, more: '123' };

  test('that was not masked when it was made tells no more where it is ended', async () => {
    const { wire } = await rig(() => ({ ...STATE, ...beside }));
    expect((await wire.askFor(1, 'tasks/cancel', { taskId: '1' })).result).toEqual(STATE);
  });

  test('has no progress of its own', async () => {
    const said: Promise<void>[] = [];
    const { wire, parts, say } = await rig(({ params }) => {
      const { progressToken } = params['_meta'] as { progressToken: unknown };
      said.push(say({ method: 'notifications/progress', params: { progressToken, message: '1' } }));
      return { content: [] };
    });
    for (const [id, decide, heard] of [
      ['open', () => allow(), 1],
      ['closed', () => MASKED, 0],
    ] as const) {
      Object.assign(parts.decisionPoint.script, { decide });
      const from = wire.sent.length;
      await wire.ask(id, 'tasks/result', { taskId: '1', _meta: { progressToken: id } });
      await Promise.all(said);
      expect(wire.messages.slice(from).filter(({ method }) => method)).toHaveLength(heard);
    }
  });

  test('tells what says nothing of the call', async () => {
    const { wire } = await rig(
      () => ({ ...STATE, ...beside }),
      () => MASKED,
    );
    expect((await wire.askFor(1, 'tasks/get', { taskId: '1' })).result).toEqual(STATE);
    expect((await wire.askFor(2, 'tasks/cancel', { taskId: '1' })).result).toEqual(STATE);
  });

  test.each([
    ['status', '123'],
    ['createdAt', '123'],
    ['lastUpdatedAt', 123],
    ['ttl', '123'],
    ['pollInterval', { ssn: '123' }],
  ])('is withheld where its %s is not what it is to be', async (member, value) => {
    const { wire } = await rig(
      () => ({ ...STATE, [member]: value }),
      () => MASKED,
    );
    const { error } = await wire.askFor(1, 'tasks/get', { taskId: '1' });
    expect(error.data.reason_code).toBe('RESULT_WITHHELD');
  });

  test('has no words of an error', async () => {
    const failing = () => ({ error: { code: 7, message: '123', data: { a: 1, ssn: '123' } } });
    const { wire, parts } = await rig(failing, () => MASKED);
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const { error } = await wire.askFor(method, method, { taskId: '1' });
      expect(error).toEqual({ code: -32603, message: '[withheld by policy]', data: { a: 1 } });
    }
    expect(parts.decisionPoint.reports.slice(1, 2)).toMatchObject([{ status: 'failed' }]);
  });

  test.each([
    ['a question', { resultType: 'input_required', inputRequests: {} }],
    ['another task', { task: STATE }],
    ['no object', []],
    ['an address to open', { error: { code: -32042, message: 'open', data: {} } }],
  ])('is withheld where it is %s', async (_what, said) => {
    for (const decide of [() => allow(), () => MASKED]) {
      const { wire } = await rig(() => said, decide);
      for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
        const { error } = await wire.askFor(method, method, { taskId: '1' });
        expect(error.data.reason_code).toBe('RESULT_WITHHELD');
      }
    }
  });
});
