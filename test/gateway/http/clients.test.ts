/** Official clients of both lines and eras, before wrapped servers of both lines. */
import { afterEach, expect, test } from '@jest/globals';
import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { allow, deny, hide } from '../../pep/support/scripted.ts';
import { buildServer, said } from '../../pep/support/servers.ts';
import { closeAll, dualEra, serve, sessionful, wrapped } from '../support/http.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await closeAll();
});

const SCRIPT = {
  visible: (name: string) => name !== 'secret',
  decide: ({ resource: { id } }: { resource: { id: string } }) => {
    if (id === 'secret') return hide();
    return id === 'transfer' ? deny() : allow();
  },
};

const UPSTREAMS = { sessionful, dualEra };

const requestInit = { headers: { authorization: 'Bearer user:alice' } };

type Told = { structuredContent?: unknown; isError?: boolean };

async function story(client: Pick<Client2, 'listTools' | 'callTool'>): Promise<unknown[]> {
  const call = async (name: string) => (await client.callTool({ name, arguments: {} })) as Told;
  const refused = (name: string) =>
    call(name).catch((error: Error) => error.message.replace(/^MCP error -32602: /, ''));
  return [
    (await client.listTools()).tools.map(({ name }) => name),
    (await call('balance')).structuredContent,
    (await call('transfer')).isError,
    await refused('secret'),
    await refused('unheard'),
  ];
}

const TOLD = [
  ['balance', 'transfer', 'broken'],
  { account: 'a-1', amount: 12, owner: { name: 'Alice', ssn: '123' } },
  true,
  'Tool secret not found',
  'Tool unheard not found',
];

test.each(['sessionful', 'dualEra'] as const)('the 1.x client, before %s', async (name) => {
  const { url } = await wrapped((await serve(UPSTREAMS[name]())).url, SCRIPT);
  const client = new Client1({ name: 'c', version: '1' });
  opened.push(client);
  await client.connect(new Http1(new URL(url), { requestInit }));
  expect(await story(client as never)).toEqual(TOLD);
});

test.each([
  ['legacy', 'sessionful', 'legacy'],
  ['auto', 'sessionful', 'legacy'],
  ['legacy', 'dualEra', 'legacy'],
  ['auto', 'dualEra', 'modern'],
  ['modern', 'dualEra', 'modern'],
] as const)('the 2.x client, %s, before %s', async (how, name, era) => {
  const { url } = await wrapped((await serve(UPSTREAMS[name]())).url, SCRIPT);
  const mode = how === 'modern' ? { pin: '2026-07-28' } : how;
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  opened.push(client);
  await client.connect(new Http2(new URL(url), { requestInit }));
  expect(client.getProtocolEra()).toBe(era);
  expect(await story(client)).toEqual(TOLD);
});

test('a legacy client is told that a modern server is none for it', async () => {
  const { url } = await wrapped((await serve(dualEra('reject'))).url, SCRIPT);
  const client = new Client1({ name: 'c', version: '1' });
  opened.push(client);
  const connecting = client.connect(new Http1(new URL(url), { requestInit }));
  await expect(connecting).rejects.toThrow(/version/i);
});

test('a modern client is told that a legacy server is none for it', async () => {
  const { url } = await wrapped((await serve(sessionful())).url, SCRIPT);
  const versionNegotiation = { mode: { pin: '2026-07-28' } } as const;
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation });
  opened.push(client);
  const connecting = client.connect(new Http2(new URL(url), { requestInit }));
  await expect(connecting).rejects.toThrow(/2026-07-28/);
});

test('what a server says beside its answers comes with the call, or beside it', async () => {
  const server = () => {
    const built = buildServer(1, undefined, {
      chatty: async (_args, extra) => {
        const { sendNotification } = extra as { sendNotification(told: object): Promise<void> };
        const params = { level: 'info', data: 'of the call' };
        await sendNotification({ method: 'notifications/message', params });
        await built.sendLoggingMessage({ level: 'info', data: 'beside' });
        return said('done');
      },
    });
    return built;
  };
  const { url } = await wrapped((await serve(sessionful(server))).url);
  const client = new Client1({ name: 'c', version: '1' });
  opened.push(client);
  const heard: unknown[] = [];
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    heard.push(params.data);
  });
  await client.connect(new Http1(new URL(url), { requestInit }));
  // The stream beside the calls is opened by both ends in their own time.
  while (!heard.includes('beside')) {
    expect(await client.callTool({ name: 'chatty' })).toMatchObject(said('done'));
  }
  expect(heard[0]).toBe('of the call');
});
