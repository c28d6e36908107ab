/** The limits of what a guard remembers of tasks. */
import { Tasks, type Origin, type TaskLimits } from '../../../src/pep/tasks.ts';
import { around, TAKEN, type Probe } from './probe.ts';

const LIMITS: TaskLimits = {
  tasks_max: 100,
  tasks_per_principal_max: 100,
  task_ttl_ms_max: 60_000,
};

/** The last of so many tasks at once, each of the principal that is named for it. */
function lastOf(amount: number, limits: Partial<TaskLimits>, principal: (i: number) => string) {
  const tasks = new Tasks({ ...LIMITS, ...limits }, { now_ms: () => 0 });
  let place;
  for (let i = 0; i < amount; i += 1) place = tasks.reserve(principal(i));
  return place ? TAKEN : 'refused';
}

export function all(): Promise<Probe> {
  return around(3, (amount, tasks_max) => lastOf(amount, { tasks_max }, (i) => `user:${i}`));
}

export function ofOne(): Promise<Probe> {
  return around(3, (amount, tasks_per_principal_max) =>
    lastOf(amount, { tasks_per_principal_max }, () => 'user:alice'),
  );
}

/** A task that its server keeps for longer, so much later. */
export function ttl(): Promise<Probe> {
  return around(1000, (amount, task_ttl_ms_max) => {
    let now_ms = 0;
    const tasks = new Tasks({ ...LIMITS, task_ttl_ms_max }, { now_ms: () => now_ms });
    tasks.reserve('user:alice')?.take('t-1', {} as Origin, 3_600_000);
    now_ms = amount;
    return tasks.find('t-1', 'user:alice') ? 'known' : 'forgotten';
  });
}
