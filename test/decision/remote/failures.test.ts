/** Whatever a socket may hand out instead of a decision. No token here: the folder is the proof. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DecisionPoint } from '../../../src/contract/decision_point.ts';
import { ALLOWED, privateFolder, READY } from '../../pdp/fixture.ts';
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

async function expectNoDecision(reason: string): Promise<void> {
  // Only for what never comes nobody waits long.
  const asked = reason === LATE ? keep(remote({ socket }, { timeout_ms: 300 })) : point;
  await expect(asked.decide(CALL)).rejects.toMatchObject({
    code: 'DECISION_POINT_UNREACHABLE',
    message: `the decision point gave no decision: ${reason}`,
  });
}

const LATE = 'there was no whole answer within 300 ms';
const BROKEN = 'it broke the connection off';
const NO_ANSWER = 'what came back was not an answer';
const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n';

function drip(target: Socket, bytes: string): void {
  let sent = 0;
  const timer = setInterval(() => {
    if (target.destroyed || sent >= bytes.length) clearInterval(timer);
    else target.write(bytes[sent] as string);
    sent += 1;
  }, 20);
}

const whole = JSON.stringify(ALLOWED);

test.each<[string, string, (connection: Socket) => void]>([
  ['hangs', LATE, () => {}],
  ['reads and hangs', LATE, (connection) => connection.resume()],
  ['drips its headers', LATE, (connection) => drip(connection, `${HEAD}\r\n`)],
  [
    'drips its body',
    LATE,
    (connection) => {
      connection.write(`${HEAD}Content-Length: ${whole.length}\r\n\r\n`);
      drip(connection, whole);
    },
  ],
  [
    'stops in its body',
    LATE,
    (connection) => connection.write(`${HEAD}Content-Length: ${whole.length}\r\n\r\n{`),
  ],
  ['breaks off', BROKEN, (connection) => connection.destroy()],
  ['closes', BROKEN, (connection) => connection.end()],
  [
    'closes in its body',
    BROKEN,
    (connection) => connection.end(`${HEAD}Content-Length: ${whole.length}\r\n\r\n{`),
  ],
  ['speaks something else', NO_ANSWER, (connection) => connection.end('220 mail ready\r\n')],
  ['sends headers without end', NO_ANSWER, (c) => c.end(`${HEAD}X: ${'x'.repeat(20_000)}\r\n\r\n`)],
  [
    'contradicts itself about the length',
    NO_ANSWER,
    (c) => c.end(`${HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}`),
  ],
  [
    'sends a body without end',
    'its answer is larger than the limit',
    (connection) => {
      connection.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
      for (let sent = 0; sent < 100; sent += 1) connection.write(`400\r\n${' '.repeat(1024)}\r\n`);
    },
  ],
])('a decision point that %s gives no decision', async (_what, reason, act) => {
  keep(await pretendRaw((connection) => connection.once('data', () => act(connection)), socket));
  await expectNoDecision(reason);
});

test('nobody there gives no decision', async () => {
  await expectNoDecision('there is no socket');
});

test('a decision that comes too late is none', async () => {
  keep(
    await pretend((_request, _body, response) => {
      setTimeout(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end(whole),
        400,
      );
    }, socket),
  );
  await expectNoDecision(LATE);
});

test.each<[string, number, unknown, string]>([
  ['500', 500, ALLOWED, 'it answered with status 500'],
  ['201', 201, ALLOWED, 'it answered with status 201'],
  ['302', 302, ALLOWED, 'it answered with status 302'],
  [
    '503 with a code of ours',
    503,
    { error: { code: 'POLICY_ABSENT', message: 'x' } },
    'it answered with status 503 and POLICY_ABSENT',
  ],
  ['401 with a strange code', 401, { error: { code: 'x`' } }, 'it answered with status 401'],
  ['an empty body', 200, '', 'its answer is not taken as JSON (malformed)'],
  ['half a body', 200, whole.slice(0, -1), 'its answer is not taken as JSON (malformed)'],
  [
    'two decisions in one',
    200,
    `{"decision":false,${whole.slice(1)}`,
    'its answer is not taken as JSON (duplicate_name)',
  ],
  ['no object', 200, true, 'its answer is not of the agreed shape (type at ``)'],
  [
    'no context',
    200,
    { decision: true },
    'its answer is not of the agreed shape (required at `/context`)',
  ],
  [
    'a decision that is no boolean',
    200,
    { ...ALLOWED, decision: 'true' },
    'its answer is not of the agreed shape (type at `/decision`)',
  ],
  [
    'an unknown member',
    200,
    { ...ALLOWED, allow: true },
    'its answer is not of the agreed shape (additionalProperties at `/allow`)',
  ],
  [
    'an unknown outcome',
    200,
    { ...ALLOWED, context: { ...ALLOWED.context, outcome: 'maybe' } },
    'its answer is not of the agreed shape (enum at `/context/outcome`)',
  ],
  [
    'a decision against its outcome',
    200,
    { ...ALLOWED, context: { ...ALLOWED.context, outcome: 'require_approval' } },
    'its answer contradicts itself',
  ],
])('an answer with %s is no decision', async (_what, status, body, reason) => {
  keep(await pretendAnswer(status, body, {}, socket));
  await expectNoDecision(reason);
});

test.each(['text/html', 'application/jsonx', ''])(
  'an answer of type `%s` is none',
  async (type) => {
    keep(await pretendAnswer(200, '<html>', { 'content-type': type }, socket));
    await expectNoDecision('its answer is not of the type application/json');
  },
);

test('a list with an answer too few or too many is none', async () => {
  for (const answers of [1, 3]) {
    const evaluations = new Array(answers).fill({ decision: true });
    const server = await pretendAnswer(200, { evaluations }, {}, socket);
    await expect(point.discover(LIST)).rejects.toMatchObject({
      code: 'DECISION_POINT_UNREACHABLE',
      message: `the decision point gave no decision: it answered ${answers} of 2 entries`,
    });
    await server.close();
  }
});

test('a status and a report fail as a decision does', async () => {
  keep(await pretendAnswer(200, { ready: 'yes' }, {}, socket));
  await expect(point.describe()).rejects.toMatchObject({ code: 'DECISION_POINT_UNREACHABLE' });
  await point.close();
  const outcome = { evaluation_id: 'evaluation-1', status: 'executed' } as const;
  await expect(point.report(outcome)).rejects.toMatchObject({ code: 'DECISION_POINT_UNREACHABLE' });
});

test('a call that is given up ends at once, before and during', async () => {
  keep(await pretendRaw((connection) => connection.resume(), socket));
  const given = new AbortController();
  const decided = point.decide(CALL, { signal: given.signal });
  given.abort();
  const gone = {
    code: 'DECISION_POINT_UNREACHABLE',
    message: 'the decision point gave no decision: the call was given up',
  };
  await expect(decided).rejects.toMatchObject(gone);
  await expect(point.decide(CALL, { signal: given.signal })).rejects.toMatchObject(gone);
});

test('waiting for a connection counts', async () => {
  keep(await pretendRaw((connection) => connection.resume(), socket));
  const calls = Array.from({ length: 12 }, () => point.decide(CALL));
  const results = await Promise.allSettled(calls);
  expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['rejected']));
});

test('a folder that others can write is not trusted, from the moment that they can', async () => {
  keep(await pretendAnswer(200, ALLOWED, { connection: 'close' }, socket));
  expect(await point.decide(CALL)).toEqual(ALLOWED);
  chmodSync(folder.path, 0o777);
  await expect(point.decide(CALL)).rejects.toMatchObject({
    code: 'DECISION_POINT_UNPROVED',
    message:
      "the folder of the decision point's socket is not to be trusted: " +
      `\`${folder.path}\` can be written by others (run: chmod go-w ${folder.path})`,
  });
});

test('after each failure the next answer counts', async () => {
  for (let round = 0; round < 3; round += 1) {
    const hung = await pretendRaw((connection) => connection.destroy(), socket);
    await expectNoDecision(BROKEN);
    await hung.close();
    await expectNoDecision('there is no socket');
    const right = await pretendAnswer(200, ALLOWED, {}, socket);
    expect(await point.decide(CALL)).toEqual(ALLOWED);
    await right.close();
  }
  const status = keep(await pretendAnswer(200, READY, {}, socket));
  expect([await point.describe(), status.url]).toEqual([READY, 'http://127.0.0.1:0']);
});
