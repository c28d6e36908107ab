/** Tasks as the client of the SDK 1.x uses them, with sessions and without. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  TaskStatusNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { closeAll, started } from './support/http.ts';
import { allow, type Script } from './support/scripted.ts';
import type { HighServer } from './support/servers.ts';
import { buildTasks, cleanDesks, newDesk, REPORT, REPORTED } from './support/tasks_1.ts';

/** What the protocol layer of a server tells its client. */
interface Low {
  notification(told: object): Promise<void>;
  sendToolListChanged(): Promise<void>;
}

const clients: Client[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await closeAll();
  cleanDesks();
});

async function rig(sessions: boolean, script: Script = {}) {
  const desk = newDesk();
  const servers: HighServer[] = [];
  const factory = () => {
    const server = buildTasks(desk);
    servers.push(server);
    return server;
  };
  const { url } = await started(factory, script, { sessions });
  const client = async (who: string) => {
    const made = new Client({ name: who, version: '1' });
    const requestInit = { headers: { authorization: `Bearer user:${who}` } };
    await made.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    clients.push(made);
    return made;
  };
  /** What the client is told in the course of a call, and at its end. */
  const call = async (caller: Client) => {
    const told: string[] = [];
    let result: unknown;
    const params = { name: 'report', arguments: {} };
    for await (const message of caller.experimental.tasks.callToolStream(params, undefined, {
      task: {},
    })) {
      told.push(message.type === 'taskStatus' ? message.task.status : message.type);
      if (message.type === 'result') result = message.result.structuredContent;
      if (message.type === 'taskCreated') {
        await desk.store.storeTaskResult(message.task.taskId, 'completed', REPORTED);
      }
    }
    return { told, result };
  };
  return { desk, servers, client, call };
}

describe.each([true, false])('a call as a task, with sessions: %s', (sessions) => {
  test.each([
    ['nothing', {}, REPORT],
    [
      'a field',
      {
        decide: () =>
          allow({
            obligations: [
              { type: 'mask_fields', paths: ['/ssn'], mode: 'remove', unstructured: 'redact' },
            ],
          }),
      },
      { account: 'a-1' },
    ],
  ])('runs to its result, of which %s is masked', async (_what, script: Script, expected) => {
    const { client, call } = await rig(sessions, script);
    const alice = await client('alice');
    expect(alice.getServerCapabilities()?.tasks?.requests?.tools?.call).toEqual({});
    await alice.listTools();
    const { told, result } = await call(alice);
    expect(told).toEqual(['taskCreated', 'completed', 'result']);
    expect(result).toEqual(expected);
    expect((await alice.experimental.tasks.listTasks()).tasks).toHaveLength(1);
  });

  test('is nothing to another client', async () => {
    const { desk, client, call } = await rig(sessions);
    await call(await client('alice'));
    const [{ id } = { id: '' }] = desk.working;
    const { tasks } = (await client('bob')).experimental;
    expect((await tasks.listTasks()).tasks).toEqual([]);
    const unknown = 'Failed to retrieve task: Task not found';
    await expect(tasks.getTask(id)).rejects.toThrow(unknown);
    await expect(tasks.getTaskResult(id)).rejects.toThrow(`Task not found: ${id}`);
    await expect(tasks.cancelTask(id)).rejects.toThrow(`Task not found: ${id}`);
  });
});

test('a notice of a task passes in no session but that of its owner', async () => {
  const { desk, servers, client, call } = await rig(true);
  const heard: string[] = [];
  const both = { alice: Promise.withResolvers<void>(), bob: Promise.withResolvers<void>() };
  for (const who of ['alice', 'bob'] as const) {
    const listener = await client(who);
    listener.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => {
      heard.push(`${who} ${params.taskId}`);
      both[who].resolve();
    });
    // What would wrongly be told of the first is there by the third.
    let marks = 0;
    listener.setNotificationHandler(ToolListChangedNotificationSchema, () => {
      marks += 1;
      if (who === 'bob' && marks === 3) both.bob.resolve();
    });
    if (who === 'alice') await call(listener);
  }
  const [{ id } = { id: '' }] = desk.working;
  const params = (await desk.store.getTask(id))!;
  // A stream may not yet be open, and what is said before that is lost.
  const repeated = setInterval(() => {
    for (const { server } of servers.slice(1)) {
      const low = server as Low;
      void low.notification({ method: 'notifications/tasks/status', params });
      void low.sendToolListChanged();
    }
  }, 10);
  await Promise.all([both.alice.promise, both.bob.promise]).finally(() => clearInterval(repeated));
  expect(new Set(heard)).toEqual(new Set([`alice ${id}`]));
});
