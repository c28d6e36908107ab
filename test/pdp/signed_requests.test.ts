/** A signed request counts once: what somebody saw on its way is of no use to them. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { SignedRequests } from '../../src/pdp/signed_requests.ts';
import { remote, CALL } from '../decision/remote/fixture.ts';
import { recordingCore, send, start, tokenOf, tokensOf, TOKEN, type Started } from './fixture.ts';
import { signedCall, signedHeaders } from './signed_fixture.ts';

const PATH = '/access/v1/evaluation';
const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

const refusedAs = (message: string): object => ({
  status: 401,
  challenge: 'Bearer realm="portcullis"',
  body: { error: { code: 'SIGNATURE_REFUSED', message } },
});

async function post(
  { url }: Started,
  headers: Record<string, string>,
  body = '{}',
  path = PATH,
): Promise<object> {
  const sent = await send(url, path, { body, headers });
  return { status: sent.status, challenge: sent.headers['www-authenticate'], body: sent.body };
}

test('a request is taken once, however often it comes', async () => {
  const core = recordingCore();
  const service = keep(await start(core));
  const headers = signedHeaders(signedCall());
  const sent = [1, 2, 3].map(() => post(service, headers));
  const statuses = (await Promise.all(sent)).map((each) => (each as { status: number }).status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(await post(service, headers)).toEqual(refusedAs('the request was taken before'));
  expect(core.asked).toHaveLength(1);
  expect(await post(service, signedHeaders(signedCall()))).toMatchObject({ status: 200 });
});

test('what a guard sent to a port that somebody grabbed counts once at the service', async () => {
  const captured: { path: string; headers: Record<string, string>; body: string }[] = [];
  const grabber = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const headers = request.headers as Record<string, string>;
      captured.push({ path: request.url ?? '', headers, body });
      response.writeHead(503).end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(grabber, 'listening');
  keep(grabber);
  const core = recordingCore();
  const service = keep(await start(core));
  const guard = keep(
    remote({ url: `http://127.0.0.1:${(grabber.address() as AddressInfo).port}` }),
  );
  await expect(guard.decide(CALL)).rejects.toMatchObject({ code: 'DECISION_POINT_UNREACHABLE' });
  const report = guard.report({ evaluation_id: 'unknown', status: 'executed' });
  await expect(report).rejects.toMatchObject({ code: 'DECISION_POINT_UNREACHABLE' });
  const statuses: unknown[] = [];
  for (const { path, headers, body } of [...captured, ...captured]) {
    const {
      authorization = '',
      'portcullis-nonce': nonce = '',
      'portcullis-time': time = '',
    } = headers;
    const signed = { authorization, 'portcullis-nonce': nonce, 'portcullis-time': time };
    statuses.push(await post(service, signed, body, path));
  }
  expect(statuses).toMatchObject([
    { status: 200 },
    { status: 200 },
    { status: 401 },
    { status: 401 },
  ]);
  expect(core.asked).toHaveLength(2);
});

test.each([
  ['too long ago', -61_000],
  ['in the future', 61_000],
])('a request that was signed %s is refused', async (_when, offset_ms) => {
  const core = recordingCore();
  const service = keep(await start(core));
  const time = new Date(Date.now() + offset_ms).toISOString();
  expect(await post(service, signedHeaders(signedCall({ time })))).toEqual(
    refusedAs('the request was signed more than 60 seconds from now'),
  );
  expect(core.asked).toEqual([]);
});

test.each(['', 'now', '2027-01-01T12:00:00+00:00'])('the time `%s` is none', async (time) => {
  const service = keep(await start(recordingCore()));
  expect(await post(service, signedHeaders(signedCall({ time })))).toMatchObject({
    status: 401,
    body: { error: { code: 'UNAUTHENTICATED' } },
  });
});

test('what was signed before the service began is refused', async () => {
  const time = new Date(Date.now() - 1_000).toISOString();
  const service = keep(await start(recordingCore()));
  expect(await post(service, signedHeaders(signedCall({ time })))).toEqual(
    refusedAs('the request was signed before what is remembered'),
  );
});

test('a token under two names does not let a request in twice', async () => {
  const tokens = tokensOf(tokenOf(['decide'], 'caller'), tokenOf(['decide'], 'other', TOKEN));
  const service = keep(await start(recordingCore(), {}, tokens));
  const headers = signedHeaders(signedCall());
  expect(await post(service, headers)).toMatchObject({ status: 200 });
  const renamed = headers.authorization?.replace('caller.', 'other.') ?? '';
  expect(await post(service, { ...headers, authorization: renamed })).toEqual(
    refusedAs('the request was taken before'),
  );
});

test('a bearer token is no signature, and may come with the same nonce again', async () => {
  const service = keep(await start(recordingCore()));
  const headers = { 'portcullis-nonce': crypto.randomUUID() };
  expect(await post(service, headers)).toMatchObject({ status: 200 });
  expect(await post(service, headers)).toMatchObject({ status: 200 });
});

describe('what is remembered', () => {
  const limits = { signature_age_seconds_max: 10, signed_requests_max: 3 };

  /** The seconds since the start at which requests are signed; the clock shows the latest. */
  function memory() {
    let now_ms = 0;
    const requests = new SignedRequests(limits, { now_ms: () => now_ms });
    return (token: string, second: number, proof: string, now = second): boolean => {
      now_ms = now * 1_000;
      return requests.take({ token, time_ms: second * 1_000, proof }) === undefined;
    };
  }

  test('over the limit no replay is let in, and who signs now goes on', () => {
    const take = memory();
    const fresh = Array.from({ length: 50 }, (_, i) => take('a', 1 + i / 10, `proof ${i}`));
    // The fourth of a second is the last that is taken of it: then that second is forgotten.
    expect(fresh.filter((taken) => taken)).toHaveLength(4 * 5);
    const again = Array.from({ length: 50 }, (_, i) => take('a', 1 + i / 10, `proof ${i}`, 6));
    expect(again).toEqual(again.map(() => false));
    expect([take('a', 6, 'now'), take('a', 7, 'next')]).toEqual([true, true]);
  });

  test('a caller that fills its memory takes nothing from another', () => {
    const take = memory();
    expect(take('quiet', 1, 'first')).toBe(true);
    for (let i = 0; i < 100; i += 1) take('loud', 1 + i / 50, `proof ${i}`);
    expect([take('quiet', 1, 'first', 3), take('quiet', 1, 'late', 3)]).toEqual([false, true]);
  });

  test('what is too old to be taken is forgotten, with the token that nobody uses', () => {
    let now_ms = 0;
    const requests = new SignedRequests(
      { ...limits, signed_requests_max: 100 },
      { now_ms: () => now_ms },
    );
    const sizes: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      now_ms = second * 1_000;
      requests.take({ token: `token ${second % 20}`, time_ms: now_ms, proof: String(second) });
      sizes.push(requests.size);
    }
    expect(Math.max(...sizes)).toBe(11);
    now_ms = 100_000;
    requests.take({ token: 'another', time_ms: now_ms, proof: 'last' });
    expect(requests.size).toBe(1);
  });
});
