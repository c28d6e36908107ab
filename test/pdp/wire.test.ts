/** Bytes on a connection that HTTP libraries never send, or send only when they are told to. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { ALLOWED, recordingCore, send, sendRaw, start, TOKEN, type Started } from './fixture.ts';

const PATH = '/access/v1/evaluation';
const core = recordingCore();
let service: Started;
beforeAll(async () => {
  service = await start(core);
});
beforeEach(() => {
  core.asked.length = 0;
});
afterAll(() => service.close());

interface Parts {
  line?: string;
  /** In the place of the usual header of that name; null leaves it out. */
  host?: string | null;
  authorization?: string | null;
  /** Lines after the usual ones, with what frames the body. */
  more?: string;
  body?: string;
}

/** A right request as bytes, changed in one place; `PORT` stands for the port of the service. */
function bytesOf(parts: Parts): string {
  const usual = {
    line: `POST ${PATH} HTTP/1.1`,
    host: 'Host: localhost:PORT\r\n',
    authorization: `Authorization: Bearer ${TOKEN}\r\n`,
    more: 'Content-Length: 2\r\n',
    body: '{}',
  };
  const { line, host, authorization, more, body } = { ...usual, ...parts };
  const head = `${line}\r\n${host ?? ''}${authorization ?? ''}Content-Type: application/json\r\n`;
  const text = `${head}Connection: close\r\n${more}\r\n${body}`;
  return text.replaceAll('PORT', String(service.port));
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const CHUNKS = '2\r\n{}\r\n0\r\n\r\n';

test('the bytes that the cases below change are a right request', async () => {
  expect(await sendRaw(service.port, bytesOf({}))).toMatch(/^HTTP\/1\.1 200 /);
  const chunked = bytesOf({ more: CHUNKED, body: CHUNKS });
  expect(await sendRaw(service.port, chunked)).toMatch(/^HTTP\/1\.1 200 /);
  expect(core.asked).toHaveLength(2);
});

test.each<[string, Parts, number]>([
  ['a length and chunks', { more: `Content-Length: 2\r\n${CHUNKED}`, body: CHUNKS }, 400],
  ['chunks and a length', { more: `${CHUNKED}Content-Length: 2\r\n`, body: CHUNKS }, 400],
  ['one length twice', { more: 'Content-Length: 2\r\nContent-Length: 2\r\n' }, 400],
  ['two lengths', { more: 'Content-Length: 2\r\nContent-Length: 40\r\n' }, 400],
  ['a list of lengths', { more: 'Content-Length: 2, 2\r\n' }, 400],
  ['a length with a sign', { more: 'Content-Length: +2\r\n' }, 400],
  ['chunked twice', { more: 'Transfer-Encoding: chunked, chunked\r\n', body: CHUNKS }, 400],
  ['chunks that are packed', { more: 'Transfer-Encoding: gzip, chunked\r\n', body: CHUNKS }, 400],
  ['another framing', { more: 'Transfer-Encoding: xchunked\r\n', body: CHUNKS }, 400],
  ['no framing', { more: 'Transfer-Encoding: identity\r\n' }, 400],
  ['a space before a colon', { more: 'Transfer-Encoding : chunked\r\n', body: CHUNKS }, 400],
  ['a chunk line without CR', { more: CHUNKED, body: '2;a\n{}\r\n0\r\n\r\n' }, 400],
  ['an endless chunk extension', { more: CHUNKED, body: `2;${'a'.repeat(20_000)}` }, 413],
  ['a second host', { more: 'Host: localhost:PORT\r\nContent-Length: 2\r\n' }, 400],
  ['a strange second host', { more: 'Host: evil.example\r\nContent-Length: 2\r\n' }, 400],
  ['a second token', { more: `Authorization: Bearer ${TOKEN}\r\nContent-Length: 2\r\n` }, 400],
  ['a second type', { more: 'Content-Type: text/plain\r\nContent-Length: 2\r\n' }, 400],
  ['a second nonce', { more: `${'Portcullis-Nonce: a\r\n'.repeat(2)}Content-Length: 2\r\n` }, 400],
  ['a second time', { more: `${'Portcullis-Time: a\r\n'.repeat(2)}Content-Length: 2\r\n` }, 400],
  ['no host', { host: null }, 400],
  ['a host that goes on in the next line', { host: 'Host: localhost:PORT\r\n evil\r\n' }, 400],
  ['a header that goes on in the next line', { more: 'X: a\r\n b\r\nContent-Length: 2\r\n' }, 400],
  ['a NUL in a header', { more: 'X: a\0b\r\nContent-Length: 2\r\n' }, 400],
  ['a NUL in a name', { more: 'X\0: a\r\nContent-Length: 2\r\n' }, 400],
  ['a bare CR', { more: 'X: a\rb\r\nContent-Length: 2\r\n' }, 400],
  ['the target of another host', { line: `POST http://evil.example${PATH} HTTP/1.1` }, 400],
  ['a target with a user', { line: `POST http://a@localhost:PORT${PATH} HTTP/1.1` }, 400],
  ['a target that is none', { line: 'POST http://[/access HTTP/1.1' }, 404],
  ['a target without a path', { line: 'OPTIONS * HTTP/1.1' }, 404],
  ['a target beyond measure', { line: `POST /${'a'.repeat(20_000)} HTTP/1.1` }, 431],
  ['more headers than are kept', { more: 'a:\r\n'.repeat(2_000) }, 431],
  [
    'a web page behind many headers',
    { more: `${'a:\r\n'.repeat(900)}Origin: null\r\nContent-Length: 2\r\n` },
    403,
  ],
  ['HTTP/1.0 without a length', { line: `POST ${PATH} HTTP/1.0`, more: '' }, 400],
  ['HTTP/1.2', { line: `POST ${PATH} HTTP/1.2` }, 400],
  ['HTTP/2.0', { line: `POST ${PATH} HTTP/2.0` }, 400],
  ['an expectation that nobody knows', { more: 'Expect: 200-ok\r\nContent-Length: 2\r\n' }, 417],
  ['TRACE', { line: `TRACE ${PATH} HTTP/1.1` }, 405],
])('%s is refused', async (_what, parts, status) => {
  const answer = await sendRaw(service.port, bytesOf(parts));
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`]);
  expect(core.asked).toEqual([]);
  expect((await send(service.url, PATH, { body: '{}' })).body).toEqual(ALLOWED);
});

test.each([
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['the hello of TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'],
  ['lines that end without CR', `GET /health HTTP/1.1\nHost: localhost\n\n`],
])('%s is no HTTP/1.1', async (_what, bytes) => {
  expect(await sendRaw(service.port, bytes)).toMatch(/^HTTP\/1\.1 400 /);
});

test('a tunnel is not opened', async () => {
  const bytes = `CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:${service.port}\r\n\r\n`;
  expect(await sendRaw(service.port, bytes)).toBe('');
});

test.each<[string, Parts]>([
  ['an extension of a chunk', { more: CHUNKED, body: '2;a=b;c="d"\r\n{}\r\n0\r\n\r\n' }],
  ['an offer to change the protocol', { more: 'Upgrade: websocket\r\nContent-Length: 2\r\n' }],
  ['HTTP/1.0 with a host', { line: `POST ${PATH} HTTP/1.0` }],
  ['a target with its host', { line: `POST http://LOCALHOST:PORT${PATH} HTTP/1.1` }],
])('%s changes nothing', async (_what, parts) => {
  const answer = await sendRaw(service.port, bytesOf(parts));
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  expect(core.asked).toMatchObject([{ body: {}, caller: { id: 'caller' } }]);
});

test('what stands in a trailer is no header', async () => {
  const trailer = `2\r\n{}\r\n0\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`;
  const late = bytesOf({ authorization: null, more: CHUNKED, body: trailer });
  expect(await sendRaw(service.port, late)).toMatch(/^HTTP\/1\.1 401 /);
  const origin = '2\r\n{}\r\n0\r\nOrigin: http://evil.example\r\n\r\n';
  expect(await sendRaw(service.port, bytesOf({ more: CHUNKED, body: origin }))).toMatch(/ 200 /);
});

test('a client that waits for 100 gets it, and the answer after it', async () => {
  const more = 'Expect: 100-continue\r\nContent-Length: 2\r\n';
  const answer = await sendRaw(service.port, bytesOf({ more }));
  expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 100', 'HTTP/1.1 200']);
});
