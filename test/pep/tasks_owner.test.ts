/** A task of one principal does not exist for another: stateless HTTP, one store, one guard. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeAll, messageOf, post, started } from './support/http.ts';
import { unguarded } from './support/rig.ts';
import { buildTasks, cleanDesks, newDesk } from './support/tasks_1.ts';
import type { Told } from './support/wire.ts';

afterEach(closeAll);
afterEach(cleanDesks);

const OPERATIONS = ['tasks/get', 'tasks/result', 'tasks/cancel'];

async function rig(settings = {}) {
  const desk = newDesk();
  const { url, parts } = await started(() => buildTasks(desk), {}, { settings });
  const send = (who: string, method: string, params: object = {}) =>
    post(
      url,
      { jsonrpc: '2.0', id: 1, method, params },
      { authorization: who && `Bearer user:${who}` },
    );
  const ask = async (who: string, method: string, params: object = {}) =>
    (await messageOf(await send(who, method, params))) as Told;
  const make = async (who: string, task: object = {}): Promise<string> => {
    const { result } = await ask(who, 'tools/call', { name: 'report', task });
    return result.task.taskId;
  };
  /** All that a stranger sees: status, headers and bytes, with the id taken out. */
  const seen = async (who: string, method: string, taskId: string) => {
    const response = await send(who, method, { taskId });
    const headers = Object.fromEntries(response.headers);
    delete headers['date'];
    const text = (await response.text()).replaceAll(taskId, 'ID');
    return [response.status, headers, text] as const;
  };
  return { parts, desk, ask, make, seen };
}

describe('a task of another principal', () => {
  test.each(OPERATIONS)('%s tells what it tells of one that never was', async (method) => {
    const { parts, desk, make, seen } = await rig();
    const id = await make('alice');
    await desk.working[0]!.complete().catch(() => undefined);
    parts.decisionPoint.decisions.length = 0;
    const unknown = await seen('bob', method, 'f'.repeat(32));
    expect(await seen('bob', method, id)).toEqual(unknown);
    expect(await seen('', method, id)).toEqual(unknown);
    expect(await seen('alice', method, 'f'.repeat(32))).toEqual(unknown);
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test.each(OPERATIONS)('%s is what the server itself says of an unknown one', async (method) => {
    const { seen, make } = await rig();
    await make('alice');
    const wire = await unguarded(buildTasks(newDesk()));
    const [, , guarded] = await seen('bob', method, 'none');
    const own = await wire.ask(1, method, { taskId: 'none' });
    expect(guarded).toContain(own.replaceAll('none', 'ID'));
  });

  test('is not ended, and not in the list', async () => {
    const { desk, ask, make } = await rig();
    const ids = [await make('alice'), await make('bob'), await make('alice')];
    await ask('bob', 'tasks/cancel', { taskId: ids[0] });
    expect((await desk.store.getTask(ids[0]!))?.status).toBe('working');
    const list = async (who: string) =>
      (await ask(who, 'tasks/list')).result.tasks.map(({ taskId }: { taskId: string }) => taskId);
    expect(await list('alice')).toEqual([ids[0], ids[2]]);
    expect(await list('bob')).toEqual([ids[1]]);
    expect(await list('')).toEqual([]);
    expect((await ask('alice', 'tasks/cancel', { taskId: ids[0] })).result.status).toBe(
      'cancelled',
    );
  });

  test('is not in the way of one of ours', async () => {
    const { ask, make } = await rig({ tasks_per_principal_max: 1 });
    await make('alice');
    const refused = await ask('alice', 'tools/call', { name: 'report', task: {} });
    expect(refused.result.isError).toBe(true);
    expect(await make('bob')).toMatch(/^[0-9a-f]{32}$/);
  });
});
