/** The limits of `pdp`. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { recordingCore, ALLOWED, send, sendRaw, start, TOKEN } from '../../pdp/fixture.ts';
import { startClocked } from '../../pdp/signed_fixture.ts';
import { callOf, ECHO, foreignBundle, CALLER, sceneOf } from '../../support/decisions.ts';
import { around, outcomeOf, type Probe, type TimeProbe } from './probe.ts';

const PATH = '/access/v1/evaluation';

/** The size is that of the path, and of the names and values of the headers. */
export function headerBytes(): Promise<Probe> {
  return around(4096, async (amount, header_bytes_max) => {
    const service = await start(recordingCore(), { header_bytes_max });
    const path = '/health/live';
    const headers = { Host: `localhost:${service.port}`, Connection: 'close', X: '' };
    const known = [path, ...Object.entries(headers).flat()].join('').length;
    const lines = Object.entries({ ...headers, X: 'x'.repeat(amount - known) })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    const answer = await sendRaw(service.port, `GET ${path} HTTP/1.1\r\n${lines}\r\n`);
    await service.close();
    return answer.slice(9, 12);
  });
}

export function bodyBytes(): Promise<Probe> {
  return around(2048, async (amount, body_bytes_max) => {
    const service = await start(recordingCore(), { body_bytes_max });
    const { status } = await send(service.url, PATH, { body: '{}'.padEnd(amount) });
    await service.close();
    return String(status);
  });
}

export function batchItems(): Promise<Probe> {
  return around(2, async (amount, batch_items_max) => {
    const bundle = await foreignBundle(ECHO, ['echo/result']);
    const { core } = await sceneOf(bundle, { batch_items_max });
    const { subject, action, resource, context } = callOf();
    const evaluations = Array.from({ length: amount }, () => ({ resource }));
    return outcomeOf(() => core.evaluations({ subject, action, context, evaluations }, CALLER));
  });
}

/** Two entries that share all they hold, so that each of its bytes counts twice. */
export function batchBytes(): Promise<Probe> {
  return around(4096, async (amount, batch_bytes_max) => {
    const { core } = await sceneOf(await foreignBundle(ECHO, ['echo/result']), { batch_bytes_max });
    const { subject, action, resource } = callOf();
    const known = [subject, action, resource, { text: '' }];
    const rest = known.reduce((bytes, entity) => bytes + JSON.stringify(entity).length, 0);
    const context = { text: 'x'.repeat(Math.floor(amount / 2) - rest) };
    const name = amount % 2 === 0 ? action.name : `${action.name}s`;
    const odd = { action: { ...action, name } };
    const batch = { subject, action, resource, context, evaluations: [{}, odd] };
    return outcomeOf(() => core.evaluations(batch, CALLER));
  });
}

/** One more signed request, of the second in which the first of them was signed. */
export function signedRequests(): Promise<Probe> {
  return around(2, async (amount, signed_requests_max) => {
    const { sendSigned, close } = await startClocked({ signed_requests_max });
    for (let second = 1; second <= amount; second += 1) await sendSigned(second);
    const outcome = await sendSigned(1.5);
    await close();
    return outcome;
  });
}

export function signatureAge(): Promise<Probe> {
  return around(10, async (amount, signature_age_seconds_max) => {
    const { sendSigned, close } = await startClocked({ signature_age_seconds_max });
    const outcome = await sendSigned(30 - amount);
    await close();
    return outcome;
  });
}

export function connections(): Promise<Probe> {
  return around(2, async (amount, connections_max) => {
    const service = await start(recordingCore(), { connections_max });
    const held: Socket[] = [];
    for (let i = 1; i < amount; i += 1) {
      const socket = connect(service.port, '127.0.0.1');
      await once(socket, 'connect');
      held.push(socket);
    }
    const asked = send(service.url, '/health/live', { method: 'GET' });
    const outcome = await asked.then(
      ({ status }) => String(status),
      () => 'dropped',
    );
    for (const socket of held) socket.destroy();
    await service.close();
    return outcome;
  });
}

export function requestsInFlight(): Promise<Probe> {
  return around(2, async (amount, requests_in_flight_max) => {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let waiting = 0;
    const evaluation = async () => {
      waiting += 1;
      if (waiting === amount - 1) reached.resolve();
      await released.promise;
      return { body: ALLOWED, evaluation_id: 'evaluation-1' };
    };
    const service = await start(recordingCore({ evaluation }), { requests_in_flight_max });
    const held = Array.from({ length: amount - 1 }, () => send(service.url, PATH, { body: '{}' }));
    if (held.length > 0) await reached.promise;
    const last = await send(service.url, '/v1/status', { method: 'GET' });
    released.resolve();
    await Promise.all(held);
    await service.close();
    return String(last.status);
  });
}

/** A connection that waits for an answer that is never made; one that is answered just ends. */
export async function idleTimeout(): Promise<TimeProbe> {
  const asked = async (replaced: Parameters<typeof recordingCore>[0]): Promise<string> => {
    const service = await start(recordingCore(replaced), { idle_timeout_ms: 50 });
    const head = `POST ${PATH} HTTP/1.1\r\nHost: localhost:${service.port}\r\n`;
    const rest = `Authorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
    const answer = await sendRaw(service.port, `${head}${rest}Content-Length: 2\r\n\r\n{}`);
    await service.close();
    return answer.slice(9, 12);
  };
  const never = asked({ evaluation: () => new Promise(() => {}) });
  return { soon: await asked({}), never: await never };
}

export async function requestTimeout(): Promise<TimeProbe> {
  const service = await start(recordingCore(), { request_timeout_ms: 50 });
  const head = `POST ${PATH} HTTP/1.1\r\nHost: localhost:${service.port}\r\nConnection: close\r\n`;
  const rest = `Authorization: Bearer ${TOKEN}\r\nContent-Type: application/json\r\n`;
  const soon = await sendRaw(service.port, `${head}${rest}Content-Length: 2\r\n\r\n{}`);
  const never = await sendRaw(service.port, `${head}${rest}Content-Length: 2\r\n\r\n{`);
  await service.close();
  return { soon: soon.slice(9, 12), never: never.slice(9, 12) };
}

/** A request that is being answered while the service closes. */
export async function drainTimeout(): Promise<TimeProbe> {
  const answered = async (after_ms: number | undefined): Promise<string> => {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const evaluation = async () => {
      reached.resolve();
      await released.promise;
      return { body: ALLOWED, evaluation_id: 'evaluation-1' };
    };
    const drain_timeout_ms = after_ms === undefined ? 50 : 60_000;
    const service = await start(recordingCore({ evaluation }), { drain_timeout_ms });
    const answer = send(service.url, PATH, { body: '{}' }).then(
      ({ status }) => String(status),
      () => 'cut off',
    );
    await reached.promise;
    const closed = service.close();
    if (after_ms !== undefined) released.resolve();
    const outcome = await answer;
    released.resolve();
    await closed;
    return outcome;
  };
  return { soon: await answered(0), never: await answered(undefined) };
}
