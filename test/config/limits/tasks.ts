/** The limits of the tasks that a guard remembers. */
import { EXTENSION } from '../../../src/pep/answers.ts';
import { cleanDesks, tasksRig } from '../../pep/support/tasks_1.ts';
import { around, TAKEN, type Probe } from './probe.ts';

export function atATime(): Promise<Probe> {
  return around(3, (amount, tasks_max) => lastOf(amount, { tasks_max }));
}

export function ofOnePrincipal(): Promise<Probe> {
  return around(3, (amount, most) => lastOf(amount, { tasks_per_principal_max: most }));
}

/** What becomes of the last of so many. */
async function lastOf(amount: number, settings: object): Promise<string> {
  const { make } = await tasksRig({}, { settings });
  for (let i = 1; i < amount; i += 1) await make(i);
  const { result } = await make(amount);
  cleanDesks();
  return result.task ? TAKEN : result._meta[EXTENSION].reason_code;
}

/** Whether a task is still known after so long. */
export function lifetime(): Promise<Probe> {
  return around(1000, async (amount, task_ttl_ms_max) => {
    const { wire, parts, made } = await tasksRig({}, { settings: { task_ttl_ms_max } });
    let now_ms = 0;
    Object.assign(parts.clock, { now_ms: () => now_ms });
    const taskId = await made();
    now_ms = amount;
    const { error } = await wire.askFor(1, 'tasks/get', { taskId });
    cleanDesks();
    return error ? 'forgotten' : 'known';
  });
}
