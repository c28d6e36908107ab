import { request } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { messageOf, post, postModern, serve, type Endpoint } from '../support/http.ts';
import { allow, deny, hide, type Script } from '../support/scripted.ts';
import { buildServer, LINES, newServer, said, type Journal } from '../support/servers.ts';
import { settle } from '../support/wire.ts';

const open: Endpoint[] = [];
const started = async (...args: Parameters<typeof serve>) => {
  const endpoint = await serve(...args);
  open.push(endpoint);
  return endpoint;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map(({ close }) => close()));
});

const call = (name: string, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

describe.each(LINES)('the door, SDK %i.x', (line) => {
  const rig = async (script: Script = {}, options = {}) => {
    const journal: Journal = { calls: [] };
    return { journal, ...(await started(() => buildServer(line, journal), script, options)) };
  };

  test.each([
    ['text/plain', 415],
    ['text/plain; a=application/json', 415],
    ['application/json-patch+json', 415],
    ['application/jsonx', 415],
    ['', 415],
  ])('a body of type %p is turned away', async (type, status) => {
    const { url, journal } = await rig();
    const response = await post(url, call('balance'), { 'content-type': type });
    expect([response.status, journal.calls]).toEqual([status, []]);
  });

  test('a type with parameters is JSON', async () => {
    const { url, journal } = await rig();
    const type = { 'content-type': 'Application/JSON; charset=utf-8' };
    await post(url, call('balance'), type).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  const text = JSON.stringify(call('balance'));
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'malformed'],
    ['half a message', text.slice(0, -3), 'malformed'],
    ['a byte order mark', `\ufeff${text}`, 'malformed'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'not_utf8'],
    ['a doubled member', text.replace('"id":1', '"id":1,"id":2'), 'duplicate_name'],
    ['a doubled name of a tool', text.replace('"name"', '"name":"x","name"'), 'duplicate_name'],
    [
      'a __proto__',
      text.replace('"arguments":{}', '"arguments":{"__proto__":1}'),
      'forbidden_name',
    ],
    ['endless nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, 'too_deep'],
  ])('%s is no message', async (_what, body, code) => {
    const { url, journal, parts } = await rig();
    const response = await post(url, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32700, data: { code } } });
    expect([journal.calls, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('a body over the limit is turned away, and the endpoint lives', async () => {
    const { url, journal } = await rig();
    const response = await post(url, 'x'.repeat(70_000)).catch(() => ({ status: 413 }));
    expect(response.status).toBe(413);
    await post(url, call('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test.each([
    ['a batch', [call('balance')], ''],
    ['an empty batch', [], ''],
    ['no object', '"ping"', ''],
    ['a result on a call', { ...call('balance'), result: {} }, '/result'],
    ['an id that is an object', call('balance', {}), '/id'],
    ['no version', { id: 1, method: 'ping' }, '/jsonrpc'],
  ])('%s is turned away whole', async (_what, body, pointer) => {
    const { url, journal } = await rig();
    const response = await post(url, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32600, data: { pointer } } });
    expect(journal.calls).toEqual([]);
  });

  test.each([
    [{ 'mcp-method': 'tools/list' }, 'Mcp-Method'],
    [{ 'mcp-name': 'transfer' }, 'Mcp-Name'],
    [{ 'mcp-name': '=?base64?dHJhbnNmZXI=?=' }, 'Mcp-Name'],
  ])('a header that differs from the body is turned away: %j', async (headers, header) => {
    const { url, journal, parts } = await rig();
    const response = await post(url, call('balance'), headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32020, message: 'A header differs from the body', data: { header } },
    });
    expect([journal.calls, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('headers that agree pass, encoded too', async () => {
    const { url, journal } = await rig();
    const headers = { 'mcp-method': 'tools/call', 'mcp-name': '=?base64?YmFsYW5jZQ==?=' };
    await post(url, call('balance'), headers).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test.each(['GET', 'DELETE', 'PUT'])(
    '%s is no method of an endpoint without sessions',
    async (method) => {
      const { url } = await rig();
      const headers = { accept: 'text/event-stream', authorization: 'Bearer user:alice' };
      expect((await fetch(url, { method, headers })).status).toBe(405);
    },
  );

  test.each<[string, (text: string) => unknown]>([
    ['a value', JSON.parse],
    ['text', (body: string) => body],
    ['bytes', (body: string) => Buffer.from(body)],
  ])('a body that the host has read before, as %s, is used', async (_what, parse) => {
    const { url, journal } = await rig({}, { parse });
    await post(url, call('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test('one that the host has thrown away is none', async () => {
    const { url, journal } = await rig({}, { parse: () => undefined });
    expect((await post(url, call('balance'))).status).toBe(400);
    expect(journal.calls).toEqual([]);
  });

  test('a dead decision point refuses everything', async () => {
    const dead = () => Promise.reject(new Error('dead'));
    const { url, journal } = await rig({ decide: dead, discover: dead, describe: dead });
    const body = await post(url, call('balance')).then(messageOf);
    expect(JSON.stringify(body)).toContain('POLICY_UNAVAILABLE');
    const list = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }).then(messageOf);
    expect(list).toMatchObject({ error: { code: 403 } });
    expect(journal.calls).toEqual([]);
  });

  test('a client that goes away in the middle leaves nothing running', async () => {
    const decide = () => settle(60).then(() => allow());
    const { url, journal } = await rig({ decide });
    const gone = new AbortController();
    const asking = fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: 'Bearer user:alice',
      },
      body: JSON.stringify(call('balance')),
      signal: gone.signal,
    }).then((response) => response.text());
    await settle(25);
    gone.abort();
    await expect(asking).rejects.toThrow('aborted');
    await settle(80);
    expect(journal.calls).toEqual([]);
  });

  test('a Host that makes no URL is turned away, and the endpoint lives', async () => {
    const { url, journal } = await rig();
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'a b', 'content-type': 'application/json' };
      const sent = request(url, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end(text);
    });
    expect([status, journal.calls]).toEqual([400, []]);
    await post(url, call('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });
});

describe('sessions', () => {
  const hello = {
    jsonrpc: '2.0',
    id: 0,
    method: 'initialize',
    params: {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    },
  };
  const rig = (options = {}) => started(() => buildServer(1), {}, { sessions: true, ...options });
  const begin = async (url: string, headers = {}) => {
    const response = await post(url, hello, headers);
    await response.text();
    return response.headers.get('mcp-session-id') ?? '';
  };

  test('belong to who began them; to others they are as ones that never were', async () => {
    const { url, parts } = await rig();
    const id = await begin(url);
    const ask = async (session: string, authorization: string) => {
      const response = await post(url, call('balance'), {
        'mcp-session-id': session,
        authorization,
      });
      return [response.status, await response.text()];
    };
    const stranger = await ask(id, 'Bearer user:bob');
    expect(stranger).toEqual(await ask('no-such-session', 'Bearer user:bob'));
    expect(stranger[0]).toBe(404);
    expect((await ask(id, ''))[0]).toBe(404);
    expect(parts.decisionPoint.decisions).toEqual([]);
    expect((await ask(id, 'Bearer user:alice'))[0]).toBe(200);
    const headers = { 'mcp-session-id': id, accept: 'text/event-stream' };
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(url, {
        method,
        headers: { ...headers, authorization: 'Bearer user:bob' },
      });
      expect(response.status).toBe(404);
    }
    expect((await ask(id, 'Bearer user:alice'))[0]).toBe(200);
  });

  test('end when their owner ends them', async () => {
    const { url } = await rig();
    const headers = { 'mcp-session-id': await begin(url), authorization: 'Bearer user:alice' };
    expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(200);
    expect((await post(url, call('balance'), headers)).status).toBe(404);
  });

  test('are limited; idle ones make room', async () => {
    let now_ms = 0;
    const settings = { http: { body_bytes_max: 65_536, sessions_max: 2, session_idle_ms: 1000 } };
    const { url, parts } = await rig({ settings });
    Object.assign(parts.clock, { now_ms: () => now_ms });
    const first = await begin(url);
    await begin(url);
    expect((await post(url, hello)).status).toBe(503);
    now_ms = 500;
    await post(url, call('balance'), { 'mcp-session-id': first }).then(messageOf);
    now_ms = 1200;
    expect(await begin(url)).not.toBe('');
    expect((await post(url, call('balance'), { 'mcp-session-id': first })).status).toBe(200);
  });

  test('nothing but initialize begins one', async () => {
    const { url } = await rig();
    expect((await post(url, call('balance'))).status).toBe(400);
    const headers = { accept: 'text/event-stream', authorization: 'Bearer user:alice' };
    expect((await fetch(url, { headers })).status).toBe(400);
  });

  test('a stream of theirs hears of another policy', async () => {
    const { url, parts } = await rig();
    const headers = {
      'mcp-session-id': await begin(url),
      authorization: 'Bearer user:alice',
      accept: 'text/event-stream',
    };
    const done = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const { accept: _stream, ...both } = headers;
    expect((await post(url, done, both)).status).toBe(202);
    const stream = await fetch(url, { headers });
    parts.decisionPoint.announce({ ready: true });
    const reader = stream.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const { value } = await reader.read();
    expect(Buffer.from(value!).toString()).toContain('notifications/tools/list_changed');
    await reader.cancel();
  });
});

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

  test.each([
    ['hidden', () => hide()],
    ['undecided', () => Promise.reject(new Error('dead'))],
  ])('is not said of one that is %s', async (_what, decide) => {
    const { url } = await started(factory, { decide });
    const unknown = (await ask(url, 'unheard-of')).text;
    for (const name of ['mirrored', 'scoped']) {
      const { status, text } = await ask(url, name);
      expect(status).toBe(200);
      if (_what === 'hidden') expect(text).toBe(unknown.replace('unheard-of', name));
    }
  });

  test('in the legacy era too', async () => {
    const { url } = await started(factory, { decide: () => hide() });
    const [hidden, unknown] = [await post(url, call('scoped')), await post(url, call('unheard'))];
    expect(hidden.status).toBe(200);
    expect(await hidden.text()).toBe((await unknown.text()).replace('unheard', 'scoped'));
    const visible = await started(factory, {});
    expect((await post(visible.url, call('scoped'))).status).toBe(403);
  });
});

describe('an endpoint that cannot be guarded', () => {
  test.each<[string, () => object, object, string]>([
    ['no server', () => ({}), {}, 'no `Server` or `McpServer`'],
    ['sessions of 2.x', () => buildServer(2), { sessions: true }, 'leave out `sessions`'],
  ])('%s', async (_what, factory, options, message) => {
    const { url, handler, parts } = await started(factory, {}, options);
    await expect(handler.ready).rejects.toMatchObject({
      code: 'GUARD_MISUSED',
      message: expect.stringContaining(message),
    });
    expect((await post(url, call('balance'))).status).toBe(500);
    expect(parts.log.of('error')).toContain('the endpoint cannot be guarded');
  });

  test('a factory that gives the same server twice is refused', async () => {
    const same = buildServer(1);
    const { url, handler } = await started(() => same);
    await handler.ready;
    expect((await post(url, call('balance'))).status).toBe(200);
    expect((await post(url, call('balance'))).status).toBe(500);
  });

  test('a factory that needs a caller is seen with the first one', async () => {
    const factory = ({ authInfo }: { authInfo?: unknown }) => {
      if (authInfo === undefined) throw new Error('who is there?');
      return buildServer(1);
    };
    const { url, handler } = await started(factory);
    await handler.ready;
    expect((await post(url, call('balance'))).status).toBe(200);
    expect((await post(url, call('balance'), { authorization: '' })).status).toBe(500);
  });

  test('createMcpHandler of the host’s own copy of 2.x may be given', async () => {
    const { url } = await started(() => buildServer(2), {}, { createMcpHandler });
    expect(
      await postModern(url, 'tools/call', { name: 'balance', arguments: {} }).then(messageOf),
    ).toMatchObject({ result: { structuredContent: { amount: 12 } } });
  });

  test('createMcpHandler with a guarded server, without the other seam, answers nothing', async () => {
    const { parts } = await started(() => buildServer(2));
    const { createGuard } = await import('../../../src/pep/mcp/guard.ts');
    const guard = createGuard(parts);
    const handler = createMcpHandler(() => guard(buildServer(2)) as never);
    const { ENVELOPE, VERSION } = await import('../support/http.ts');
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
  const response = await handler.fetch(requestOf(call('balance')), { authInfo });
  expect(await messageOf(response)).toMatchObject({
    result: { structuredContent: { amount: 12 } },
  });
  const nobody = await handler.fetch(requestOf(call('balance')));
  expect(await messageOf(nobody)).toMatchObject({ result: { isError: true } });
});
