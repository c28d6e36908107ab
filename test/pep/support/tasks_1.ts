/** A server of 1.x that has the tasks of 2025-11-25, as its SDK makes them. */
import {
  InMemoryTaskMessageQueue,
  InMemoryTaskStore,
} from '@modelcontextprotocol/sdk/experimental';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { ElicitResultSchema, type CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { guarded, type RigOptions } from './rig.ts';
import type { Script } from './scripted.ts';
import { said, type HighServer } from './servers.ts';

/** A task at work, which the test ends. */
export interface Working {
  id: string;
  args: unknown;
  /** Sends `notifications/tasks/status` where the connection still stands. */
  say(status: 'working' | 'input_required', message: string): Promise<void>;
  complete(result?: CallToolResult): Promise<void>;
  progress(): Promise<void>;
}

/** What outlives the connections of a server. */
export interface Desk {
  store: InMemoryTaskStore;
  working: Working[];
}

const desks: Desk[] = [];

export function newDesk(): Desk {
  const desk = { store: new InMemoryTaskStore(), working: [] };
  desks.push(desk);
  return desk;
}

/** The requests that made its tasks, as the server was given them. */
export function requestsOf({ store }: Desk): { params: Record<string, unknown> }[] {
  const { tasks } = store as unknown as { tasks: Map<string, { request: never }> };
  return [...tasks.values()].map(({ request }) => request);
}

/** Its store keeps a timer for each task. */
export function cleanDesks(): void {
  for (const { store } of desks.splice(0)) store.cleanup();
}

export const REPORT = { account: 'a-1', ssn: '123' };
export const REPORTED = {
  content: [{ type: 'text' as const, text: JSON.stringify(REPORT) }],
  structuredContent: REPORT,
};

const FORM = {
  method: 'elicitation/create' as const,
  params: {
    mode: 'form' as const,
    message: 'Go on?',
    requestedSchema: {
      type: 'object' as const,
      properties: { confirm: { type: 'boolean' as const } },
    },
  },
};

const TASKS = { list: {}, cancel: {}, requests: { tools: { call: {} } } };

/** Tools `report`, `secret` and `ask`, which only make tasks, and `balance`, which makes none. */
export function buildTasks({ store, working }: Desk): HighServer {
  const server = new McpServer(
    { name: 'payments', version: '1.0.0' },
    {
      capabilities: { tools: {}, logging: {}, tasks: TASKS },
      taskStore: store,
      taskMessageQueue: new InMemoryTaskMessageQueue(),
    },
  );
  for (const name of ['report', 'secret']) {
    const inputSchema = { amount: z.number().optional(), message: z.string().optional() };
    server.experimental.tasks.registerToolTask(
      name,
      { inputSchema, execution: { taskSupport: 'required' } },
      {
        async createTask(args, extra) {
          const { taskStore, taskRequestedTtl: ttl, _meta: meta } = extra;
          const task = await taskStore.createTask({ ...(ttl && { ttl }), pollInterval: 5 });
          const { taskId: id } = task;
          const token = meta?.progressToken ?? 0;
          const params = { progressToken: token, progress: 1 };
          working.push({
            id,
            args,
            say: (status, message) => taskStore.updateTaskStatus(id, status, message),
            complete: (result = REPORTED) => taskStore.storeTaskResult(id, 'completed', result),
            progress: () => extra.sendNotification({ method: 'notifications/progress', params }),
          });
          const told = args.message;
          if (told) await store.updateTaskStatus(id, 'working', told);
          return { task: { ...task, ...(told && { statusMessage: told }) } };
        },
        getTask: (_args, { taskStore, taskId }) => taskStore.getTask(taskId),
        getTaskResult: async (_args, { taskStore, taskId }) =>
          (await taskStore.getTaskResult(taskId)) as CallToolResult,
      },
    );
  }
  server.experimental.tasks.registerToolTask(
    'ask',
    { inputSchema: {}, execution: { taskSupport: 'required' } },
    {
      async createTask(_args, { taskStore, sendRequest }) {
        const task = await taskStore.createTask({ pollInterval: 5 });
        const { taskId } = task;
        const end = (text: string) =>
          taskStore.storeTaskResult(taskId, 'completed', { content: [{ type: 'text', text }] });
        sendRequest(FORM, ElicitResultSchema, { relatedTask: { taskId } } as never)
          .then(({ content }) => end(JSON.stringify(content)))
          .catch((error: unknown) => end(`refused: ${String(error)}`))
          .catch(() => undefined);
        return { task };
      },
      getTask: (_args, { taskStore, taskId }) => taskStore.getTask(taskId),
      getTaskResult: async (_args, { taskStore, taskId }) =>
        (await taskStore.getTaskResult(taskId)) as CallToolResult,
    },
  );
  server.registerTool('balance', { inputSchema: {} }, () => said('12'));
  return server as unknown as HighServer;
}

/** On a test wire, past the handshake. */
export async function tasksRig(script: Script = {}, options: RigOptions = {}) {
  const desk = newDesk();
  const rig = await guarded(script, { ...options, server: () => buildTasks(desk) });
  const make = (id: string | number, params: object = {}) =>
    rig.wire.askFor(id, 'tools/call', { name: 'report', task: {}, ...params });
  /** The id of a new task. */
  const made = async (params: object = {}): Promise<string> => {
    const { result } = await make(`make ${desk.working.length}`, params);
    return result.task.taskId;
  };
  return { ...rig, desk, make, made };
}
