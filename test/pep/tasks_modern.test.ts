/** Tasks of 2026-07-28, the extension, through the guard. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import { TASKS } from '../../src/pep/methods.ts';
import { closeAll } from './support/http.ts';
import { modernRig } from './support/modern_tasks.ts';
import { allow, deny, hide } from './support/scripted.ts';
import { said } from './support/servers.ts';
import { REPORT, REPORTED } from './support/tasks_1.ts';

afterEach(closeAll);

const OPERATIONS = ['tasks/get', 'tasks/update', 'tasks/cancel'];
const INPUT = { inputResponses: {} };
const masking = () =>
  allow({
    obligations: [{ type: 'mask_fields', paths: ['/ssn'], mode: 'remove', unstructured: 'redact' }],
  });
const NOTHING = { offers: {} };

describe('the extension', () => {
  test('is offered where the server has it, and passed on where the client takes it', async () => {
    const { ask, call, desk } = await modernRig();
    const { result } = await ask('server/discover');
    expect(result.capabilities.extensions[TASKS]).toEqual({});
    expect((await call('report')).result.resultType).toBe('task');
    const other = { extensions: { [TASKS]: {}, 'com.example/other': {} }, sampling: {} };
    expect((await call('report', {}, { offers: other })).result.resultType).toBe('task');
    for (const offers of [{}, { extensions: {} }, { extensions: { 'com.example/other': {} } }]) {
      expect((await call('report', {}, { offers })).result.resultType).toBe('complete');
    }
    expect(desk.received.map(({ declared }) => declared)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  test('is needed for every operation, whether the task exists or not', async () => {
    const { send, made, desk } = await modernRig();
    const ids = [await made(), 'none'];
    desk.received.length = 0;
    for (const method of OPERATIONS) {
      const told = ids.map(async (taskId) => {
        const response = await send(method, { taskId, ...INPUT }, NOTHING);
        return [response.status, await response.text()];
      });
      const [existing, missing] = await Promise.all(told);
      expect(existing).toEqual(missing);
      expect(existing?.[0]).toBe(400);
      const { error } = JSON.parse(String(existing?.[1])) as { error: object };
      const data = { requiredCapabilities: { extensions: { [TASKS]: {} } } };
      expect(error).toMatchObject({ code: -32021, data });
    }
    expect(desk.received).toEqual([]);
  });

  test('has no methods of the older generation', async () => {
    const { send, made } = await modernRig();
    const taskId = await made();
    for (const method of ['tasks/result', 'tasks/list']) {
      expect((await send(method, { taskId })).status).toBe(404);
    }
  });
});

describe('a task', () => {
  test('is decided on as its call, then as each operation on that', async () => {
    const { ask, made, desk, parts } = await modernRig();
    const taskId = await made();
    const task = desk.tasks.get(taskId)!;
    expect((await ask('tasks/get', { taskId })).result).toMatchObject({ taskId, ttlMs: 60_000 });
    expect((await ask('tasks/update', { taskId, ...INPUT })).result.resultType).toBe('complete');
    desk.turn(task, { status: 'completed', result: REPORTED });
    const { result } = await ask('tasks/get', { taskId });
    expect(result).toMatchObject({ status: 'completed', result: REPORTED });
    expect((await ask('tasks/cancel', { taskId })).result.resultType).toBe('complete');
    const { decisions, discoveries } = parts.decisionPoint;
    expect(
      decisions.map(({ action, resource }) => [action.name, resource.type, resource.id]),
    ).toEqual(
      ['tools/call', 'tasks/get', 'tasks/update', 'tasks/get'].map((name) => [
        name,
        'tool',
        'report',
      ]),
    );
    expect(discoveries.map(({ action }) => action.name)).toEqual(['tasks/cancel']);
  });

  test.each(OPERATIONS)('%s of another’s tells what it tells of none', async (method) => {
    const { send, made, desk, parts } = await modernRig();
    const own = await made();
    desk.received.length = 0;
    parts.decisionPoint.decisions.length = 0;
    const seen = async (who: string, taskId: string) => {
      const response = await send(method, { taskId, ...INPUT }, { who });
      return [response.status, (await response.text()).replaceAll(taskId, 'ID')];
    };
    const unknown = await seen('bob', 'none');
    expect(unknown).toEqual([200, expect.stringContaining('"code":-32602')]);
    expect(await seen('bob', own)).toEqual(unknown);
    expect(await seen('', own)).toEqual(unknown);
    expect(await seen('alice', 'none')).toEqual(unknown);
    expect([desk.received, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('is hidden or refused by a policy that changed, and ended while seen', async () => {
    const { ask, made, desk, parts } = await modernRig();
    const taskId = await made();
    const { script } = parts.decisionPoint;
    Object.assign(script, { decide: () => hide(), visible: () => false });
    for (const method of OPERATIONS) {
      const told = JSON.stringify(await ask(method, { taskId, ...INPUT }));
      const unknown = JSON.stringify(await ask(method, { taskId: 'none', ...INPUT }));
      expect(told.replaceAll(taskId, 'none')).toBe(unknown);
    }
    Object.assign(script, { decide: () => deny(), visible: () => true });
    for (const method of ['tasks/get', 'tasks/update']) {
      const { error } = await ask(method, { taskId, ...INPUT });
      expect(error.data.reason_code).toBe('CAPABILITY_NOT_ALLOWED');
    }
    expect(desk.tasks.get(taskId)?.status).toBe('working');
    await ask('tasks/cancel', { taskId });
    expect(desk.tasks.get(taskId)?.status).toBe('cancelled');
  });

  test('is the one that the headers name, or nothing is done', async () => {
    const { send, made, desk } = await modernRig();
    const [taskId, other] = [await made(), await made()];
    for (const headers of [{ 'mcp-name': other }, { 'mcp-method': 'tasks/get' }]) {
      const response = await send('tasks/cancel', { taskId }, { headers });
      expect(response.status).toBe(400);
    }
    expect([...desk.tasks.values()].map(({ status }) => status)).toEqual(['working', 'working']);
  });
});

describe('a mask', () => {
  test('holds for how the task ends', async () => {
    const { ask, call, made, desk } = await modernRig({ decide: masking });
    const { result } = await call('report');
    expect(Object.keys(result).toSorted()).toEqual(
      [
        'resultType',
        'taskId',
        'status',
        'createdAt',
        'lastUpdatedAt',
        'ttlMs',
        'pollIntervalMs',
      ].toSorted(),
    );
    const task = desk.tasks.get(result.taskId)!;
    desk.turn(task, { status: 'completed', result: REPORTED, statusMessage: 'the ssn is 123' });
    const ended = (await ask('tasks/get', { taskId: task.taskId })).result;
    expect(ended.result.structuredContent).toEqual({ account: REPORT.account });
    expect(JSON.stringify(ended)).not.toContain('123');
    const failed = desk.tasks.get(await made())!;
    const error = { code: 7, message: 'the ssn is 123', data: { ssn: '123', account: 'a-1' } };
    desk.turn(failed, { status: 'failed', error });
    expect((await ask('tasks/get', { taskId: failed.taskId })).result.error).toEqual({
      code: -32603,
      message: '[withheld by policy]',
      data: { account: 'a-1' },
    });
  });

  test.each([
    ['a question', { resultType: 'input_required' }],
    ['a task', { task: {} }],
  ])('or none: an end that is %s is withheld', async (_what, result) => {
    for (const decide of [() => allow(), masking]) {
      const { ask, made, desk } = await modernRig({ decide });
      const taskId = await made();
      desk.turn(desk.tasks.get(taskId)!, { status: 'completed', result });
      const { error } = await ask('tasks/get', { taskId });
      expect(error.data.reason_code).toBe('RESULT_WITHHELD');
    }
  });
});

describe('without room for a task', () => {
  test('a call is made as one of a client that takes none', async () => {
    const { call, made, desk } = await modernRig({}, { tasks_max: 1 });
    await made();
    expect((await call('greet', { name: 'Ann' })).result.content).toEqual(
      said('Hello, Ann!').content,
    );
    expect((await call('report')).result.resultType).toBe('complete');
    expect(desk.received.map(({ declared }) => declared)).toEqual([true, false, false]);
  });

  test('a call that needs one is refused in words that help', async () => {
    const { call, made } = await modernRig({}, { tasks_max: 1 });
    await made();
    const { result } = await call('failing_job');
    expect(result._meta[EXTENSION].reason_code).toBe('TOO_MANY_TASKS');
    const { error } = await call('failing_job', {}, NOTHING);
    expect(error.code).toBe(-32021);
  });

  test('a task of which its owner was told the end makes some', async () => {
    const { ask, call, made, desk } = await modernRig({}, { tasks_max: 1 });
    const taskId = await made();
    desk.turn(desk.tasks.get(taskId)!, { status: 'completed', result: REPORTED });
    await ask('tasks/get', { taskId });
    expect((await call('report')).result.resultType).toBe('task');
  });
});

test('a longer or shorter time of the server’s is followed, up to the longest', async () => {
  const { ask, made, desk, parts } = await modernRig({}, { task_ttl_ms_max: 100_000 });
  let now_ms = 0;
  Object.assign(parts.clock, { now_ms: () => now_ms });
  const taskId = await made();
  const task = desk.tasks.get(taskId)!;
  task.ttlMs = 200_000;
  expect((await ask('tasks/get', { taskId })).result.ttlMs).toBe(100_000);
  now_ms = 99_999;
  task.ttlMs = null;
  expect((await ask('tasks/get', { taskId })).result.ttlMs).toBe(100_000);
  task.ttlMs = 1;
  expect((await ask('tasks/get', { taskId })).result.ttlMs).toBe(1);
  expect((await ask('tasks/get', { taskId })).error.code).toBe(-32602);
});
