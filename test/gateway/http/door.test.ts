/** Who is let in, and with what. */
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ENVELOPE, messageOf, post, postModern } from '../../pep/support/http.ts';
import { HELLO } from '../../pep/support/rig.ts';
import { hide } from '../../pep/support/scripted.ts';
import { closeAll, dualEra, serve, sessionful, wrapped, type Wrapped } from '../support/http.ts';

afterEach(closeAll);

const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO };
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

let at: Wrapped;
let upstream: Awaited<ReturnType<typeof serve>>;
beforeEach(async () => {
  upstream = await serve(sessionful());
  at = await wrapped(upstream.url);
});

/** Raw, since `fetch` chooses its own Host. */
function raw(headers: Record<string, string | string[]>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const all = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer user:alice',
      ...headers,
    };
    const sent = httpRequest(at.url, { method: 'POST', headers: all }, (res) => {
      res.resume();
      resolve(res.statusCode);
    });
    sent.on('error', reject);
    sent.end(JSON.stringify(hello));
  });
}

describe('a request', () => {
  test.each<[string, Record<string, string | string[]>, number]>([
    ['the name of the listener', {}, 200],
    ['a host that is not ours', { host: 'evil.example.com' }, 403],
    ['a page of another host', { origin: 'https://evil.example.com' }, 403],
    ['a page of no host', { origin: 'null' }, 403],
    ['no token', { authorization: '' }, 401],
    ['no acceptance of events', { accept: 'application/json' }, 406],
    ['another media type', { 'content-type': 'text/plain' }, 415],
    ['an unknown revision', { 'mcp-protocol-version': '1999-01-01' }, 400],
    ['a revision without its envelope', { 'mcp-protocol-version': '2026-07-28' }, 400],
    ['two sessions', { 'mcp-session-id': ['a', 'b'] }, 403],
  ])('with %s', async (_what, headers, status) => {
    const own = headers.authorization === '' ? { ...headers, authorization: [] } : headers;
    expect(await raw(own)).toBe(status);
    expect(upstream.heard.length).toBe(status === 200 ? 1 : 0);
  });

  test('of a page that we serve is taken', async () => {
    expect(await raw({ origin: new URL(at.url).origin })).toBe(200);
  });

  test.each<[string, string | Uint8Array, number]>([
    ['no JSON', '{', 400],
    ['a byte order mark', `\ufeff${JSON.stringify(hello)}`, 400],
    ['a doubled name', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}', 400],
    ['a batch', JSON.stringify([hello, ping]), 400],
    ['a result in a request', JSON.stringify({ ...ping, result: {} }), 400],
    ['more than the limit', JSON.stringify({ ...ping, params: { a: 'x'.repeat(70_000) } }), 413],
  ])('that holds %s goes no further', async (_what, body, status) => {
    expect((await post(at.url, body)).status).toBe(status);
    expect(upstream.heard).toEqual([]);
  });

  test('by another method than the three is told them', async () => {
    const response = await fetch(at.url, {
      method: 'PUT',
      headers: { authorization: 'Bearer user:alice' },
    });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'POST, GET, DELETE']);
  });
});

describe('a modern request', () => {
  test.each<[string, Record<string, string>]>([
    ['MCP-Protocol-Version', { 'mcp-protocol-version': '2025-11-25' }],
    ['Mcp-Method', { 'mcp-method': 'tools/list' }],
    ['Mcp-Name', { 'mcp-name': 'secret' }],
    ['Mcp-Name', { 'mcp-name': '=?base64?c2VjcmV0?=' }],
  ])('whose %s says otherwise goes no further', async (header, headers) => {
    const call = { name: 'balance', arguments: {} };
    const response = await postModern(at.url, 'tools/call', call, headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      id: 1,
      error: { code: -32020, data: { header } },
    });
    expect(upstream.heard).toEqual([]);
  });

  test.each(['mcp-protocol-version', 'mcp-method', 'mcp-name'])(
    'without %s is refused',
    async (left) => {
      const params = { name: 'balance', arguments: {}, _meta: ENVELOPE };
      const message = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
      const headers: Record<string, string> = {
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'balance',
      };
      delete headers[left];
      const response = await post(at.url, message, headers);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { code: -32020 } });
    },
  );

  test('of another revision is told the one that requests without a session may have', async () => {
    const requested = '2999-01-01';
    const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': requested };
    const message = { jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta } };
    const headers = { 'mcp-protocol-version': requested, 'mcp-method': 'server/discover' };
    const response = await post(at.url, message, headers);
    expect(response.status).toBe(400);
    const data = { supported: ['2026-07-28'], requested };
    expect(await response.json()).toMatchObject({ id: 1, error: { code: -32022, data } });
  });

  test('whose name is no ASCII says it in base64', async () => {
    const name = 'größe';
    const headers = { 'mcp-name': `=?base64?${Buffer.from(name).toString('base64')}?=` };
    const modern = await wrapped((await serve(dualEra())).url);
    const response = await postModern(modern.url, 'tools/call', { name, arguments: {} }, headers);
    expect(await messageOf(response)).toMatchObject({
      error: { message: `Tool ${name} not found` },
    });
  });

  test('for what is hidden is answered as one for what is not there, for no more', async () => {
    const { url, heard } = await serve(dualEra());
    const modern = await wrapped(url, {
      decide: () => hide(),
    });
    const answer = async (name: string) => {
      const from = heard.length;
      const response = await postModern(modern.url, 'tools/call', { name, arguments: {} });
      const text = (await response.text()).replaceAll(name, 'NAME');
      return { status: response.status, text, asked: heard.length - from };
    };
    const hidden = await answer('secret');
    expect(hidden.text).toContain('Tool NAME not found');
    expect(await answer('absent')).toEqual(hidden);
  });

  test('of a method that nobody knows is not found', async () => {
    expect((await postModern(at.url, 'no/such')).status).toBe(404);
  });
});

describe('a session', () => {
  const begin = async (who = 'user:alice') => {
    const response = await post(at.url, hello, { authorization: `Bearer ${who}` });
    return { 'mcp-session-id': response.headers.get('mcp-session-id') ?? '' };
  };

  test('belongs to who began it', async () => {
    const session = await begin();
    expect((await post(at.url, ping, session)).status).toBe(200);
    const other = { ...session, authorization: 'Bearer user:mallory' };
    const stranger = await post(at.url, ping, other);
    const absent = await post(at.url, ping, { 'mcp-session-id': 'none' });
    expect([stranger.status, await stranger.text()]).toEqual([404, await absent.text()]);
    for (const method of ['GET', 'DELETE']) {
      const headers = { ...other, accept: 'text/event-stream' };
      expect((await fetch(at.url, { method, headers })).status).toBe(404);
    }
    expect((await post(at.url, ping, session)).status).toBe(200);
  });

  test('is asked for by its id', async () => {
    expect((await post(at.url, ping)).status).toBe(400);
  });

  test('ends by DELETE, here and at the server', async () => {
    const session = await begin();
    const headers = { ...session, authorization: 'Bearer user:alice' };
    expect((await fetch(at.url, { method: 'DELETE', headers })).status).toBe(200);
    expect((await post(at.url, ping, session)).status).toBe(404);
    while (!upstream.heard.some(({ method }) => method === 'DELETE')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  });

  test('has one stream beside its answers', async () => {
    const session = await begin();
    const headers = { ...session, authorization: 'Bearer user:alice', accept: 'text/event-stream' };
    const first = await fetch(at.url, { headers });
    expect(first.status).toBe(200);
    expect((await fetch(at.url, { headers })).status).toBe(409);
    await first.body?.cancel();
  });

  test('does not begin where the server refuses to', async () => {
    const { url } = await serve((_req, res) => res.writeHead(500).end());
    const other = await wrapped(url, {}, { settings: { http: { ...HTTP, sessions_max: 1 } } });
    for (let i = 0; i < 3; i += 1) {
      const response = await post(other.url, hello);
      expect(response.headers.get('mcp-session-id')).toBeNull();
      expect(await messageOf(response)).toMatchObject({ error: { code: -32603 } });
    }
  });

  const HTTP = { body_bytes_max: 65_536, sessions_max: 4, session_idle_ms: 60_000 };

  test('beyond the limit is refused, until another was idle for long enough', async () => {
    const { url, parts } = await wrapped(
      (await serve(sessionful())).url,
      {},
      { settings: { http: { ...HTTP, sessions_max: 1 } } },
    );
    let now_ms = 0;
    Object.assign(parts.clock, { now_ms: () => now_ms });
    expect((await post(url, hello)).status).toBe(200);
    expect((await post(url, hello)).status).toBe(503);
    now_ms = 60_001;
    expect((await post(url, hello)).status).toBe(200);
  });
});
