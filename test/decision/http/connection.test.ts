/** Where a connection goes, what it takes for an answer, and what it calls the rest. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '../foreign/processes.ts';
import { pretend, pretendAnswer, pretendRaw } from '../remote/fixture.ts';
import { failureOf, GET, opened, servers } from './fixture.ts';

afterEach(() => servers.close());

test('an answer is given whole, whatever its status, over TCP and over a socket', async () => {
  const socket = join(servers.folder(), 's');
  for (const at of [0, socket]) {
    const server = servers.keep(
      await pretend((request, body, response) => {
        const { method, url, headers } = request;
        const said = [method, url, headers['x-own'], String(body)].join(' ');
        response.writeHead(503, { 'x-said': 'so' }).end(said);
      }, at),
    );
    const connection = opened(at === 0 ? { origin: server.url } : { socket });
    const headers = { 'x-own': 'own' };
    const answer = await connection.send({ method: 'POST', path: '/a?b', headers, body: 'text' });
    expect(answer).toMatchObject({ status: 503, headers: { 'x-said': 'so' } });
    expect(Buffer.from(answer.body).toString()).toBe('POST /a?b own text');
  }
});

test('a folder that others can write is not trusted, and nobody in it is asked', async () => {
  const folder = servers.folder();
  const socket = join(folder, 's');
  let asked = 0;
  servers.keep(await pretendRaw(() => void (asked += 1), socket));
  chmodSync(folder, 0o777);
  const { message } = await failureOf(opened({ socket }).send(GET));
  expect(message).toMatch(/^untrusted: .* can be written by others/);
  expect(asked).toBe(0);
});

test('the folder is looked at again before each new connection', async () => {
  const folder = servers.folder();
  const socket = join(folder, 's');
  const server = await pretendAnswer(200, 'x', { connection: 'close' }, socket);
  servers.keep(server);
  const connection = opened({ socket });
  await expect(connection.send(GET)).resolves.toMatchObject({ status: 200 });
  chmodSync(folder, 0o777);
  expect((await failureOf(connection.send(GET))).message).toMatch(/^untrusted: /);
  chmodSync(folder, 0o700);
  await expect(connection.send(GET)).resolves.toMatchObject({ status: 200 });
});

test('without a socket, and without its folder, there is no socket', async () => {
  const folder = servers.folder();
  for (const socket of [join(folder, 's'), join(folder, 'gone', 's')]) {
    const failed = await failureOf(opened({ socket }).send(GET));
    expect(failed).toMatchObject({
      message: 'unreachable: there is no socket',
      cause: { code: 'ENOENT' },
    });
  }
});

/** Does with a connection what it is told once something came through it. */
const after = (act: (socket: Socket) => void) => (socket: Socket) => {
  socket.once('data', () => act(socket));
};

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-length: ';

test.each<[string, (socket: Socket) => void, string, string | undefined]>([
  [
    'that ends the connection',
    after((socket) => socket.destroy()),
    'it broke the connection off',
    'UND_ERR_SOCKET',
  ],
  [
    'that resets the connection',
    after((socket) => socket.resetAndDestroy()),
    'it broke the connection off',
    'ECONNRESET',
  ],
  [
    'that says too much',
    after((socket) => socket.write(`${HEAD}1001\r\n\r\n${'x'.repeat(1001)}`)),
    'its answer is larger than the limit',
    'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  ],
  [
    'that says more than it announced, bit by bit',
    after((socket) => {
      const chunk = `3e8\r\n${'x'.repeat(1000)}\r\n`;
      socket.write(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunk}${chunk}`);
    }),
    'its answer is larger than the limit',
    'UND_ERR_RES_EXCEEDED_MAX_SIZE',
  ],
  [
    'that speaks another language',
    after((socket) => socket.write('220 mail.example.com ESMTP\r\n')),
    'what came back was not an answer',
    undefined,
  ],
])('a server %s gave no answer', async (_what, act, reason, code) => {
  const { url } = servers.keep(await pretendRaw(act));
  const failed = await failureOf(opened({ origin: url }).send(GET));
  expect(failed.message).toBe(`unreachable: ${reason}`);
  expect((failed.cause as { code?: string }).code).toBe(code);
});

test('a server that closes before it has the whole request gave no answer', async () => {
  const { url } = servers.keep(await pretendRaw((socket) => socket.destroy()));
  const large = { ...GET, method: 'POST', body: 'x'.repeat(20_000_000) } as const;
  const { message } = await failureOf(opened({ origin: url }).send(large));
  expect(message).toBe('unreachable: it broke the connection off');
});

test('where nobody listens, and where no host is, nobody can be asked', async () => {
  const told = async (origin: string) => failureOf(opened({ origin }).send(GET));
  expect(await told(`http://127.0.0.1:${await freePort()}`)).toMatchObject({
    message: 'unreachable: nobody listens there',
    cause: { code: 'ECONNREFUSED' },
  });
  // No label of a host name is so long, so that no name server is asked.
  expect(await told(`http://${'x'.repeat(64)}.invalid`)).toMatchObject({
    message: 'unreachable: its host name is unknown',
    cause: { code: 'ENOTFOUND' },
  });
});

test('an answer of just the limit is taken', async () => {
  const { url } = servers.keep(await pretendAnswer(200, 'x'.repeat(1000)));
  expect((await opened({ origin: url }).send(GET)).body).toHaveLength(1000);
});
