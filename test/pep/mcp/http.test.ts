import { afterEach, describe, expect, test } from '@jest/globals';
import {
  Client as Client2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { closeAll, messageOf, postModern, started } from '../support/http.ts';
import { allow, deny, hide, type Script } from '../support/scripted.ts';
import { buildServer, newServer, said } from '../support/servers.ts';

afterEach(closeAll);

const script = (): Script => ({
  visible: (name) => name !== 'secret',
  decide: ({ resource: { id } }) => {
    if (id === 'secret') return hide();
    return id === 'transfer' ? deny() : allow();
  },
});

const requestInit = { headers: { authorization: 'Bearer user:alice' } };

/** What each official client sees of the guarded server. */
async function story(client: Pick<Client2, 'listTools' | 'callTool'>): Promise<unknown[]> {
  const { tools } = await client.listTools();
  const call = (name: string, args = {}) =>
    client
      .callTool({ name, arguments: args })
      .catch((error: unknown) => ({ thrown: (error as Error).message }));
  return [
    tools.map(({ name }) => name),
    ((await call('balance')) as { structuredContent?: unknown }).structuredContent,
    ((await call('transfer', { amount: 1, to: 'b' })) as { isError?: boolean }).isError,
    await call('secret'),
    await call('unheard'),
  ];
}

const LISTED = ['balance', 'transfer', 'broken'];
const BALANCE = { account: 'a-1', amount: 12, owner: { name: 'Alice', ssn: '123' } };

const told = (line: 1 | 2, name: string) =>
  line === 1
    ? {
        content: [{ type: 'text', text: `MCP error -32602: Tool ${name} not found` }],
        isError: true,
      }
    : { thrown: expect.stringContaining(`Tool ${name} not found`) };

describe('official clients over Streamable HTTP', () => {
  test.each([
    [1, false],
    [1, true],
    [2, false],
  ] as const)('the 1.x client at a %i.x server, sessions %p', async (line, sessions) => {
    const { url, parts } = await started(() => buildServer(line), script(), { sessions });
    const client = new Client1({ name: 'c', version: '1' });
    const transport = new Http1(new URL(url), { requestInit });
    await client.connect(transport);
    expect(await story(client as never)).toEqual([
      LISTED,
      BALANCE,
      true,
      told(line, 'secret'),
      told(line, 'unheard'),
    ]);
    expect(transport.sessionId !== undefined).toBe(sessions);
    await client.close();
    expect(parts.decisionPoint.decisions[0]?.subject.id).toBe('user:alice');
    expect(parts.decisionPoint.decisions[0]?.context.request?.transport).toBe('http');
    expect(JSON.stringify(parts.decisionPoint.decisions)).not.toContain('not-to-be-told');
  });

  test.each([
    ['legacy', 1],
    ['legacy', 2],
    ['modern', 2],
  ] as const)('the 2.x client, %s, at a %i.x server', async (era, line) => {
    const { url, parts } = await started(() => buildServer(line), script());
    const mode = era === 'legacy' ? ('legacy' as const) : { pin: '2026-07-28' };
    const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
    await client.connect(new Http2(new URL(url), { requestInit }));
    expect(await story(client)).toEqual([
      LISTED,
      BALANCE,
      true,
      told(line, 'secret'),
      told(line, 'unheard'),
    ]);
    await client.close();
    const [decision] = parts.decisionPoint.decisions;
    expect(decision?.context.agent).toEqual({
      claimed: era === 'modern' ? { name: 'c', version: '1' } : {},
    });
  });

  test.each([[1], [2]] as const)('nobody sees nothing, at a %i.x server', async (line) => {
    const { url, parts } = await started(() => buildServer(line), script());
    const client = new Client1({ name: 'c', version: '1' });
    await client.connect(new Http1(new URL(url)));
    expect((await client.listTools()).tools).toEqual([]);
    await client.close();
    expect(parts.decisionPoint.discoveries).toEqual([]);
  });
});

describe('the modern era', () => {
  const modern = (s = script()) => started(() => buildServer(2), s);

  test('server/discover is trimmed, private and not kept', async () => {
    const { url } = await modern();
    const response = await postModern(url, 'server/discover');
    const { result } = (await messageOf(response)) as { result: Record<string, unknown> };
    expect(result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
    expect(result['capabilities']).toEqual({
      tools: { listChanged: true },
      logging: {},
      extensions: { 'io.modelcontextprotocol/server-policy-enforcement': expect.any(Object) },
    });
  });

  test('a filtered list is private and not kept, whatever the server says', async () => {
    const factory = () => {
      const cacheHints = { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } };
      const server = newServer(2, { capabilities: { tools: {} }, cacheHints });
      server.registerTool('balance', {}, () => said('1'));
      return server;
    };
    const { url } = await started(factory, script());
    const { result } = (await messageOf(await postModern(url, 'tools/list'))) as { result: object };
    expect(result).toMatchObject({ resultType: 'complete', ttlMs: 0, cacheScope: 'private' });
    const nobody = await postModern(url, 'tools/list', {}, { authorization: '' });
    expect(await messageOf(nobody)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { tools: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
    });
  });

  test('a refusal carries its result type', async () => {
    const { url } = await modern();
    const response = await postModern(url, 'tools/call', { name: 'transfer', arguments: {} });
    expect(response.status).toBe(200);
    expect(await messageOf(response)).toMatchObject({
      result: { isError: true, resultType: 'complete' },
    });
  });

  test.each(['initialize', 'ping', 'made/up', 'tasks/get'])(
    '%s is 404 and -32601',
    async (method) => {
      const { url } = await modern();
      const response = await postModern(url, method, { notifications: { toolsListChanged: true } });
      expect(response.status).toBe(404);
      expect(await messageOf(response)).toMatchObject({
        id: 1,
        error: { code: -32601, data: { error: { code: 'UNKNOWN_METHOD_DENIED' } } },
      });
    },
  );

  test('hidden and unknown are one answer, status and headers included', async () => {
    const { url } = await modern();
    const ask = async (name: string) => {
      const response = await postModern(url, 'tools/call', { name, arguments: {} });
      const { date: _date, ...headers } = Object.fromEntries(response.headers);
      return { status: response.status, headers, text: await response.text() };
    };
    const [hidden, unknown] = [await ask('secret'), await ask('unhear')];
    expect({ ...hidden, text: hidden.text.replace('secret', 'unhear') }).toEqual(unknown);
  });
});
