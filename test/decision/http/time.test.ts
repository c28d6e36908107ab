/** When a request ends without an answer, and what is left of it then. */
import { getEventListeners } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { pretend, pretendAnswer, pretendRaw } from '../remote/fixture.ts';
import { failureOf, GET, opened, servers } from './fixture.ts';

afterEach(() => servers.close());

const GIVEN_UP = { message: 'unreachable: the call was given up' };
const LATE = { message: 'unreachable: there was no whole answer within 100 ms' };

test('the time covers the wait for a connection, and the wait for another request', async () => {
  const mute = servers.keep(await pretendRaw(() => undefined));
  const handshake = opened({ origin: mute.url.replace('http', 'https') }, { timeout_ms: 100 });
  const order: string[] = [];
  const told = async (name: string, run: Promise<unknown>) => {
    expect(await failureOf(run)).toMatchObject(LATE);
    order.push(name);
  };
  await Promise.all([told('first', handshake.send(GET)), told('second', handshake.send(GET))]);
  expect(order).toEqual(['first', 'second']);
  const answer = opened({ origin: mute.url }, { timeout_ms: 100 });
  await Promise.all([told('first', answer.send(GET)), told('second', answer.send(GET))]);
});

test('the time covers an answer until its last byte', async () => {
  const { url } = servers.keep(
    await pretendRaw((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx')),
  );
  const slow = opened({ origin: url }, { timeout_ms: 100 });
  expect(await failureOf(slow.send(GET))).toMatchObject(LATE);
});

test('what is given up before or while it waits is not sent', async () => {
  const seen: (string | undefined)[] = [];
  const held = Promise.withResolvers<() => void>();
  const { url } = servers.keep(
    await pretend((request, _body, response) => {
      seen.push(request.url);
      if (request.url === '/held') held.resolve(() => response.end('x'));
      else response.end('x');
    }),
  );
  const connection = opened({ origin: url });
  const first = connection.send({ ...GET, path: '/held' });
  const release = await held.promise;
  const given = new AbortController();
  const { signal } = given;
  const waiting = connection.send({ ...GET, path: '/waiting', signal });
  given.abort();
  expect(await failureOf(waiting)).toMatchObject(GIVEN_UP);
  const late = connection.send({ ...GET, path: '/late', signal });
  expect(await failureOf(late)).toMatchObject(GIVEN_UP);
  release();
  await first;
  await connection.send({ ...GET, path: '/next' });
  expect(seen).toEqual(['/held', '/next']);
});

/** A server that never answers, and tells when it is asked and when it is left. */
async function silent() {
  const asked = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const { url } = servers.keep(
    await pretendRaw((socket) => {
      socket.on('close', () => closed.resolve());
      socket.once('data', () => asked.resolve());
    }),
  );
  return { url, asked: asked.promise, closed: closed.promise };
}

test('what is given up while it is answered ends with its connection', async () => {
  const { url, asked, closed } = await silent();
  const given = new AbortController();
  const answer = opened({ origin: url }).send({ ...GET, signal: given.signal });
  await asked;
  given.abort();
  expect(await failureOf(answer)).toMatchObject(GIVEN_UP);
  await closed;
});

test('what is over leaves no timer and no listener behind', async () => {
  const running = () =>
    process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const { signal } = new AbortController();
  const { url } = servers.keep(await pretendAnswer(200, 'x'));
  const { url: mute } = servers.keep(await pretendRaw((socket) => socket.destroy()));
  const before = running();
  await opened({ origin: url }).send({ ...GET, signal });
  await failureOf(opened({ origin: mute }).send({ ...GET, signal }));
  // Those of others may have ended meanwhile.
  expect(running()).toBeLessThanOrEqual(before);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('closing ends what is under way, and the connection', async () => {
  const { url, asked, closed } = await silent();
  const connection = opened({ origin: url });
  const failed = failureOf(connection.send(GET));
  await asked;
  await connection.close();
  expect((await failed).message).toMatch(/^unreachable: /);
  await closed;
});
