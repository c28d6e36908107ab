/**
 * A call is made as a task, and its result is had by another method, which guards of calls do not
 * see.
 */
import { describe } from '@jest/globals';
import {
  InMemoryTaskMessageQueue,
  InMemoryTaskStore,
} from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js';
import { ListTasksRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { HighServer } from '../pep/support/servers.ts';
import { callOf, CANARY, requestOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { WITH_CUSTOMER } from './support/policy.ts';
import { guardedHttp, guardedStdio, naiveStdio, type Said } from './support/targets.ts';

const result = { content: [], structuredContent: { id: 'c-1', ssn: CANARY } };

/** Tools that answer at once, or as a task where somebody asks for one. */
const more = (server: HighServer, bank: Bank): void => {
  const { tasks } = (server as Said).experimental;
  for (const name of ['customer', 'vault']) {
    tasks.registerToolTask(
      name,
      { execution: { taskSupport: 'optional' } },
      {
        createTask: async ({ taskStore }: Said) => {
          bank.did(name, name === 'customer');
          const task = await taskStore.createTask({});
          await taskStore.storeTaskResult(task.taskId, 'completed', result);
          return { task };
        },
        getTask: ({ taskId, taskStore }: Said) => taskStore.getTask(taskId),
        getTaskResult: ({ taskId, taskStore }: Said) => taskStore.getTaskResult(taskId),
      },
    );
  }
};
const options = () => ({
  capabilities: { tools: {}, logging: {}, tasks: { list: {}, requests: { tools: { call: {} } } } },
  taskStore: new InMemoryTaskStore(),
  taskMessageQueue: new InMemoryTaskMessageQueue(),
});

const asTask = (name: string): string => {
  const call = callOf(name) as Said;
  return JSON.stringify({ ...call, params: { ...call.params, task: {} } });
};

/** It masks what calls answer, and refuses the call of what is hidden where it is no task. */
function ofCalls() {
  const calls = new Set<unknown>();
  return {
    in: (message: Said): unknown => {
      if (message.method === 'tools/call') calls.add(message.id);
      const hidden = ['vault', 'secret'].includes(message.params?.name);
      return hidden && message.params.task === undefined ? undefined : message;
    },
    out: (message: Said): unknown =>
      calls.has(message.id) && message.result?.structuredContent
        ? { ...message, result: { content: [] } }
        : message,
  };
}

describe.each([
  ['whose result is masked', 'customer'],
  ['that is hidden', 'vault'],
])('the task of a tool %s', (_what, name) => {
  const attack: Attack = async ({ say, heard }) => {
    await say(asTask(name));
    const taskId = /"taskId":"([^"]+)"/.exec(heard())?.[1] ?? 'none';
    for (const method of ['tasks/get', 'tasks/result']) {
      await say(JSON.stringify(requestOf(method, { taskId }, method)));
    }
    await say(JSON.stringify(requestOf('tasks/list', {}, 'tasks/list')));
  };
  const victim = { data: WITH_CUSTOMER, more, as: 'bot' };
  bypass(attack, {
    held: {
      'stdio, 1.x': () => guardedStdio(1, { ...victim, options: options() })(),
      'HTTP with sessions, 1.x': () =>
        guardedHttp(1, { ...victim, options: options(), sessions: true })(),
    },
    breached: {
      'a guard of calls': () =>
        naiveStdio(1, { ...victim, options: options(), looks: ofCalls() })(),
    },
  });
});

/** The tasks of all, beside those of the caller. */
const hinting = (server: HighServer, bank: Bank): void => {
  more(server, bank);
  const low = server.server as { setRequestHandler(of: unknown, handler: () => object): void };
  low.setRequestHandler(ListTasksRequestSchema, () => ({ tasks: [], _meta: { others: CANARY } }));
};

describe('a list of tasks that says more than its items', () => {
  const attack: Attack = ({ say }) => say(JSON.stringify(requestOf('tasks/list')));
  const victim = { more: hinting, options: options() };
  bypass(attack, {
    held: { 'stdio, 1.x': guardedStdio(1, victim) },
    breached: { 'a guard of calls': naiveStdio(1, { ...victim, looks: ofCalls() }) },
  });
});
