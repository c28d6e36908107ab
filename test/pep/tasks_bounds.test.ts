/** What is kept of tasks: for how long, how many, and no more than what is true. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { EXTENSION, type Refusal } from '../../src/pep/answers.ts';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import { rawRig } from './support/raw.ts';
import { HELLO } from './support/rig.ts';
import { plainTool } from './support/servers.ts';
import { buildTasks, cleanDesks, tasksRig } from './support/tasks_1.ts';
import { TestWire, type Told } from './support/wire.ts';

afterEach(cleanDesks);

const reasonOf = ({ result }: Told) => (result._meta?.[EXTENSION] as Refusal)?.reason_code;
const isTask = ({ result }: Told) => result.task !== undefined;

/** With a clock that the test sets. */
async function timed(settings = {}) {
  const rig = await tasksRig({}, { settings });
  const clock = { now_ms: 0 };
  Object.assign(rig.parts.clock, { now_ms: () => clock.now_ms });
  return { ...rig, clock };
}

describe('a task is forgotten', () => {
  test.each([
    ['after the time that it was asked for', { ttl: 1000 }, 1000],
    ['after the longest time, where it was asked for longer', { ttl: 9_000_000 }, 3_600_000],
    ['after the longest time, where none was asked for', {}, 3_600_000],
  ])('%s', async (_when, task, after_ms) => {
    const { wire, clock, make } = await timed();
    const { result } = await make(1, { task });
    const { taskId, ttl } = result.task;
    expect(ttl).toBe(after_ms);
    clock.now_ms = after_ms - 1;
    expect((await wire.askFor(2, 'tasks/get', { taskId })).result.taskId).toBe(taskId);
    clock.now_ms = after_ms;
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const told = await wire.ask(3, method, { taskId });
      const unknown = await wire.ask(3, method, { taskId: 'none' });
      expect(told.replaceAll(taskId, 'none')).toBe(unknown);
    }
    expect((await wire.askFor(4, 'tasks/list')).result.tasks).toEqual([]);
  });

  test('when the guard is started anew', async () => {
    const { parts, desk, made } = await tasksRig();
    const taskId = await made();
    const wire = new TestWire();
    await createGuard(parts)(buildTasks(desk)).connect(wire);
    await wire.ask('hello', 'initialize', HELLO);
    expect(await desk.store.getTask(taskId)).not.toBeNull();
    const told = await wire.ask(1, 'tasks/get', { taskId });
    expect(told).toBe(await wire.ask(1, 'tasks/get', { taskId: 'none' }));
    expect((await wire.askFor(2, 'tasks/list')).result.tasks).toEqual([]);
  });

  test('and then makes room for another', async () => {
    const { clock, desk, make } = await timed({ tasks_max: 1 });
    expect(isTask(await make(1, { task: { ttl: 1000 } }))).toBe(true);
    clock.now_ms = 999;
    expect(reasonOf(await make(2))).toBe('TOO_MANY_TASKS');
    clock.now_ms = 1000;
    expect(isTask(await make(3))).toBe(true);
    expect(desk.working).toHaveLength(2);
  });
});

describe('too many tasks', () => {
  test.each([{ tasks_max: 3 }, { tasks_per_principal_max: 3 }])(
    'at once: %j are made, and no other call reaches the server',
    async (settings) => {
      const { parts, desk, make } = await tasksRig({}, { settings });
      const told = await Promise.all(Array.from({ length: 8 }, (_, id) => make(id)));
      expect(told.filter(isTask)).toHaveLength(3);
      expect(told.filter((each) => reasonOf(each) === 'TOO_MANY_TASKS')).toHaveLength(5);
      expect(desk.working).toHaveLength(3);
      const refused = parts.decisionPoint.reports.filter(({ status }) => status === 'refused');
      expect(refused.map(({ reason_code }) => reason_code)).toEqual(
        Array(5).fill('TOO_MANY_TASKS'),
      );
    },
  );

  test('leave other calls alone, and a refused one says when to come again', async () => {
    const { wire, make } = await tasksRig({}, { settings: { tasks_max: 1 } });
    await make(1);
    const { result } = await make(2);
    expect(result._meta[EXTENSION]).toMatchObject({
      reason_code: 'TOO_MANY_TASKS',
      retry: 'after_seconds',
    });
    expect((await wire.call(3, 'balance')).result.isError).toBeUndefined();
  });

  test.each(['fetched', 'cancelled'])(
    'one that was %s makes room, the oldest first',
    async (how) => {
      const { wire, desk, make, made } = await tasksRig({}, { settings: { tasks_max: 2 } });
      const ids = [await made(), await made()];
      for (const [index, taskId] of ids.entries()) {
        if (how === 'fetched') await desk.working[index]!.complete();
        await wire.ask(taskId, how === 'fetched' ? 'tasks/result' : 'tasks/cancel', { taskId });
      }
      expect(isTask(await make(3))).toBe(true);
      expect((await wire.askFor(4, 'tasks/get', { taskId: ids[0] })).error.code).toBe(-32602);
      expect((await wire.askFor(5, 'tasks/get', { taskId: ids[1] })).result.taskId).toBe(ids[1]);
    },
  );

  test('a call that makes none, or is cancelled, gives its room back', async () => {
    const tools = [plainTool('slow', { execution: { taskSupport: 'optional' } })];
    const reached = Promise.withResolvers<void>();
    const { wire } = await rawRig(
      tools,
      ({ params }) => {
        if (params['arguments'] === undefined) return { content: [] };
        reached.resolve();
        return undefined;
      },
      {},
      { tasks_max: 1 },
    );
    const quick = (id: number) => wire.askFor(id, 'tools/call', { name: 'slow', task: {} });
    expect([await quick(1), await quick(2)].map(({ result }) => result.content)).toEqual([[], []]);
    const params = { name: 'slow', arguments: {}, task: {} };
    wire.give({ jsonrpc: '2.0', id: 3, method: 'tools/call', params });
    await reached.promise;
    expect(reasonOf(await quick(4))).toBe('TOO_MANY_TASKS');
    wire.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } });
    expect((await quick(5)).result.content).toEqual([]);
  });
});

describe('an id', () => {
  const task = { taskId: '1', status: 'working', ttl: null, createdAt: 'x', lastUpdatedAt: 'x' };
  const tools = ['open', 'closed'].map((name) =>
    plainTool(name, { execution: { taskSupport: 'required' } }),
  );

  test('that a server gives to two tasks names none of them', async () => {
    const { wire, received, parts } = await rawRig(tools, () => ({ task }));
    expect(isTask(await wire.askFor(1, 'tools/call', { name: 'open', task: {} }))).toBe(true);
    expect((await wire.askFor(2, 'tasks/get', { taskId: '1' })).error?.code).not.toBe(-32602);
    const again = await wire.askFor(3, 'tools/call', { name: 'closed', task: {} });
    expect(reasonOf(again)).toBe('RESULT_WITHHELD');
    expect((await wire.askFor(4, 'tasks/get', { taskId: '1' })).error.code).toBe(-32602);
    expect((await wire.askFor(5, 'tasks/cancel', { taskId: '1' })).error.code).toBe(-32602);
    expect(received.map(({ method }) => method)).toEqual(['tools/call', 'tasks/get', 'tools/call']);
    expect(parts.log.of('error')).toContain('the server gave the id of a task to another one');
  });

  test.each([
    ['no text', { ...task, taskId: 1 }],
    ['empty', { ...task, taskId: '' }],
    ['too long', { ...task, taskId: 'x'.repeat(1025) }],
    ['missing', { status: 'working' }],
    ['of no task', 'task'],
  ])('that is %s makes no task', async (_how, said) => {
    const { wire } = await rawRig(tools, () => ({ task: said }));
    const told = await wire.askFor(1, 'tools/call', { name: 'open', task: {} });
    expect(reasonOf(told)).toBe('RESULT_WITHHELD');
  });

  test('of another task in an answer withholds it', async () => {
    const { wire } = await rawRig(tools, ({ method }) =>
      method === 'tools/call' ? { task } : { ...task, taskId: '2' },
    );
    await wire.ask(1, 'tools/call', { name: 'open', task: {} });
    for (const method of ['tasks/get', 'tasks/cancel']) {
      const { error } = await wire.askFor(method, method, { taskId: '1' });
      expect(error.data.reason_code).toBe('RESULT_WITHHELD');
    }
  });
});
