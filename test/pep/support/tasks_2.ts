/**
 * A server of 2.x that has the tasks of 2026-07-28. Its SDK has none, so that the handlers are its
 * own; its tools are those that the official suite calls, and two that a test ends.
 */
import { randomUUID } from 'node:crypto';
import {
  CLIENT_CAPABILITIES_META_KEY,
  inputRequired,
  ProtocolError,
  Server,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { TASKS } from '../../../src/pep/methods.ts';
import { plainTool, said, type HighServer } from './servers.ts';

const INVALID_PARAMS = -32602;
const MISSING_CAPABILITY = -32021;

export interface Task2 {
  taskId: string;
  status: string;
  createdAt: string;
  lastUpdatedAt: string;
  ttlMs: number | null;
  pollIntervalMs: number;
  [member: string]: unknown;
}

interface Received {
  method: string;
  params: Record<string, unknown>;
  /** The client says that it takes tasks. */
  declared: boolean;
  /** The names under which an update answers. */
  responses?: string[];
}

/** What outlives the servers of single requests. */
export class Desk2 {
  readonly tasks = new Map<string, Task2>();
  /** The methods and params that reached a server. */
  readonly received: Received[] = [];

  make(more: object = {}): Task2 {
    const now = new Date().toISOString();
    const task = {
      taskId: randomUUID(),
      status: 'working',
      createdAt: now,
      lastUpdatedAt: now,
      ttlMs: 60_000,
      pollIntervalMs: 50,
      ...more,
    };
    this.tasks.set(task.taskId, task);
    return task;
  }

  /** Ends a task, or changes it, unless it has ended. */
  turn(task: Task2, change: object): void {
    if (['completed', 'failed', 'cancelled'].includes(task.status)) return;
    Object.assign(task, change, { lastUpdatedAt: new Date().toISOString() });
  }
}

type Work = (task: Task2, desk: Desk2, args: Record<string, unknown>) => unknown;

const complete = (result: object) => ({ status: 'completed', result });

/** How each tool works on its task; undefined = it makes none. */
const WORKS: Readonly<Record<string, Work | undefined>> = {
  greet: undefined,
  // These are ended by the test.
  report: () => undefined,
  secret: () => undefined,
  slow_compute: (task, desk, { seconds = 0 }) =>
    setTimeout(() => desk.turn(task, complete(said('computed'))), Number(seconds) * 1000).unref(),
  failing_job: (task, desk) =>
    desk.turn(task, complete({ ...said('the job failed'), isError: true })),
  protocol_error_job: (task, desk) =>
    desk.turn(task, { status: 'failed', error: { code: -32603, message: 'the job broke' } }),
  confirm_delete: (task, desk) => ask(task, desk, ['confirm']),
  multi_input: (task, desk) => ask(task, desk, ['first', 'second']),
  // What it needs to know it asks before there is a task.
  test_tool_with_task: (task, desk, { user_name }) =>
    desk.turn(task, complete(said(`Hello, ${String(user_name)}`))),
};

function ask(task: Task2, desk: Desk2, names: readonly string[]): void {
  const params = {
    mode: 'form',
    message: 'Go on?',
    requestedSchema: { type: 'object', properties: { confirm: { type: 'boolean' } } },
  };
  const inputRequests = Object.fromEntries(
    names.map((name) => [name, { method: 'elicitation/create', params }]),
  );
  desk.turn(task, { status: 'input_required', inputRequests });
}

function answer(task: Task2, desk: Desk2, responses: Record<string, unknown>): void {
  const open = Object.entries(Object(task['inputRequests']) as Record<string, unknown>);
  const left = open.filter(([name]) => !(name in responses));
  if (task.status !== 'input_required') return;
  const { inputRequests: _asked, ...rest } = task;
  if (left.length > 0) desk.turn(task, { inputRequests: Object.fromEntries(left) });
  else {
    delete task['inputRequests'];
    desk.turn(task, { ...rest, ...complete(said('confirmed')) });
  }
}

const REQUIRED = ['failing_job'];

const NAME = {
  inputRequests: {
    user_name: inputRequired.elicit({
      message: 'What is your name?',
      requestedSchema: z.object({ user_name: z.string(), name: z.string() }).partial(),
    }),
  },
};

function nameGiven({ mcpReq }: ServerContext): unknown {
  const { user_name } = Object(mcpReq.inputResponses) as { user_name?: { content?: object } };
  return user_name && Object.values(user_name.content ?? {})[0];
}

export function buildTasks2(desk: Desk2): HighServer {
  // oxlint-disable-next-line typescript/no-deprecated -- servers of this kind are guarded too
  const server = new Server(
    { name: 'payments', version: '1.0.0' },
    { capabilities: { tools: {}, extensions: { [TASKS]: {} } } },
  );
  const note = (method: string, params: object, context: ServerContext): boolean => {
    const declared = declares(context);
    desk.received.push({ method, params: params as never, declared });
    return declared;
  };
  server.setRequestHandler('tools/list', () => {
    return { tools: Object.keys(WORKS).map((name) => plainTool(name)) } as never;
  });
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const { name, arguments: args = {} } = params;
    const work = Object.hasOwn(WORKS, name) ? WORKS[name] : undefined;
    const declared = note('tools/call', params, context);
    if (name === 'greet') return said(`Hello, ${String(args['name'])}!`);
    if (!declared && REQUIRED.includes(name)) throw missing();
    if (!work || !declared) return said('done at once');
    const asked = name === 'test_tool_with_task' && nameGiven(context);
    if (asked === undefined) return inputRequired(NAME) as never;
    const task = desk.make();
    const told = { ...task };
    work(task, desk, asked ? { ...args, user_name: asked } : args);
    return { resultType: 'task', ...told } as never;
  });
  const operation = (
    method: string,
    act: (task: Task2, params: Record<string, unknown>, context: ServerContext) => object,
  ) =>
    server.setRequestHandler(method, { params: ANY }, (params, context) => {
      if (!note(method, params, context)) throw missing();
      const task = desk.tasks.get(String(params['taskId']));
      if (!task) throw new ProtocolError(INVALID_PARAMS, 'there is no such task here');
      return act(task, params, context) as never;
    });
  operation('tasks/get', (task) => ({ ...task }));
  operation('tasks/cancel', (task) => {
    desk.turn(task, { status: 'cancelled' });
    return {};
  });
  operation('tasks/update', (task, _params, { mcpReq }) => {
    const responses = Object(mcpReq.inputResponses) as Record<string, unknown>;
    Object.assign(desk.received.at(-1)!, { responses: Object.keys(responses) });
    answer(task, desk, responses);
    return {};
  });
  return server as unknown as HighServer;
}

const ANY = z.object({ taskId: z.string() }).loose();

function declares({ mcpReq }: ServerContext): boolean {
  const envelope: Record<string, unknown> = mcpReq.envelope ?? {};
  const { extensions } = Object(envelope[CLIENT_CAPABILITIES_META_KEY]) as { extensions?: object };
  return extensions !== undefined && TASKS in extensions;
}

function missing(): ProtocolError {
  const requiredCapabilities = { extensions: { [TASKS]: {} } };
  return new ProtocolError(MISSING_CAPABILITY, 'Missing required client capability', {
    requiredCapabilities,
  });
}
