/** A caller that goes away, and what it asked for. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import { recordingCore, send, start, TOKEN, type Started } from './fixture.ts';

const PATH = '/access/v1/evaluations';
const BODY = '{"evaluations":[{}]}';

let service: Started;
afterEach(() => service.close());

test('the core is told when the connection of a batch ends', async () => {
  const reached = Promise.withResolvers<AbortSignal>();
  const ended = Promise.withResolvers<void>();
  const core = recordingCore({
    async evaluations(_body, _caller, { signal } = {}) {
      if (!signal) throw new Error('there is no signal');
      reached.resolve(signal);
      if (!signal.aborted) await once(signal, 'abort');
      setImmediate(ended.resolve);
      throw new PortcullisError('DECISION_POINT_UNREACHABLE', 'the call was given up');
    },
  });
  service = await start(core);
  const socket = connect(service.port, '127.0.0.1');
  socket.write(
    `POST ${PATH} HTTP/1.1\r\nHost: localhost:${service.port}\r\nAuthorization: Bearer ${TOKEN}` +
      `\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`,
  );
  const signal = await reached.promise;
  expect(signal.aborted).toBe(false);
  socket.destroy();
  await ended.promise;
  expect(service.log.lines).toMatchObject([
    { level: 'info', message: 'a caller left before its answer' },
  ]);
  expect((await send(service.url, '/health/live', { method: 'GET' })).status).toBe(200);
});

test('a caller that waits is not taken for gone, at its second request either', async () => {
  const aborted: (boolean | undefined)[] = [];
  const core = recordingCore({
    async evaluations(_body, _caller, options) {
      aborted.push(options?.signal?.aborted);
      return { body: { evaluations: [] }, evaluation_id: 'id' };
    },
  });
  service = await start(core);
  const request =
    `POST ${PATH} HTTP/1.1\r\nHost: localhost:${service.port}\r\nAuthorization: Bearer ${TOKEN}` +
    `\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n`;
  const socket = connect(service.port, '127.0.0.1');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.write(`${request}\r\n${BODY}${request}Connection: close\r\n\r\n${BODY}`);
  await once(socket, 'close');
  expect([aborted, received.match(/HTTP\/1\.1 \d+/g)]).toEqual([
    [false, false],
    ['HTTP/1.1 200', 'HTTP/1.1 200'],
  ]);
});
