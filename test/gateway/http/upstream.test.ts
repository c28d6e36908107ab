/** What a server over HTTP may answer, and what becomes of it. */
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { ENVELOPE, messageOf, post, postModern } from '../../pep/support/http.ts';
import { HELLO } from '../../pep/support/rig.ts';
import { plainTool, said } from '../../pep/support/servers.ts';
import { closeAll, serve, wrapped, type Wrapped } from '../support/http.ts';

afterEach(closeAll);

type Asked = { id?: unknown; method: string; params: Record<string, unknown> };
type Answer = (res: ServerResponse, asked: Asked) => void;

const RESULTS: Record<string, object> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} },
  'tools/list': {
    tools: [plainTool('balance')],
    ttlMs: 0,
    cacheScope: 'public',
    resultType: 'complete',
  },
};

function json(res: ServerResponse, body: unknown, status = 200, type = 'application/json'): void {
  res.writeHead(status, { 'content-type': type, 'mcp-session-id': 'of-the-server' });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
}

const answerOf = ({ id }: Asked, result: object) => ({ jsonrpc: '2.0', id, result });

/** A gateway before a server that answers calls in its own way; what it was asked. */
async function before(call: Answer): Promise<Wrapped & { asked: Asked[]; headers: object[] }> {
  const asked: Asked[] = [];
  const headers: object[] = [];
  const { url } = await serve((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      headers.push(req.headers);
      if (req.method !== 'POST') return res.writeHead(405).end();
      const message = JSON.parse(Buffer.concat(parts).toString()) as Asked;
      asked.push(message);
      const result = RESULTS[message.method];
      if (message.id === undefined) return res.writeHead(202).end();
      if (result) return json(res, answerOf(message, result));
      return call(res, message);
    });
  });
  return { ...(await wrapped(url)), asked, headers };
}

const callBalance = (url: string) =>
  postModern(url, 'tools/call', { name: 'balance', arguments: {} });
const NOT_MCP = { error: { code: -32603, message: 'The server did not answer as MCP does' } };
const UNREADABLE = { error: { code: -32603, message: 'The answer cannot be read' } };
const ENDED = { error: { code: -32603, message: 'The server ended its answer' } };
const done = (asked: Asked) => JSON.stringify(answerOf(asked, said('done')));
const event = (data: string, more = '') => `${more}data: ${data}\n\n`;
const stream = (res: ServerResponse, text: string) => json(res, text, 200, 'text/event-stream');

describe('an answer', () => {
  test.each<[string, Answer]>([
    ['JSON', (res, asked) => json(res, done(asked))],
    [
      'JSON with parameters',
      (res, asked) => json(res, done(asked), 200, 'Application/JSON; charset=utf-8'),
    ],
    ['an event', (res, asked) => stream(res, event(done(asked)))],
    [
      'an event by its name',
      (res, asked) => stream(res, event(done(asked), 'event: message\r\nid: 1\r\n')),
    ],
    [
      'an event in two lines',
      (res, asked) => stream(res, event(done(asked).replace(',', ',\ndata:'))),
    ],
    [
      'an event after others',
      (res, asked) =>
        stream(
          res,
          `: hello\n\n${event('{}', 'event: ping\n')}${event('')}${event('7')}${event(done(asked))}`,
        ),
    ],
  ])('as %s is one', async (_what, answer) => {
    const { url } = await before(answer);
    const response = await callBalance(url);
    expect(response.status).toBe(200);
    expect(await messageOf(response)).toMatchObject({ id: 1, result: said('done') });
  });

  test.each<[string, Answer, object]>([
    ['another media type', (res, asked) => json(res, done(asked), 200, 'text/html'), NOT_MCP],
    ['no media type', (res, asked) => void res.writeHead(200).end(done(asked)), NOT_MCP],
    ['201', (res, asked) => json(res, done(asked), 201), NOT_MCP],
    ['202', (res) => void res.writeHead(202).end(), NOT_MCP],
    ['204', (res) => void res.writeHead(204).end(), NOT_MCP],
    ['206', (res, asked) => json(res, done(asked), 206), NOT_MCP],
    ['a result that is called an error', (res, asked) => json(res, done(asked), 404), NOT_MCP],
    ['401', (res) => json(res, {}, 401), NOT_MCP],
    ['500', (res) => json(res, {}, 500), NOT_MCP],
    ['no JSON', (res) => json(res, '<html>'), UNREADABLE],
    [
      'two answers in one',
      (res, asked) => json(res, `${done(asked).slice(0, -1)},"result":{}}`),
      UNREADABLE,
    ],
    ['a batch', (res, asked) => json(res, `[${done(asked)}]`), UNREADABLE],
    [
      'the answer to another',
      (res) => json(res, done({ id: 99, method: '', params: {} })),
      UNREADABLE,
    ],
    [
      'more than the limit',
      (res) => json(res, JSON.stringify({ a: 'x'.repeat(70_000) })),
      UNREADABLE,
    ],
    [
      'a result in a request',
      (res, asked) =>
        json(res, JSON.stringify({ ...answerOf(asked, said('done')), method: 'ping' })),
      UNREADABLE,
    ],
    ['no event', (res) => stream(res, ''), ENDED],
    ['half an event', (res, asked) => stream(res, `data: ${done(asked)}\n`), ENDED],
    [
      'an event of another type',
      (res, asked) => stream(res, event(done(asked), 'event: x\n')),
      ENDED,
    ],
    [
      'a result in a request, as an event',
      (res, asked) =>
        stream(res, event(JSON.stringify({ ...answerOf(asked, said('done')), method: 'ping' }))),
      ENDED,
    ],
    [
      'an event twice in one',
      (res, asked) => stream(res, event(`${done(asked).slice(0, -1)},"result":{}}`)),
      UNREADABLE,
    ],
    [
      'a large event',
      (res) => stream(res, event(JSON.stringify({ a: 'x'.repeat(70_000) }))),
      ENDED,
    ],
  ])('as %s is none', async (_what, answer, told) => {
    const { url } = await before(answer);
    const response = await callBalance(url);
    expect(await messageOf(response)).toMatchObject({ id: 1, ...told });
    expect(response.status).toBe(200);
  });

  test('that leads elsewhere is not followed, so that the credential stays here', async () => {
    const { url: elsewhere, heard } = await serve((_req, res) => res.writeHead(200).end());
    const redirect =
      (status: number): Answer =>
      (res) =>
        void res.writeHead(status, { location: elsewhere }).end();
    for (const status of [301, 302, 303, 307, 308]) {
      const { url } = await before(redirect(status));
      expect(await messageOf(await callBalance(url))).toMatchObject(NOT_MCP);
    }
    expect(heard).toEqual([]);
  });

  test('that never comes because nobody listens is an error', async () => {
    const { url } = await wrapped('http://127.0.0.1:1/mcp');
    const asked = await messageOf(await postModern(url, 'server/discover'));
    expect(asked).toMatchObject({
      error: { code: -32603, message: 'The server cannot be reached' },
    });
  });

  test.each([400, 404])(
    'of the status %i keeps it where the error is one of MCP',
    async (status) => {
      const error = { code: -32602, message: 'no' };
      const { url } = await before((res, { id }) =>
        json(res, { jsonrpc: '2.0', id, error }, status),
      );
      const response = await callBalance(url);
      expect(response.status).toBe(status);
      expect(await messageOf(response)).toEqual({ jsonrpc: '2.0', id: 1, error });
    },
  );
});

describe('a stream that ends early', () => {
  test('is asked for again where the server said how', async () => {
    let call: Asked | undefined;
    const resumed: unknown[] = [];
    const { url } = await serve((req, res) => {
      if (req.method === 'GET') {
        resumed.push(req.headers['last-event-id']);
        return stream(res, event(done(call!)));
      }
      let text = '';
      req.on('data', (part: Buffer) => (text += part.toString()));
      req.on('end', () => {
        const asked = JSON.parse(text) as Asked;
        const result = RESULTS[asked.method];
        if (result) return json(res, answerOf(asked, result));
        call = asked;
        return stream(res, 'id: e-1\nretry: 1\ndata:\n\n');
      });
    });
    const gateway = await wrapped(url);
    expect(await messageOf(await callBalance(gateway.url))).toMatchObject({ result: said('done') });
    expect(resumed).toEqual(['e-1']);
  });
});

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
