/** Tasks of 2025-11-25 through the guard: how they are made, decided on and told. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { EvaluationRequest, Obligation } from '../../src/contract/types.gen.ts';
import { EXTENSION, type Refusal } from '../../src/pep/answers.ts';
import { TASKS } from '../../src/pep/methods.ts';
import { ENVELOPE } from './support/http.ts';
import { rawRig } from './support/raw.ts';
import { HELLO, unguarded } from './support/rig.ts';
import { allow, deny, hide, type Script } from './support/scripted.ts';
import {
  buildTasks,
  cleanDesks,
  newDesk,
  REPORT,
  requestsOf,
  tasksRig,
} from './support/tasks_1.ts';
import type { Told } from './support/wire.ts';

afterEach(cleanDesks);

const RELATED = 'io.modelcontextprotocol/related-task';
const MASK: Obligation = {
  type: 'mask_fields',
  paths: ['/ssn'],
  mode: 'remove',
  unstructured: 'redact',
};
const MASKED = { account: 'a-1' };

const asked = (requests: readonly EvaluationRequest[]) =>
  requests.map(({ action, resource, context }) => [
    action.name,
    action.properties?.['verb'],
    `${resource.type}:${resource.id}`,
    context?.['arguments'],
  ]);

const reasonOf = ({ error }: Told) => (error.data as Refusal).reason_code;

/** Texts that hold the secret; an id or a time is chance, and may hold any digits. */
function leaking(texts: readonly string[]): string[] {
  const chance = /[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]+Z/g;
  return texts.filter((text) => text.replaceAll(chance, '').includes('123'));
}

describe('a task', () => {
  test('is decided on as the call that makes it, and then as each operation on that', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    Object.assign(parts.decisionPoint.script, {
      describe: () => ({
        ready: true,
        arguments_projection: {
          digest: `sha256:${'0'.repeat(64)}`,
          pointers: { 'tool:payments/report': ['/amount'] },
        },
      }),
    });
    await wire.ask('again', 'initialize', HELLO);
    const taskId = await made({ arguments: { amount: 7, message: 'busy' } });
    expect((await wire.askFor(1, 'tasks/get', { taskId })).result).toMatchObject({
      taskId,
      status: 'working',
      statusMessage: 'busy',
    });
    expect((await wire.askFor(2, 'tasks/list')).result.tasks).toMatchObject([{ taskId }]);
    await desk.working[0]!.complete();
    const { result } = await wire.askFor(3, 'tasks/result', { taskId });
    expect(result.structuredContent).toEqual(REPORT);
    expect(result._meta).toEqual({ [RELATED]: { taskId } });
    const other = await made();
    expect((await wire.askFor(4, 'tasks/cancel', { taskId: other })).result.status).toBe(
      'cancelled',
    );
    const { decisions, discoveries, reports } = parts.decisionPoint;
    expect(asked(decisions)).toEqual([
      ['tools/call', 'execute', 'tool:report', { amount: 7 }],
      ['tasks/get', 'read', 'tool:report', { amount: 7 }],
      // Before the server tells that it ended.
      ['tasks/get', 'read', 'tool:report', { amount: 7 }],
      // Before the server is asked how it ended, and before that is told.
      ['tasks/result', 'read', 'tool:report', { amount: 7 }],
      ['tasks/result', 'read', 'tool:report', { amount: 7 }],
      ['tools/call', 'execute', 'tool:report', {}],
    ]);
    const [call, ...operations] = decisions.map(({ resource, context }) => [
      resource.properties?.definition_digest,
      context?.['arguments_digest'],
    ]);
    expect(operations.slice(0, 4)).toEqual(Array(4).fill(call));
    expect(discoveries.map(({ action, evaluations }) => [action, evaluations])).toMatchObject([
      [{ name: 'tasks/list', properties: { verb: 'list' } }, [{ resource: { id: 'report' } }]],
      [{ name: 'tasks/cancel', properties: { verb: 'cancel' } }, [{ resource: { id: 'report' } }]],
    ]);
    expect(reports.map(({ status }) => status)).toEqual(Array(5).fill('executed'));
  });

  test('that is refused reaches nothing', async () => {
    const { wire, desk, make } = await tasksRig({
      decide: ({ resource: { id } }) => (id === 'secret' ? hide() : deny()),
    });
    expect((await make(1)).result._meta[EXTENSION].reason_code).toBe('CAPABILITY_NOT_ALLOWED');
    const hidden = await wire.ask(2, 'tools/call', { name: 'secret', task: {} });
    const unknown = await wire.ask(2, 'tools/call', { name: 'nobody', task: {} });
    expect(hidden.replaceAll('secret', 'NAME')).toBe(unknown.replaceAll('nobody', 'NAME'));
    expect(desk.working).toEqual([]);
  });

  test.each([
    ['no object', 'now', '/params/task'],
    ['a list', [], '/params/task'],
    ['a text for a time', { ttl: '1' }, '/params/task/ttl'],
    ['a time before now', { ttl: -1 }, '/params/task/ttl'],
  ])('that is asked for with %s is invalid, whatever is called', async (_how, task, pointer) => {
    const { wire, parts, desk } = await tasksRig();
    for (const name of ['report', 'balance', 'nobody']) {
      const { error } = await wire.askFor(name, 'tools/call', { name, task });
      expect([error.code, error.data]).toEqual([-32602, { pointer }]);
    }
    expect([desk.working, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('is asked of the server with its time alone, and of no tool that makes none', async () => {
    const { wire, desk, made } = await tasksRig();
    await made({ task: { ttl: 9000, pollInterval: 1, more: true } });
    await made({ task: {} });
    const given = requestsOf(desk).map(({ params }) => params['task']);
    expect(given).toEqual([{ ttl: 9000 }, {}]);
    // A server of 1.x executes the tool, and then says that it made no task.
    const { result } = await wire.askFor(3, 'tools/call', { name: 'balance', task: { ttl: 1 } });
    expect(result.content[0].text).toBe('12');
  });
});

describe('what is offered', () => {
  const both = { tasks: { list: {} }, extensions: { [TASKS]: {} } };
  const offered = async (method: string, params: object) => {
    const { wire } = await rawRig([], () => ({ capabilities: both }));
    const { capabilities } = (await wire.askFor(1, method, params)).result;
    return [capabilities.tasks, capabilities.extensions[TASKS]];
  };

  test('are tasks where the server has them', async () => {
    const { wire } = await tasksRig();
    const { result } = await wire.askFor('again', 'initialize', HELLO);
    expect(result.capabilities.tasks).toEqual({
      list: {},
      cancel: {},
      requests: { tools: { call: {} } },
    });
  });

  test('is of the generation of the client', async () => {
    expect(await offered('initialize', HELLO)).toEqual([{ list: {} }, undefined]);
    expect(await offered('server/discover', { _meta: ENVELOPE })).toEqual([undefined, {}]);
  });
});

describe('a mask of the call', () => {
  const masking: Script = { decide: () => allow({ obligations: [MASK] }) };

  test('holds for all that is told of the task', async () => {
    const { wire, parts, desk, made } = await tasksRig({ ...masking });
    const make = await wire.askFor('first', 'tools/call', {
      name: 'report',
      arguments: { message: 'the ssn is 123' },
      task: {},
    });
    const { taskId } = make.result.task;
    expect(Object.keys(make.result)).toEqual(['task']);
    await desk.working[0]!.say('working', 'the ssn is 123');
    const state = await wire.askFor(1, 'tasks/get', { taskId });
    expect(state.result).toEqual({ ...make.result.task, lastUpdatedAt: expect.anything() });
    await wire.ask(2, 'tasks/list');
    await desk.working[0]!.complete();
    const { result } = await wire.askFor(3, 'tasks/result', { taskId });
    expect(result).toEqual({
      content: [{ type: 'text', text: JSON.stringify(MASKED) }],
      structuredContent: MASKED,
      _meta: { [RELATED]: { taskId } },
    });
    await wire.ask(4, 'tasks/cancel', { taskId: await made({ arguments: { message: '123' } }) });
    expect(leaking(wire.sent)).toEqual([]);
    expect(wire.messages.filter(({ method }) => method !== undefined)).toEqual([]);
    expect(parts.decisionPoint.reports.find(({ masked }) => masked)?.masked).toEqual(['/ssn']);
  });

  test('that began after the task was made holds for its result', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    const taskId = await made({ arguments: { message: 'the ssn is 123' } });
    Object.assign(parts.decisionPoint.script, masking);
    const from = wire.sent.length;
    await wire.ask(1, 'tasks/get', { taskId });
    await wire.ask(2, 'tasks/list');
    await desk.working[0]!.complete();
    const { result } = await wire.askFor(3, 'tasks/result', { taskId });
    expect(result.structuredContent).toEqual(MASKED);
    expect(leaking(wire.sent.slice(from))).toEqual([]);
  });

  test('that began while the result was waited for holds for it', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    const taskId = await made();
    const reached = Promise.withResolvers<void>();
    parts.decisionPoint.script.decide = () => {
      reached.resolve();
      return allow();
    };
    const waiting = wire.askFor(1, 'tasks/result', { taskId });
    await reached.promise;
    Object.assign(parts.decisionPoint.script, masking);
    await desk.working[0]!.complete();
    expect((await waiting).result.structuredContent).toEqual(MASKED);
  });

  test('that ended after the task was made holds for its result', async () => {
    const { wire, parts, desk, made } = await tasksRig({ ...masking });
    const taskId = await made();
    Object.assign(parts.decisionPoint.script, { decide: () => allow() });
    await desk.working[0]!.complete();
    const { result } = await wire.askFor(1, 'tasks/result', { taskId });
    expect(result.structuredContent).toEqual(MASKED);
  });
});

describe('policy that changed since the task was made', () => {
  test('hides it as it hides the tool', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    const taskId = await made();
    Object.assign(parts.decisionPoint.script, { decide: () => hide(), visible: () => false });
    const from = wire.sent.length;
    await desk.working[0]!.say('working', 'still');
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel']) {
      const told = await wire.ask(method, method, { taskId });
      const unknown = await wire.ask(method, method, { taskId: 'nothing' });
      expect(told.replaceAll(taskId, 'nothing')).toBe(unknown);
    }
    expect((await wire.askFor(4, 'tasks/list')).result.tasks).toEqual([]);
    expect(wire.messages.slice(from).filter(({ method }) => method !== undefined)).toEqual([]);
    expect((await desk.store.getTask(taskId))?.status).toBe('working');
  });

  test('refuses to tell of it, and lets its owner end it while the tool is seen', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    const taskId = await made();
    Object.assign(parts.decisionPoint.script, { decide: () => deny() });
    for (const method of ['tasks/get', 'tasks/result']) {
      expect(reasonOf(await wire.askFor(method, method, { taskId }))).toBe(
        'CAPABILITY_NOT_ALLOWED',
      );
    }
    expect((await wire.askFor(3, 'tasks/cancel', { taskId })).result.status).toBe('cancelled');
    expect((await desk.store.getTask(taskId))?.status).toBe('cancelled');
  });

  test('while its result is waited for is asked again before it is told', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    const taskId = await made();
    const reached = Promise.withResolvers<void>();
    parts.decisionPoint.script.decide = () => {
      reached.resolve();
      return allow();
    };
    const waiting = wire.ask(1, 'tasks/result', { taskId });
    await reached.promise;
    Object.assign(parts.decisionPoint.script, { decide: () => hide() });
    await desk.working[0]!.complete();
    const unknown = await unguarded(buildTasks(newDesk()));
    const said = await unknown.ask(1, 'tasks/result', { taskId });
    expect(JSON.parse(await waiting)).toEqual(JSON.parse(said));
  });

  test('and cannot be asked refuses everything, ending it too', async () => {
    const { wire, parts, desk, made } = await tasksRig();
    const taskId = await made();
    const fail = () => Promise.reject(new Error('down'));
    Object.assign(parts.decisionPoint.script, { decide: fail, discover: fail });
    for (const method of ['tasks/get', 'tasks/result', 'tasks/cancel', 'tasks/list']) {
      expect(reasonOf(await wire.askFor(method, method, { taskId }))).toBe('POLICY_UNAVAILABLE');
    }
    expect((await desk.store.getTask(taskId))?.status).toBe('working');
  });
});
