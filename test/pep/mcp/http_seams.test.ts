import { afterEach, describe, expect, test } from '@jest/globals';
import { createMcpHandler, type McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { RequestExtra } from '../../../src/identity/types.ts';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import {
  beginSession,
  callOf,
  closeAll,
  ENVELOPE,
  messageOf,
  post,
  postModern,
  started,
  VERSION,
} from '../support/http.ts';
import { ALICE } from '../support/parts.ts';
import { allow, deny, hide, type Script } from '../support/scripted.ts';
import { buildServer, newServer, said } from '../support/servers.ts';

afterEach(closeAll);

describe('what 2.x says before the server sees a call', () => {
  const factory = () => {
    const server = newServer(2);
    const region = z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) });
    const scopeChallenge = () => ({ scopes: ['payments:write'] });
    server.registerTool('mirrored', { inputSchema: region }, () => said('mirrored'));
    server.registerTool('scoped', { inputSchema: z.object({}), scopeChallenge }, () =>
      said('scoped'),
    );
    return server;
  };
  const ask = async (url: string, name: string) => {
    const params = { name, arguments: { region: 'eu' } };
    const response = await postModern(url, 'tools/call', params);
    return { status: response.status, text: await response.text() };
  };

  test('is said of a tool that the caller may know, denied or not', async () => {
    for (const decide of [() => allow(), () => deny()]) {
      const { url, parts } = await started(factory, { decide });
      expect((await ask(url, 'mirrored')).status).toBe(400);
      expect((await ask(url, 'scoped')).status).toBe(403);
      expect(parts.decisionPoint.reports).toMatchObject([
        { status: 'refused' },
        { status: 'refused' },
      ]);
    }
  });

  const dead = () => Promise.reject(new Error('dead'));
  const launcher = ({ authInfo, requestInfo }: RequestExtra) =>
    authInfo === undefined && requestInfo === undefined ? ALICE : undefined;
  const unknown: [string, Script, object][] = [
    ['one that is hidden', { decide: () => hide() }, {}],
    ['one that is not decided', { decide: dead }, {}],
    ['one that is decided in no known way', { decide: () => ({}) }, {}],
    ['one while no policy is active', { describe: () => ({ ready: false }) }, {}],
    ['one to a caller who is not proved', {}, { identity: launcher }],
  ];
  /** Before a policy is active no session begins. */
  const within = unknown.filter(([, script]) => script.describe === undefined);
  const told = async (response: Response, name: string) => {
    const { 'mcp-session-id': _id, date: _date, ...headers } = Object.fromEntries(response.headers);
    const text = (await response.text()).replaceAll(name, 'NAME').replace(/0{8}-[-0-9]*/, 'ID');
    return { status: response.status, headers, text };
  };

  test.each(unknown)('is not said of %s, in either era', async (_what, script, options) => {
    const { url, parts } = await started(factory, script, options);
    for (const args of [{}, { region: 'eu' }, null, [], 'x', 5]) {
      const answers = async (name: string) => {
        const params = { name, arguments: args };
        const legacy = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
        return [
          await told(await postModern(url, 'tools/call', params), name),
          await told(await post(url, legacy), name),
        ];
      };
      const unheard = await answers('unheard');
      expect(await answers('scoped')).toEqual(unheard);
      expect(await answers('mirrored')).toEqual(unheard);
    }
    expect(parts.decisionPoint.reports).toEqual([]);
  });

  test.each(within)('is not said of %s, within a session', async (_what, script, options) => {
    const { url, parts } = await started(factory, script, { ...options, sessions: true });
    const headers = { 'mcp-session-id': await beginSession(url) };
    const answer = async (name: string) => told(await post(url, callOf(name), headers), name);
    expect(headers['mcp-session-id']).not.toBe('');
    expect(await answer('scoped')).toEqual(await answer('unheard'));
    expect(parts.decisionPoint.reports).toEqual([]);
  });

  test('is said within a session of a tool that the caller may know', async () => {
    const { url, parts } = await started(factory, {}, { sessions: true });
    const headers = { 'mcp-session-id': await beginSession(url) };
    expect((await post(url, callOf('scoped'), headers)).status).toBe(403);
    expect(parts.decisionPoint.decisions).toHaveLength(1);
    expect(parts.decisionPoint.reports).toMatchObject([{ status: 'refused' }]);
    expect((await post(url, callOf('mirrored'), headers)).status).toBe(200);
  });

  test('is said in the legacy era of a tool that the caller may know', async () => {
    const { url, parts } = await started(factory);
    expect((await post(url, callOf('scoped'))).status).toBe(403);
    expect(parts.decisionPoint.decisions).toHaveLength(1);
    expect(parts.decisionPoint.reports).toMatchObject([{ status: 'refused' }]);
  });

  test('is said of a resource only to one who may know of it', async () => {
    const withResource = () => {
      const server = factory() as unknown as McpServer;
      const scopeChallenge = () => ({ scopes: ['files'] as const });
      server.registerResource('x', 'file:///x', { scopeChallenge }, () => ({ contents: [] }));
      return server;
    };
    const read = async (url: string, uri: string) => {
      const body = { jsonrpc: '2.0', id: 1, method: 'resources/read', params: { uri } };
      return told(await post(url, body), uri);
    };
    const { url } = await started(withResource, { decide: () => hide() });
    expect(await read(url, 'file:///x')).toEqual(await read(url, 'file:///unheard'));
    const { url: open } = await started(withResource);
    expect(await read(open, 'file:///x')).toMatchObject({ status: 403 });
  });

  test('an objection is not lost where the decision changes in between', async () => {
    let asked = 0;
    const decide = () => {
      asked += 1;
      return asked === 1 ? hide() : allow();
    };
    const { url } = await started(factory, { decide });
    expect((await post(url, callOf('scoped'))).status).toBe(200);
    expect((await post(url, callOf('scoped'))).status).toBe(403);
    expect(asked).toBe(2);
  });
});

describe('an endpoint that cannot be guarded', () => {
  test.each<[string, () => object, object, string]>([
    ['no server', () => ({}), {}, 'no `Server` or `McpServer`'],
  ])('%s', async (_what, factory, options, message) => {
    const { url, handler, parts } = await started(factory, {}, options);
    await expect(handler.ready).rejects.toMatchObject({
      code: 'GUARD_MISUSED',
      message: expect.stringContaining(message),
    });
    expect((await post(url, callOf('balance'))).status).toBe(500);
    expect(parts.log.of('error')).toContain('the endpoint cannot be guarded');
  });

  test('a factory that gives the same server twice is refused', async () => {
    const same = buildServer(1);
    const { url, handler } = await started(() => same);
    await handler.ready;
    expect((await post(url, callOf('balance'))).status).toBe(200);
    expect((await post(url, callOf('balance'))).status).toBe(500);
  });

  test('a factory that needs a caller is seen with the first one', async () => {
    const factory = ({ authInfo }: { authInfo?: unknown }) => {
      if (authInfo === undefined) throw new Error('who is there?');
      return buildServer(1);
    };
    const { url, handler } = await started(factory);
    await handler.ready;
    expect((await post(url, callOf('balance'))).status).toBe(200);
    expect((await post(url, callOf('balance'), { authorization: '' })).status).toBe(500);
  });

  test('createMcpHandler of the host’s own copy of 2.x may be given', async () => {
    const { url } = await started(() => buildServer(2), {}, { createMcpHandler });
    expect(
      await postModern(url, 'tools/call', { name: 'balance', arguments: {} }).then(messageOf),
    ).toMatchObject({ result: { structuredContent: { amount: 12 } } });
  });

  test('createMcpHandler with a guarded server alone answers nothing', async () => {
    const { parts } = await started(() => buildServer(2));
    const guard = createGuard(parts);
    const handler = createMcpHandler(() => guard(buildServer(2)) as never);
    const listing = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'mcp-protocol-version': VERSION,
        'mcp-method': 'tools/list',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: ENVELOPE },
      }),
    });
    expect((await handler.fetch(listing)).status).toBe(500);
    await handler.close();
  });
});

test('the web face serves as the Node face does', async () => {
  const { handler } = await started(() => buildServer(1));
  const requestOf = (body: object) =>
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(body),
    });
  const authInfo = { extra: { name: 'user:alice' } };
  const response = await handler.fetch(requestOf(callOf('balance')), { authInfo });
  expect(await messageOf(response)).toMatchObject({
    result: { structuredContent: { amount: 12 } },
  });
  const nobody = await handler.fetch(requestOf(callOf('balance')));
  expect(await messageOf(nobody)).toMatchObject({ result: { isError: true } });
});
