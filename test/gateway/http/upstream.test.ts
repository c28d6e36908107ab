/** How a server over HTTP is asked. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ENVELOPE, messageOf, post, postModern } from '../../pep/support/http.ts';
import { HELLO } from '../../pep/support/rig.ts';
import { closeAll, serve, wrapped } from '../support/http.ts';
import {
  type Asked,
  RESULTS,
  json,
  answerOf,
  before,
  callBalance,
  NOT_MCP,
  done,
} from '../support/odd_server.ts';

afterEach(closeAll);

describe('the server', () => {
  test('is asked in the name of the wrapper, and with nothing of the client', async () => {
    const { url: upstream, heard } = await serve((_req, res) => json(res, {}));
    const headers = { authorization: 'Bearer of-the-wrapper', 'x-tenant': 't' };
    const { url } = await wrapped(upstream, {}, { headers });
    await postModern(
      url,
      'server/discover',
      {},
      { cookie: 'a=b', 'x-client': 'c', forwarded: 'for=d' },
    );
    const [request] = heard;
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer of-the-wrapper',
      'x-tenant': 't',
      'mcp-method': 'server/discover',
      'mcp-protocol-version': '2026-07-28',
    });
    for (const name of ['cookie', 'x-client', 'forwarded']) {
      expect(request?.headers).not.toHaveProperty(name);
    }
    expect(JSON.stringify(request?.headers)).not.toContain('user:alice');
  });

  test('is told of a call in headers that say what the body says', async () => {
    const { url, headers, asked } = await before((res, message) => json(res, done(message)));
    const name = 'balance';
    const params = { 'mcp-param-region': 'eu' };
    await (await postModern(url, 'tools/call', { name, arguments: {} }, params)).text();
    expect(asked.at(-1)).toMatchObject({ method: 'tools/call', params: { name, _meta: ENVELOPE } });
    expect(headers.at(-1)).toMatchObject({
      'mcp-method': 'tools/call',
      'mcp-name': name,
      ...params,
    });
  });

  test('hears what it is told in its order, and an id once at a time', async () => {
    const held: ServerResponse[] = [];
    const { url, heard } = await serve((req, res) => {
      if (req.method !== 'POST') return res.writeHead(405).end();
      let text = '';
      req.on('data', (part: Buffer) => (text += part.toString()));
      return req.on('end', () => {
        const asked = JSON.parse(text) as Asked;
        if (asked.method === 'initialize') json(res, answerOf(asked, RESULTS['initialize']!));
        else if (asked.id === undefined) held.push(res);
        else json(res, answerOf(asked, {}));
      });
    });
    const gateway = await wrapped(url);
    const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO };
    const begun = await post(gateway.url, hello);
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    const say = (message: object) => post(gateway.url, { jsonrpc: '2.0', ...message }, session);
    expect((await say({ method: 'notifications/initialized' })).status).toBe(202);
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    const ping = { id: 1, method: 'ping' };
    const asked = say(ping);
    expect((await Promise.race([asked, say(ping)])).status).toBe(400);
    for (let i = 0; i < 5; i += 1) await post(gateway.url, {}, session);
    expect(heard).toHaveLength(2);
    held[0]?.writeHead(202).end();
    expect(await messageOf(await asked)).toMatchObject({ id: 1, result: {} });
  });

  test('that has not answered when the session ends is not waited for', async () => {
    const { url, asked } = await before(() => undefined);
    const begun = await post(url, { jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO });
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    const waiting = post(url, { jsonrpc: '2.0', id: 1, method: 'ping' }, session);
    while (asked.length < 2) await new Promise((resolve) => setImmediate(resolve));
    const headers = { ...session, authorization: 'Bearer user:alice' };
    await fetch(url, { method: 'DELETE', headers });
    const error = { code: -32603, message: 'The connection ended' };
    expect(await messageOf(await waiting)).toEqual({ jsonrpc: '2.0', id: 1, error });
  });

  test('is asked no more than so many things at a time', async () => {
    const held: (() => void)[] = [];
    const settings = { requests_in_flight_max: 1 };
    const { url } = await before((res, asked) => {
      held.push(() => json(res, done(asked)));
    }, settings);
    const waiting = callBalance(url);
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect((await callBalance(url)).status).toBe(503);
    held.pop()?.();
    expect((await waiting).status).toBe(200);
    const again = callBalance(url);
    while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
    held.pop()?.();
    expect((await again).status).toBe(200);
  });

  test('stops working for a modern client that goes away', async () => {
    const { promise: left, resolve } = Promise.withResolvers<void>();
    const { url, asked } = await before((res) => void res.on('close', resolve));
    const going = new AbortController();
    const params = { name: 'balance', arguments: {}, _meta: ENVELOPE };
    const headers = {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer user:alice',
      'mcp-protocol-version': '2026-07-28',
      'mcp-method': 'tools/call',
      'mcp-name': 'balance',
    };
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    const { signal } = going;
    const waiting = fetch(url, { method: 'POST', headers, body, signal }).catch(() => undefined);
    while (asked.at(-1)?.method !== 'tools/call') {
      await new Promise((again) => setImmediate(again));
    }
    going.abort();
    await waiting;
    await left;
  });

  test('that forgets a session ends that of the client', async () => {
    const { url } = await before((res) => json(res, {}, 404));
    const hello = { jsonrpc: '2.0', id: 0, method: 'initialize', params: HELLO };
    const begun = await post(url, hello);
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    expect(session['mcp-session-id']).not.toBe('of-the-server');
    const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
    expect(await messageOf(await post(url, ping, session))).toMatchObject(NOT_MCP);
    expect((await post(url, ping, session)).status).toBe(404);
  });
});
