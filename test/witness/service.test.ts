/** add-checkpoint over HTTP, answer by answer of C2SP tlog-witness. */
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import {
  bodyOf,
  checkpointOf,
  consistencyOf,
  leafOf,
  logSigner,
  noteOf,
  recordText,
  recordTexts,
  sha256,
  witnessSigner,
} from '../support/small_log.ts';
import {
  bodyWith,
  cosignedAt,
  LOG,
  NOW_S,
  openScene,
  post,
  serveScene,
  submission,
  type SceneOptions,
} from './fixture.ts';

const FIVE = recordTexts(5);
const NINE = recordTexts(9);
const FORK = NINE.with(2, recordText(2, 'another'));

async function serve(options: SceneOptions = {}) {
  const scene = openScene(options);
  return { ...scene, url: await serveScene(scene) };
}

test('a log that grows is cosigned, each time as of now', async () => {
  let now_s = NOW_S;
  const { url, cosigner } = await serve({ now_s: () => now_s });
  for (const [old, size] of [
    [0, 5],
    [5, 9],
    [9, 9],
  ] as const) {
    now_s += 60;
    const [status, line] = await post(url, submission(old, NINE.slice(0, size)));
    expect(status).toBe(200);
    expect(cosignedAt(line, bodyOf(NINE.slice(0, size), LOG.name), cosigner)).toBe(now_s);
  }
});

test('a clock that is set back dates no later tree before an earlier one', async () => {
  let now_s = NOW_S;
  const { url, cosigner } = await serve({ now_s: () => now_s });
  await post(url, submission(0, FIVE));
  now_s -= 3600;
  const [, line] = await post(url, submission(5, NINE));
  expect(cosignedAt(line, bodyOf(NINE, LOG.name), cosigner)).toBe(NOW_S);
});

test('what was cosigned can be read, signed by log and witness and nobody else', async () => {
  const { url, cosigner } = await serve();
  const place = `${url}/${sha256(Buffer.from(LOG.name)).toString('hex')}/checkpoint`;
  expect((await fetch(place)).status).toBe(404);
  const stranger = witnessSigner('stranger.example');
  const [, line] = await post(url, submission(0, FIVE, [LOG, stranger]));
  const response = await fetch(place);
  expect([response.status, await response.text()]).toEqual([200, checkpointOf(FIVE, [LOG]) + line]);
  expect(cosignedAt(line, bodyOf(FIVE, LOG.name), cosigner)).toBe(NOW_S);
});

test('an old size that is not the last is answered with the last', async () => {
  const { url } = await serve();
  await post(url, submission(0, FIVE));
  for (const old of [0, 3, 6]) {
    const response = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      body: submission(old, NINE),
    });
    expect(response.headers.get('content-type')).toBe('text/x.tlog.size');
    expect([response.status, await response.text()]).toEqual([409, '5\n']);
  }
});

const leaves = NINE.map(leafOf);
const grown = checkpointOf(NINE, [LOG]);
const empty = `${LOG.name}\n0\n${sha256().toString('base64')}\n`;

// Each after the witness cosigned a tree of five.
test.each([
  ['an unknown log', submission(5, NINE, [logSigner('example.com/other')]), 404, 'LOG_UNKNOWN'],
  [
    'no signature of the log',
    submission(5, NINE, [logSigner(LOG.name)]),
    403,
    'LOG_SIGNATURE_ABSENT',
  ],
  [
    'a false signature of the log',
    bodyWith(5, consistencyOf(5, leaves), `${bodyOf(NINE, LOG.name)}\n${LOG.sign('x\n')}`),
    403,
    'SIGNATURE_INVALID',
  ],
  ['an old size above the new', submission(9, FIVE), 400, 'PROOF_MALFORMED'],
  [
    'a proof of another tree',
    bodyWith(5, consistencyOf(4, leaves), grown),
    422,
    'CONSISTENCY_UNPROVED',
  ],
  ['no proof', bodyWith(5, [], grown), 422, 'CONSISTENCY_UNPROVED'],
  [
    'a proof with one hash more',
    bodyWith(5, [...consistencyOf(5, leaves), leafOf('x')], grown),
    422,
    'CONSISTENCY_UNPROVED',
  ],
  ['a log that rewrote its past', submission(5, FORK), 422, 'CONSISTENCY_UNPROVED'],
  ['a fork of the same size', submission(5, FORK.slice(0, 5)), 422, 'LOG_FORKED'],
  ['no old size', `\n\n${grown}`, 400, 'PROOF_MALFORMED'],
  [
    'an old size with a zero in front',
    submission(5, NINE).replace('old 5', 'old 05'),
    400,
    'PROOF_MALFORMED',
  ],
  [
    'a line that is no hash',
    submission(5, NINE).replace('old 5\n', 'old 5\nhash\n'),
    400,
    'PROOF_MALFORMED',
  ],
  [
    '64 lines of proof',
    bodyWith(5, Array<Buffer>(64).fill(leafOf('x')), grown),
    400,
    'PROOF_MALFORMED',
  ],
  ['no checkpoint', 'old 5\n', 400, 'PROOF_MALFORMED'],
  ['no note', 'old 5\n\ntext\n', 400, 'NOTE_MALFORMED'],
  [
    'no checkpoint in the note',
    bodyWith(5, [], noteOf('text\n', [LOG])),
    400,
    'CHECKPOINT_MALFORMED',
  ],
  ['nothing', '', 400, 'PROOF_MALFORMED'],
  ['more than is read', submission(5, NINE) + 'x'.repeat(1_100_000), 413, 'TOO_LARGE'],
])('%s is not cosigned', async (_name, body, status, code) => {
  const { url, witness } = await serve();
  await post(url, submission(0, FIVE));
  const [found, text] = await post(url, body);
  expect([found, text.split(':')[0]]).toEqual([status, code]);
  expect(witness.latest(LOG.name)?.size).toBe(5);
});

test('a body without end is refused while it comes', async () => {
  const { url } = await serve();
  const sending = request(`${url}/add-checkpoint`, { method: 'POST' });
  sending.on('error', () => {});
  const answered = once(sending, 'response') as Promise<[IncomingMessage]>;
  const chunk = Buffer.alloc(65_536, 'a');
  let sent_bytes = 0;
  const sends = (): void => {
    sent_bytes += chunk.length;
    // What is not refused by then never is.
    if (sent_bytes > 2 ** 26) sending.destroy(new Error('all of it was taken'));
    else if (!sending.destroyed) sending.write(chunk, () => setImmediate(sends));
  };
  sends();
  const [response] = await answered;
  sending.destroy();
  expect(response.statusCode).toBe(413);
});

test('an empty tree is cosigned with the root of nothing, and with no other', async () => {
  const { url } = await serve();
  const wrong = noteOf(bodyOf(FIVE, LOG.name).replace('\n5\n', '\n0\n'), [LOG]);
  const [status, text] = await post(url, bodyWith(0, [], wrong));
  expect([status, text.split(':')[0]]).toEqual([422, 'ROOT_FALSE']);
  expect((await post(url, bodyWith(0, [leafOf('x')], noteOf(empty, [LOG]))))[0]).toBe(422);
  expect((await post(url, bodyWith(0, [], noteOf(empty, [LOG]))))[0]).toBe(200);
  expect((await post(url, bodyWith(0, [leafOf('x')], checkpointOf(FIVE, [LOG]))))[0]).toBe(422);
  expect((await post(url, submission(0, FIVE)))[0]).toBe(200);
});

test('a fork is told to the operator, whatever the request asked for', async () => {
  const { url, accusations } = await serve();
  await post(url, submission(0, FIVE));
  await post(url, submission(3, FORK.slice(0, 5)));
  expect(accusations).toEqual(['LOG_FORKED']);
});

test('each log has a memory of its own', async () => {
  const other = logSigner('example.com/other');
  const { url } = await serve({ logs: [LOG, other] });
  expect((await post(url, submission(0, FIVE)))[0]).toBe(200);
  expect((await post(url, submission(0, FORK, [other])))[0]).toBe(200);
  expect(await post(url, submission(0, FIVE, [other]))).toEqual([409, '9\n']);
});

test.each([
  ['GET', '/add-checkpoint', 405],
  ['GET', '/', 404],
  ['POST', '/sign-subtree', 404],
  ['GET', '/checkpoint', 404],
  ['GET', `/${'0'.repeat(64)}/checkpoint`, 404],
  ['POST', `/${sha256(Buffer.from(LOG.name)).toString('hex')}/checkpoint`, 404],
])('%s %s is answered %d', async (method, path, status) => {
  const { url } = await serve();
  expect((await fetch(url + path, { method })).status).toBe(status);
});

test('no two trees that contradict each other are cosigned, whoever comes first', async () => {
  const { url, witness } = await serve();
  const bodies = [1, 2, 3, 4, 5, 6, 7, 8, 9].flatMap((size) =>
    [0, 2, 4, 6].flatMap((old) => [
      submission(old, NINE.slice(0, size)),
      submission(old, FORK.slice(0, size)),
    ]),
  );
  const answers = await Promise.all(bodies.map((body) => post(url, body)));
  const cosigned = bodies.filter((_, at) => answers[at]?.[0] === 200);
  const sizes = cosigned.map((body) => Number(body.split('\n\n')[1]?.split('\n')[1]));
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  expect(witness.latest(LOG.name)?.size).toBe(sizes.at(-1));
  // Beyond the second entry the two histories differ: all that was cosigned is of one of them.
  const roots = (entries: readonly string[]) =>
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((size) => bodyOf(entries.slice(0, size), LOG.name));
  const isOf = (history: readonly string[]) =>
    cosigned.every((body) => roots(history).some((text) => body.includes(text)));
  expect(isOf(NINE) || isOf(FORK)).toBe(true);
  expect(cosigned.length).toBeGreaterThan(0);
});
