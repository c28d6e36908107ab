/** Tasks that need something of the client before they end. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeAll, started } from './support/http.ts';
import { DECLARED, modernRig, type Caller } from './support/modern_tasks.ts';
import { allow, deny, type Script } from './support/scripted.ts';
import { buildTasks, cleanDesks, newDesk } from './support/tasks_1.ts';

afterEach(closeAll);
afterEach(cleanDesks);

const ASKABLE: Caller = { offers: { ...DECLARED, elicitation: { form: {} } } };
const RELATED = 'io.modelcontextprotocol/related-task';
const refusing = (id: string): Script => ({
  decide: ({ resource }) => (resource.id === id ? deny() : allow()),
});

/** A task of 2026-07-28 that asks under each of these names. */
async function asking(tool = 'multi_input', script: Script = {}) {
  const rig = await modernRig(script);
  const { result } = await rig.call(tool, {}, ASKABLE);
  const { taskId } = result as { taskId: string };
  const get = async (caller = ASKABLE) => rig.ask('tasks/get', { taskId }, caller);
  const update = (inputResponses: object, caller = ASKABLE) =>
    rig.ask('tasks/update', { taskId, inputResponses }, caller);
  /** The names that the server was given answers under, by each update. */
  const answered = () =>
    rig.desk.received.flatMap(({ responses }) => (responses ? [responses] : []));
  return { ...rig, taskId, get, update, answered };
}

const FORM = {
  method: 'elicitation/create',
  params: { message: 'Go on?', requestedSchema: { type: 'object' } },
};
const YES = { action: 'accept', content: { confirm: true } };

describe('what a task of 2026-07-28 asks', () => {
  test('is decided on each time that it is told, and answered by the names told', async () => {
    const { get, update, answered, parts, taskId } = await asking();
    expect(await update({ first: YES })).toMatchObject({ result: { resultType: 'complete' } });
    const { result } = await get();
    expect(result).toMatchObject({ taskId, status: 'input_required' });
    expect(Object.keys(result.inputRequests)).toEqual(['first', 'second']);
    const ids = parts.decisionPoint.decisions.map(({ resource }) => resource.id).slice(-3);
    expect(ids).toEqual(['multi_input', 'elicitation/create', 'elicitation/create']);
    await update({ first: YES, third: YES, second: 'no answer' });
    expect(Object.keys((await get()).result.inputRequests)).toEqual(['second']);
    await update({ second: YES });
    expect((await get()).result).toMatchObject({ status: 'completed' });
    expect(answered()).toEqual([[], ['first'], ['second']]);
  });

  test('is told anew', async () => {
    const { get, desk, taskId } = await asking('confirm_delete');
    const task = desk.tasks.get(taskId)!;
    const { confirm } = task['inputRequests'] as { confirm: { params: object } };
    Object.assign(confirm, { secret: 1, params: { ...confirm.params, secret: 1 } });
    expect(JSON.stringify(await get())).not.toContain('secret');
  });

  test.each([
    ['refused', 'confirm_delete', refusing('elicitation/create'), ASKABLE],
    ['not offered by the client', 'confirm_delete', {}, { offers: DECLARED }],
  ])('that is %s is not told, and cannot be answered', async (_why, tool, script, caller) => {
    const { get, update, answered } = await asking(tool, script);
    const { error } = await get(caller);
    expect(['CAPABILITY_NOT_ALLOWED', 'RESULT_WITHHELD']).toContain(error.data.reason_code);
    await update({ confirm: YES }, caller);
    expect(answered()).toEqual([[]]);
  });

  test.each([
    ['another method', { confirm: { method: 'tools/call', params: {} } }],
    ['no object', { confirm: 1 }],
    ['a list', []],
    ['too many', Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`q${i}`, FORM]))],
  ])('that is %s withholds the state', async (_what, inputRequests) => {
    const { get, desk, taskId } = await asking('confirm_delete');
    Object.assign(desk.tasks.get(taskId)!, { inputRequests });
    expect((await get()).error.data.reason_code).toBe('RESULT_WITHHELD');
  });

  test('of a call that is masked is not told', async () => {
    const decide = () =>
      allow({ obligations: [{ type: 'keep_fields', paths: ['/a'], unstructured: 'drop' }] });
    const { get, ask, taskId } = await asking('confirm_delete', { decide });
    expect((await get()).error.data.reason_code).toBe('RESULT_WITHHELD');
    const cancelled = await ask('tasks/cancel', { taskId }, ASKABLE);
    expect(cancelled.result).toEqual({ resultType: 'complete' });
  });

  test('answers are objects by their names', async () => {
    const { ask, taskId } = await asking();
    for (const inputResponses of [undefined, [], 'yes']) {
      const { error } = await ask('tasks/update', { taskId, inputResponses }, ASKABLE);
      expect(error.code).toBe(-32602);
    }
  });
});

describe('what a task of 2025-11-25 asks, by the client of the SDK', () => {
  const rig = async (script: Script = {}) => {
    const desk = newDesk();
    const { url, parts } = await started(() => buildTasks(desk), script, { sessions: true });
    const client = new Client(
      { name: 'alice', version: '1' },
      { capabilities: { elicitation: { form: {} } } },
    );
    const asked: unknown[] = [];
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      asked.push(params);
      return { action: 'accept', content: { confirm: true } };
    });
    const requestInit = { headers: { authorization: 'Bearer user:alice' } };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    const results: unknown[] = [];
    let taskId: string | undefined;
    const call = { name: 'ask', arguments: {} };
    const stream = client.experimental.tasks.callToolStream(call, undefined, { task: {} });
    for await (const message of stream) {
      if (message.type === 'taskCreated') taskId = message.task.taskId;
      if (message.type === 'result') results.push(message.result.content);
    }
    await client.close();
    return { asked, results, taskId, parts };
  };

  test('is decided on, names its task, and lets it end', async () => {
    const { asked, results, taskId, parts } = await rig();
    expect(asked).toMatchObject([{ message: 'Go on?', _meta: { [RELATED]: { taskId } } }]);
    expect(results).toEqual([[{ type: 'text', text: '{"confirm":true}' }]]);
    const ids = parts.decisionPoint.decisions.map(({ resource }) => resource.id);
    expect(ids).toContain('elicitation/create');
  });

  test('is not told where policy refuses it', async () => {
    const { asked, results } = await rig(refusing('elicitation/create'));
    expect(asked).toEqual([]);
    expect(results).toEqual([[{ type: 'text', text: expect.stringContaining('refused') }]]);
  });
});
