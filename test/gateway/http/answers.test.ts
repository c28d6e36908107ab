/** What a server over HTTP may answer, and what becomes of it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { messageOf, postModern } from '../../pep/support/http.ts';
import { said } from '../../pep/support/servers.ts';
import { closeAll, serve, wrapped } from '../support/http.ts';
import {
  type Asked,
  type Answer,
  RESULTS,
  json,
  answerOf,
  before,
  callBalance,
  NOT_MCP,
  UNREADABLE,
  ENDED,
  done,
  failed,
  event,
  stream,
} from '../support/odd_server.ts';

afterEach(closeAll);

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
          `: hello\n\n${event('{}', 'event: x\n')}${event('')}${event('7')}${event(done(asked))}`,
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
    [
      'events of 201',
      (res, asked) => json(res, event(done(asked)), 201, 'text/event-stream'),
      NOT_MCP,
    ],
    ['an error of 500', (res, asked) => json(res, failed(asked), 500), NOT_MCP],
    ['an error of 201', (res, asked) => json(res, failed(asked), 201), NOT_MCP],
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

  test('that has no end is not read to it', async () => {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const { url } = await before((res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!res.destroyed && res.write('x'.repeat(10_000)));
      };
      res.on('drain', more).on('close', resolve);
      more();
    });
    expect(await messageOf(await callBalance(url))).toMatchObject(UNREADABLE);
    await closed;
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
