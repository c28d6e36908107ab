import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { Client, Pool } from 'undici';
import type { DecisionCore } from '../../src/decision/types.ts';
import { ALLOWED, privateFolder, recordingCore, send, start, TOKEN } from './fixture.ts';
import type { Started } from './fixture.ts';

const PATH = '/access/v1/evaluation';
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

/** A core whose evaluations wait until they are released. */
function waitingCore(): { core: DecisionCore; release(): void; reached: Promise<void> } {
  const released = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  const evaluation: DecisionCore['evaluation'] = async () => {
    reached.resolve();
    await released.promise;
    return { body: ALLOWED, evaluation_id: 'evaluation-1' };
  };
  const core = recordingCore({ evaluation });
  return { core, release: released.resolve, reached: reached.promise };
}

async function openRaw({ port }: Started, bytes: string): Promise<Socket & { received: string }> {
  const socket = Object.assign(connect(port, '127.0.0.1'), { received: '' });
  socket.on('data', (chunk: Buffer) => {
    socket.received += chunk.toString();
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

test('what was accepted is finished, nothing new is taken, the socket file is gone', async () => {
  const folder = privateFolder();
  const { core, release, reached } = waitingCore();
  const socket = join(folder.path, 'pdp.sock');
  const service = await start(core, { socket });
  const client = new Client(service.url);
  opened.push({ close: () => client.destroy() });
  const answer = client.request({ method: 'POST', path: PATH, headers: HEADERS, body: '{}' });
  await reached;
  const closed = service.close();
  const refused = send(service.url, '/health/live', { method: 'GET' });
  await expect(refused).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  release();
  const { statusCode, headers, body } = await answer;
  expect([statusCode, await body.json(), headers.connection]).toEqual([200, ALLOWED, 'close']);
  await closed;
  expect(existsSync(socket)).toBe(false);
  folder.remove();
});

test('a client that keeps its connection busy does not hold the service up', async () => {
  const service = await start(recordingCore(), { drain_timeout_ms: 300_000 });
  const pool = new Pool(service.url, { connections: 4 });
  opened.push({ close: () => pool.destroy() });
  let running = true;
  const outcomes: unknown[] = [];
  const callers = Array.from({ length: 4 }, async () => {
    while (running) {
      const request = { method: 'POST', path: PATH, headers: HEADERS, body: '{}' } as const;
      const outcome = pool.request(request).then(async ({ statusCode, body }) => {
        await body.dump();
        return statusCode;
      });
      outcomes.push(await outcome.catch(() => 'refused'));
    }
  });
  while (outcomes.length < 100) await new Promise((resolve) => setTimeout(resolve, 5));
  await service.close();
  running = false;
  await Promise.all(callers);
  expect(new Set(outcomes)).toEqual(new Set([200, 'refused']));
});

test('a request that does not finish is cut off when the drain time is over', async () => {
  const { core, reached } = waitingCore();
  const service = await start(core, { drain_timeout_ms: 100 });
  const answer = send(service.url, PATH, { body: '{}' });
  const failed = expect(answer).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
  await reached;
  await service.close();
  await failed;
});

test.each([
  ['headers', `POST ${PATH} HTTP/1.1\r\nHost: localhost`],
  [
    'a body',
    `POST ${PATH} HTTP/1.1\r\nHost: localhost:PORT\r\nAuthorization: Bearer ${TOKEN}\r\n` +
      'Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{',
  ],
])('%s that do not come to an end are cut off', async (_what, bytes) => {
  const core = recordingCore();
  const service = await start(core, { request_timeout_ms: 200 });
  opened.push(service);
  const socket = await openRaw(service, bytes.replace('PORT', String(service.port)));
  await once(socket, 'close');
  expect(socket.received).toMatch(/^HTTP\/1\.1 408 /);
  expect(core.asked).toEqual([]);
  expect((await send(service.url, PATH, { body: '{}' })).status).toBe(200);
});

test('a client that breaks off in its body does no harm', async () => {
  const core = recordingCore();
  const service = await start(core);
  opened.push(service);
  const head =
    `POST ${PATH} HTTP/1.1\r\nHost: localhost:${service.port}\r\nAuthorization: Bearer ${TOKEN}` +
    '\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{';
  const socket = await openRaw(service, head);
  socket.destroy();
  await once(socket, 'close');
  expect((await send(service.url, PATH, { body: '{}' })).status).toBe(200);
  expect([core.asked.length, service.log.lines]).toEqual([1, []]);
});

test('headers larger than the limit are refused', async () => {
  const service = await start(recordingCore());
  opened.push(service);
  const socket = await openRaw(service, `GET /health HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  await once(socket, 'close');
  expect(socket.received).toMatch(/^HTTP\/1\.1 431 /);
});

test('connections over the limit are dropped, and the others are served', async () => {
  const service = await start(recordingCore(), { connections_max: 1 });
  opened.push(service);
  const first = await openRaw(service, '');
  const dropped = send(service.url, '/health/live', { method: 'GET' });
  await expect(dropped).rejects.toMatchObject({ code: 'UND_ERR_SOCKET' });
  first.destroy();
  await once(first, 'close');
  expect((await send(service.url, '/health/live', { method: 'GET' })).status).toBe(200);
});

test('requests that share a connection are answered in order', async () => {
  const service = await start(recordingCore());
  opened.push(service);
  const request = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\nHost: localhost:${service.port}\r\n${more}\r\n`;
  const socket = await openRaw(
    service,
    request('/health/live') + request('/nowhere') + request('/health', 'Connection: close\r\n'),
  );
  await once(socket, 'close');
  expect(socket.received.match(/HTTP\/1\.1 \d+/g)).toEqual([
    'HTTP/1.1 200',
    'HTTP/1.1 404',
    'HTTP/1.1 200',
  ]);
});

/** A request as bytes, on a connection that stays open. */
function requestBytes({ port }: Started, path: string, body: string): string {
  return (
    `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Bearer ${TOKEN}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`
  );
}

test('a request over the limit is told to come again, and health is always told', async () => {
  const { core, release, reached } = waitingCore();
  const service = await start(core, { requests_in_flight_max: 1 });
  opened.push(service);
  const first = send(service.url, PATH, { body: '{}' });
  await reached;
  const busy = await Promise.all([
    send(service.url, PATH, { body: '{}' }),
    send(service.url, '/v1/status', { method: 'GET' }),
  ]);
  const stranger = await send(service.url, PATH, { body: '{}', headers: { authorization: '' } });
  const health = await send(service.url, '/health/ready', { method: 'GET' });
  release();
  const message = 'more requests are being decided than the service takes at a time';
  const refused = [503, '1', { error: { code: 'OVERLOADED', message } }];
  expect(busy.map(({ status, headers, body }) => [status, headers['retry-after'], body])).toEqual([
    refused,
    refused,
  ]);
  expect([stranger.status, health.status, (await first).status]).toEqual([401, 200, 200]);
  expect((await send(service.url, PATH, { body: '{}' })).status).toBe(200);
  const line = { level: 'warn', message: 'requests over the limit are refused' };
  expect(service.log.lines).toMatchObject([line]);
});

test('requests that share a connection count one by one', async () => {
  const { core, release, reached } = waitingCore();
  const service = await start(core, { requests_in_flight_max: 2 });
  opened.push(service);
  const socket = await openRaw(service, requestBytes(service, PATH, '{}').repeat(4));
  await reached;
  await send(service.url, '/health/live', { method: 'GET' });
  socket.write(`GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  release();
  await once(socket, 'close');
  expect(socket.received.match(/HTTP\/1\.1 \d+/g)).toEqual(
    [200, 200, 503, 503, 404].map((status) => `HTTP/1.1 ${status}`),
  );
});

test('requests of one connection are all finished, what comes behind is not taken', async () => {
  const { core, release, reached } = waitingCore();
  const service = await start(core);
  const socket = await openRaw(service, requestBytes(service, PATH, '{}').repeat(3));
  await reached;
  await send(service.url, '/health/live', { method: 'GET' });
  const closed = service.close();
  socket.write(requestBytes(service, PATH, '{}') + requestBytes(service, '/nowhere', '{}'));
  release();
  await once(socket, 'close');
  await closed;
  expect(socket.received.match(/HTTP\/1\.1 \d+|Connection: [a-z-]+/g)).toEqual([
    ...['HTTP/1.1 200', 'Connection: keep-alive', 'HTTP/1.1 200', 'Connection: keep-alive'],
    ...['HTTP/1.1 200', 'Connection: close'],
  ]);
});

test('a client that closes its side before its answer is taken to be gone', async () => {
  const { core, release, reached } = waitingCore();
  const service = await start(core, { requests_in_flight_max: 1 });
  opened.push(service);
  const socket = await openRaw(service, requestBytes(service, PATH, '{}'));
  await reached;
  socket.end();
  await once(socket, 'close');
  release();
  expect(socket.received).toBe('');
  expect((await send(service.url, PATH, { body: '{}' })).status).toBe(200);
  expect(service.log.lines).toEqual([]);
});

test('a connection on which nothing moves is closed', async () => {
  const service = await start(recordingCore(), { idle_timeout_ms: 100 });
  opened.push(service);
  const socket = await openRaw(service, requestBytes(service, PATH, '{}'));
  await once(socket, 'close');
  expect(socket.received).toMatch(/^HTTP\/1\.1 200 /);
});

test('a client that does not take its answer does not keep its connection', async () => {
  const body = { evaluations: ['x'.repeat(32 * 1024 * 1024)] };
  const reached = Promise.withResolvers<void>();
  const evaluations: DecisionCore['evaluations'] = async () => {
    reached.resolve();
    return { body, evaluation_id: 'evaluation-1' };
  };
  const core = recordingCore({ evaluations });
  const service = await start(core, { idle_timeout_ms: 100, connections_max: 1 });
  opened.push(service);
  const deaf = await openRaw(service, '');
  opened.push({ close: () => deaf.destroy() });
  deaf.pause();
  deaf.write(requestBytes(service, '/access/v1/evaluations', '{}'));
  await reached.promise;
  const isServed = () => send(service.url, PATH, { body: '{}' }).catch(() => undefined);
  while (!(await isServed()));
});
