import { once } from 'node:events';
import { connect as http2, createServer } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { callOf, closeAll, messageOf, post, started } from '../support/http.ts';
import { allow, type Script } from '../support/scripted.ts';
import { buildServer, LINES, type Journal } from '../support/servers.ts';
import { settle } from '../support/wire.ts';

afterEach(closeAll);

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
    const response = await post(url, callOf('balance'), { 'content-type': type });
    expect([response.status, journal.calls]).toEqual([status, []]);
  });

  test('a type with parameters is JSON', async () => {
    const { url, journal } = await rig();
    const type = { 'content-type': 'Application/JSON; charset=utf-8' };
    await post(url, callOf('balance'), type).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  const text = JSON.stringify(callOf('balance'));
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
    const response = await post(url, 'x'.repeat(70_000));
    expect(response.status).toBe(413);
    await post(url, callOf('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test.each([
    ['a batch', [callOf('balance')], ''],
    ['an empty batch', [], ''],
    ['no object', '"ping"', ''],
    ['a result on a call', { ...callOf('balance'), result: {} }, '/result'],
    ['an id that is an object', callOf('balance', {}), '/id'],
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
    const response = await post(url, callOf('balance'), headers);
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
    await post(url, callOf('balance'), headers).then(messageOf);
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
    await post(url, callOf('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test.each([
    [2_000_000, 2_000_000, 1],
    [500_000, 500_001, 0],
  ])('a text that it has read is held to the limit: %i for %i', async (limit, size, calls) => {
    const http = { body_bytes_max: limit, sessions_max: 1, session_idle_ms: 1000 };
    const options = { parse: (body: string) => body, settings: { http } };
    const { url, journal } = await rig({}, options);
    await post(url, JSON.stringify(callOf('balance')).padEnd(size)).then((it) => it.text());
    expect(journal.calls).toHaveLength(calls);
  });

  test('one that the host has thrown away is none', async () => {
    const { url, journal } = await rig({}, { parse: () => undefined });
    expect((await post(url, callOf('balance'))).status).toBe(400);
    expect(journal.calls).toEqual([]);
  });

  test('a dead decision point refuses everything', async () => {
    const dead = () => Promise.reject(new Error('dead'));
    const { url, journal } = await rig({ decide: dead, discover: dead, describe: dead });
    const body = await post(url, callOf('balance')).then(messageOf);
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
      body: JSON.stringify(callOf('balance')),
      signal: gone.signal,
    }).then((response) => response.text());
    await settle(25);
    gone.abort();
    await expect(asking).rejects.toThrow('aborted');
    await settle(80);
    expect(journal.calls).toEqual([]);
  });

  test.each([
    ['a Host that makes no URL', 'GET /mcp HTTP/1.1', 'a b'],
    ['a Host with credentials', 'GET /mcp HTTP/1.1', 'a:b@x'],
    ['an address with credentials', 'POST http://u:p@x/mcp HTTP/1.1', 'x'],
    ['a method that the web forbids', 'TRACE /mcp HTTP/1.1', 'x'],
  ])('%s is turned away, and the endpoint lives', async (_what, line_of_request, host) => {
    const { url, journal } = await rig();
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.end(`${line_of_request}\r\nHost: ${host}\r\nContent-Length: 0\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 400 /);
    await post(url, callOf('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test('HTTP/2 is served', async () => {
    const { handler } = await rig();
    const unsettled: Promise<void>[] = [];
    const server = createServer((req, res) => {
      unsettled.push(handler(req as never, res as never));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = http2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const sent = client.request({
      ':method': 'POST',
      ':path': '/mcp',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    });
    sent.end(text);
    const [headers] = (await once(sent, 'response')) as [Record<string, unknown>];
    expect(headers[':status']).toBe(200);
    let body = '';
    for await (const chunk of sent) body += String(chunk);
    expect(body).toContain('balance');
    client.close();
    server.close();
    await Promise.all(unsettled);
  });

  test('a response that cannot be sent ends the connection and nothing else', async () => {
    const { handler, parts } = await rig();
    const destroyed: boolean[] = [];
    const res = { once: () => undefined, destroy: () => destroyed.push(true) };
    await handler({ headers: {}, url: '/', method: 'GET' } as never, res as never);
    expect(destroyed).toEqual([true]);
    expect(parts.log.of('error')).toContain('a response could not be sent');
  });
});
