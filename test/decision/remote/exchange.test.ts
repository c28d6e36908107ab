/** What one exchange sends, takes and leaves behind. */
import { getEventListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { openExchanger, type RemoteAddress } from '../../../src/decision/remote/exchange.ts';
import { ALLOWED, privateFolder, READY, tokenOf } from '../../pdp/fixture.ts';
import { CALL, LIST, pretend, pretendAnswer, pretendRaw, remote } from './fixture.ts';

let folder: ReturnType<typeof privateFolder>;
let socket: string;
let point: DecisionPoint;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
  socket = join(folder.path, 'pdp.sock');
  point = remote({ socket });
});
afterEach(async () => {
  await point.close();
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

const none = (reason: string) => ({
  code: 'DECISION_POINT_UNREACHABLE',
  message: `the decision point gave no decision: ${reason}`,
});

test('a question is JSON and wants JSON, a look at the status has no body', async () => {
  const seen: { headers: IncomingHttpHeaders; method: string | undefined; body: string }[] = [];
  keep(
    await pretend(({ headers, method }, body, response) => {
      seen.push({ headers, method, body: String(body) });
      const answer = method === 'GET' ? READY : ALLOWED;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }, socket),
  );
  await point.decide(CALL);
  await point.describe();
  expect(seen).toMatchObject([
    {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(CALL),
    },
    { method: 'GET', headers: { accept: 'application/json' }, body: '' },
  ]);
  expect(seen[1]?.headers).not.toHaveProperty('content-type');
});

test('no socket in a folder that is not there', async () => {
  const nowhere = keep(remote({ socket: join(folder.path, 'gone', 'pdp.sock') }));
  await expect(nowhere.decide(CALL)).rejects.toMatchObject(none('there is no socket'));
});

test.each<[string, string, string, string]>([
  ['of a type that only ends so', 'text/x-application/json', 'x', 'not of the type'],
  ['deeper than the limit', 'application/json', '['.repeat(65) + ']'.repeat(65), '(too_deep)'],
])('an answer %s is none', async (_what, type, body, reason) => {
  keep(await pretendAnswer(200, body, { 'content-type': type }, socket));
  await expect(point.decide(CALL)).rejects.toMatchObject({
    code: 'DECISION_POINT_UNREACHABLE',
    message: expect.stringContaining(reason),
  });
});

test.each(['null', '{"error":null}', '[]', '{'])(
  'an error status with %s in it is no more than that',
  async (body) => {
    keep(await pretendAnswer(500, body, {}, socket));
    await expect(point.decide(CALL)).rejects.toMatchObject(none('it answered with status 500'));
  },
);

test('an exchange that breaks off tells its cause to the log', async () => {
  keep(await pretendRaw((connection) => connection.destroy(), socket));
  const failed = await point.decide(CALL).catch((error: unknown) => error);
  expect(failed).toMatchObject(none('it broke the connection off'));
  expect(failed).toHaveProperty('cause.code', expect.any(String));
});

test('an exchange that is over holds nothing: no timer, no listener', async () => {
  const patient = keep(remote({ socket }, { timeout_ms: 60_000 }));
  const running = () =>
    process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  const before = running();
  const given = new AbortController();
  const { signal } = given;
  const server = await pretendAnswer(200, ALLOWED, {}, socket);
  expect(await patient.decide(CALL, { signal })).toEqual(ALLOWED);
  await server.close();
  await expect(patient.decide(CALL, { signal })).rejects.toMatchObject(none('there is no socket'));
  expect(running()).toBe(before);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('an answer that names no policy is one, and so is an empty list', async () => {
  const { policy: _, ...context } = ALLOWED.context;
  const unnamed = { decision: true, context };
  const lists = [[unnamed, { decision: true }], [{ decision: true }, unnamed], []];
  let asked = 0;
  keep(
    await pretend(({ url }, _body, response) => {
      const evaluations = lists[asked];
      asked += Number(url?.endsWith('evaluations'));
      const answer = url?.endsWith('evaluations') ? { evaluations } : unnamed;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    }, socket),
  );
  expect(await point.decide(CALL)).toEqual(unnamed);
  for (const evaluations of lists) {
    const list = { ...LIST, evaluations: LIST.evaluations.slice(0, evaluations.length) };
    expect(await point.discover(list)).toEqual({ evaluations });
  }
});

test.each(['http://127.0.0.1:8181', 'http://127.0.0.1:8181/', 'https://pdp.example.com'])(
  'the url `%s` is one',
  (url) => {
    expect(keep(remote({ url }))).toBeDefined();
  },
);

test.each(['ftp://127.0.0.1', 'ws://127.0.0.1', 'file:///pdp'])(
  'the url `%s` is told what it should be',
  (url) => {
    expect(() => remote({ url })).toThrow(
      '`decision_point.url` is not of the form http://host:port',
    );
  },
);

describe('an answer with status 404', () => {
  const ask = (address: RemoteAddress, more: { may_be_absent?: true }): Promise<unknown> => {
    const settings = { address, timeout_ms: 300, answer_bytes_max: 1000, connections_max: 1 };
    const random = { id: () => crypto.randomUUID() };
    const exchanger = keep(openExchanger(settings, random, { now_ms: () => Date.now() }));
    return exchanger.send({ method: 'GET', path: '/v1/evidence/records/9', ...more });
  };
  const absent = { error: { code: 'WIRE_INVALID', message: 'no' } };

  test('is nothing where that may be, and else a fault', async () => {
    keep(await pretendAnswer(404, absent, {}, socket));
    expect(await ask({ socket }, { may_be_absent: true })).toBeUndefined();
    const fault = none('it answered with status 404 and WIRE_INVALID');
    await expect(ask({ socket }, {})).rejects.toMatchObject(fault);
  });

  test('is the only one that is', async () => {
    keep(await pretendAnswer(403, absent, {}, socket));
    const fault = none('it answered with status 403 and WIRE_INVALID');
    await expect(ask({ socket }, { may_be_absent: true })).rejects.toMatchObject(fault);
  });

  test('is nothing to who holds a token until it is proved', async () => {
    const { url } = keep(await pretendAnswer(404, absent));
    const asked = ask({ url, token: () => tokenOf([]) }, { may_be_absent: true });
    await expect(asked).rejects.toMatchObject({ code: 'DECISION_POINT_UNPROVED' });
  });
});
