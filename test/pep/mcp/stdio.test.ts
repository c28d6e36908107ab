import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ENVELOPE } from '../support/http.ts';
import { HELLO } from '../support/rig.ts';

const fixture = join(import.meta.dirname, '../support/stdio_server_process.ts');
const command = (line: number, way: string) => ({
  command: process.execPath,
  args: [fixture, String(line), way],
  stderr: 'ignore' as const,
});

type Told = { structuredContent?: unknown; isError?: boolean; content: { text: string }[] };

async function story(client: Pick<Client2, 'listTools' | 'callTool'>): Promise<unknown[]> {
  const call = async (name: string): Promise<Told> =>
    (await client
      .callTool({ name, arguments: {} })
      .catch((error: unknown) => ({ content: [{ text: (error as Error).message }] }))) as Told;
  return [
    (await client.listTools()).tools.map(({ name }) => name),
    (await call('balance')).structuredContent,
    (await call('transfer')).isError,
    (await call('secret')).content[0]?.text.replace(/^MCP error -32602: /, ''),
    (await call('unheard')).content[0]?.text.replace(/^MCP error -32602: /, ''),
    (await call('broken')).content[0]?.text,
  ];
}

const TOLD = [
  ['balance', 'transfer', 'broken'],
  { account: 'a-1', amount: 12, owner: { name: 'Alice', ssn: '123' } },
  true,
  'Tool secret not found',
  'Tool unheard not found',
  'The server policy is not available.',
];

describe('official clients over stdio', () => {
  test.each([
    [1, 'connect'],
    [2, 'connect'],
    [2, 'serve'],
  ])('the 1.x client at a %i.x server, by %s', async (line, way) => {
    const client = new Client1({ name: 'c', version: '1' });
    await client.connect(new Stdio1(command(line, way)));
    expect(await story(client as never)).toEqual(TOLD);
    await client.close();
  });

  test.each([
    ['legacy', 1, 'connect'],
    ['legacy', 2, 'serve'],
    ['modern', 2, 'serve'],
    ['auto', 2, 'serve'],
  ])('the 2.x client, %s, at a %i.x server, by %s', async (era, line, way) => {
    const mode = era === 'modern' ? { pin: '2026-07-28' } : (era as 'legacy' | 'auto');
    const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new Stdio2(command(line, way)));
    expect(await story(client)).toEqual(TOLD);
    await client.close();
  });
});

/** Speaks to the fixture line by line and gathers what it answers. */
async function speak(line: number, way: string, messages: unknown[]): Promise<unknown[]> {
  const { args } = command(line, way);
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const lines = () => out.split('\n').filter((text) => text !== '');
  const awaited = messages.filter(
    (message) => (message as { id?: unknown }).id !== undefined,
  ).length;
  for (const message of messages) {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    child.stdin.write(`${text}\n`);
  }
  for (let waited = 0; lines().length < awaited && waited < 3000; waited += 20) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.stdin.end();
  child.kill();
  return lines().map((text) => JSON.parse(text) as unknown);
}

const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO };

describe('the wire', () => {
  test.each([
    [1, 'connect'],
    [2, 'serve'],
  ])('half lines and other noise do not stop a %i.x server, by %s', async (line, way) => {
    const told = await speak(line, way, [
      '{"jsonrpc":"2.0",',
      'null',
      '[]',
      hello,
      '[{"jsonrpc":"2.0","id":9,"method":"ping"}]',
      { jsonrpc: '2.0', id: 1, method: 'ping' },
    ]);
    expect(told.map((message) => (message as { id?: unknown }).id)).toEqual([0, 1]);
  });

  test('what serveStdio answers itself of subscriptions/listen passes the guard', async () => {
    const params = { _meta: ENVELOPE, notifications: { toolsListChanged: true } };
    const told = await speak(2, 'serve', [
      { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: ENVELOPE } },
      { jsonrpc: '2.0', id: 2, method: 'subscriptions/listen', params },
      { jsonrpc: '2.0', id: 3, method: 'tools/list', params: { _meta: ENVELOPE } },
    ]);
    const byId = Object.fromEntries(told.map((one) => [(one as { id: number }).id, one]));
    expect(byId[1]).toMatchObject({
      result: { cacheScope: 'private', capabilities: { tools: {} } },
    });
    const ofId = 'io.modelcontextprotocol/subscriptionId';
    expect(told).toContainEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true }, _meta: { [ofId]: 2 } },
    });
    expect(byId[3]).toMatchObject({ result: { cacheScope: 'private', resultType: 'complete' } });
  });

  test('serveStdio with a guarded server and an open wire answers nothing', async () => {
    const told = await speak(2, 'half', [hello]);
    expect(told).toMatchObject([{ id: 0, error: { code: -32603 } }]);
  });
});
