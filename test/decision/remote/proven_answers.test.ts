/** A proof says who answered, not that the answer is one: whatever else is wrong still counts. */
import { gzipSync } from 'node:zlib';
import { afterEach, expect, test } from '@jest/globals';
import {
  answerProof,
  keysOf,
  PROOF_HEADERS,
  type AskedRequest,
} from '../../../src/contract/proof.ts';
import { ALLOWED, TOKEN } from '../../pdp/fixture.ts';
import { CALL, LIST, pretend, remote } from './fixture.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

function keep<T extends { close(): unknown }>(each: T): T {
  opened.push(each);
  return each;
}

interface Said {
  status?: number;
  body?: Buffer;
  headers?: Record<string, string>;
  /** Of the right proof, what is sent. */
  proof?: (right: string) => string | string[];
}

const PLAIN = Buffer.from(JSON.stringify(ALLOWED));

/** Holds the token and the port, and answers each request so. */
async function answering(say: Said | ((request: AskedRequest) => Said)): Promise<string> {
  const server = await pretend(({ headers, method = '', url: target = '' }, sent, response) => {
    const request = { nonce: String(headers[PROOF_HEADERS.nonce]), method, target, body: sent };
    const said = typeof say === 'function' ? say(request) : say;
    const { status = 200, body = PLAIN, proof = (right: string) => right } = said;
    const right = answerProof(keysOf(TOKEN), request, { status, body });
    response.writeHead(status, {
      'content-type': 'application/json',
      [PROOF_HEADERS.proof]: proof(right),
      ...said.headers,
    });
    response.end(body);
  });
  return keep(server).url;
}

test('a proven answer is taken, so that what follows is refused for itself', async () => {
  const url = await answering({});
  expect(await keep(remote({ url })).decide(CALL)).toEqual(ALLOWED);
});

test.each<[string, (right: string) => string | string[]]>([
  ['cut off', (right) => right.slice(0, -1)],
  ['half', (right) => right.slice(0, right.length / 2)],
  ['longer', (right) => `${right}A`],
  ['in another case', (right) => right.toLowerCase()],
  ['padded', (right) => `${right}=`],
  ['sent twice', (right) => [right, right]],
  ['one of two', (right) => [right, 'A']],
  ['one in a list', (right) => `A, ${right}`],
])('a proof that is %s is none', async (_what, proof) => {
  const url = await answering({ proof });
  await expect(keep(remote({ url })).decide(CALL)).rejects.toMatchObject({
    code: 'DECISION_POINT_UNPROVED',
  });
});

test.each([301, 302, 303, 307, 308])(
  'a redirect %i is not followed, though it is proved and leads to an allow',
  async (status) => {
    let visited = 0;
    const there = keep(
      await pretend((_request, _body, response) => {
        visited += 1;
        response.writeHead(200, { 'content-type': 'application/json' }).end(PLAIN);
      }),
    );
    const url = await answering({ status, headers: { location: `${there.url}/` } });
    await expect(keep(remote({ url })).decide(CALL)).rejects.toMatchObject({
      code: 'DECISION_POINT_UNREACHABLE',
      message: `the decision point gave no decision: it answered with status ${status}`,
    });
    expect(visited).toBe(0);
  },
);

const TOO_LARGE = Buffer.from(JSON.stringify({ ...ALLOWED, padding: ' '.repeat(10_000) }));

test.each<[string, Said, string]>([
  [
    'compressed',
    { body: gzipSync(PLAIN), headers: { 'content-encoding': 'gzip' } },
    'its answer is not taken as JSON',
  ],
  [
    'compressed to the size of a decision and huge behind it',
    { body: gzipSync(' '.repeat(1_000_000)), headers: { 'content-encoding': 'gzip' } },
    'its answer is not taken as JSON',
  ],
  ['too large', { body: TOO_LARGE }, 'its answer is larger than the limit'],
  ['with nothing in it', { body: Buffer.alloc(0) }, 'its answer is not taken as JSON (malformed)'],
  [
    'not in UTF-8',
    { body: Buffer.from(JSON.stringify(ALLOWED), 'utf16le') },
    'its answer is not taken as JSON',
  ],
  ['of no content', { status: 204, body: Buffer.alloc(0) }, 'it answered with status 204'],
])('an answer that is %s is none, though it is proved', async (_what, said, reason) => {
  const point = keep(remote({ url: await answering(said) }));
  await expect(point.decide(CALL)).rejects.toMatchObject({
    code: 'DECISION_POINT_UNREACHABLE',
    message: expect.stringContaining(`the decision point gave no decision: ${reason}`),
  });
});

test('the answer to a list is none to a call, and the other way round', async () => {
  const url = await answering(({ target }) => ({
    body: target.endsWith('s') ? PLAIN : Buffer.from('{"evaluations":[]}'),
  }));
  const point = keep(remote({ url }));
  const none = { code: 'DECISION_POINT_UNREACHABLE' };
  await expect(point.decide(CALL)).rejects.toMatchObject(none);
  await expect(point.discover(LIST)).rejects.toMatchObject(none);
});

test('no two requests share a nonce, whatever they ask', async () => {
  const nonces: string[] = [];
  const url = await answering(({ nonce }) => {
    nonces.push(nonce);
    return { status: 503 };
  });
  const point = keep(remote({ url }));
  const asked = [point.decide(CALL), point.decide(CALL), point.discover(LIST), point.describe()];
  await Promise.allSettled(asked);
  expect(new Set(nonces).size).toBe(4);
});
