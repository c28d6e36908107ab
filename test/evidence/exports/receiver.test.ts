/** What the answers of a receiver on HTTP mean, and what it is sent. */
import { describe, expect, test } from '@jest/globals';
import type { HttpPost, HttpReceiver } from '../../../src/evidence/exports/receiver.ts';
import { postJson } from '../../../src/evidence/exports/receiver.ts';
import type { Delivery } from '../../../src/evidence/exports/types.ts';

const NOW_MS = Date.UTC(2027, 0, 1, 12);
const CLOCK = { now_ms: () => NOW_MS };
const NEVER = new AbortController().signal;

async function deliver(status: number, retry_after?: string): Promise<Delivery> {
  const receiver: HttpReceiver = {
    post: async () => ({ status, retry_after, body: Buffer.from('') }),
    close: async () => {},
  };
  return postJson(receiver, { path: '/', json: '[]', signal: NEVER }, CLOCK);
}

describe('a status', () => {
  test.each([200, 202, 204, 299])('%d takes the batch', async (status) => {
    expect(await deliver(status)).toEqual({ outcome: 'taken', rejected_records: 0 });
  });

  test.each([400, 413, 422])('%d refuses it', async (status) => {
    const reason = `the receiver answered with status ${status}`;
    expect(await deliver(status)).toEqual({ outcome: 'refused', reason });
  });

  // None says anything of a record: what was set wrong once would leave out everything.
  test.each([
    199, 300, 301, 302, 307, 308, 401, 403, 404, 405, 407, 408, 415, 425, 429, 500, 502, 503, 504,
  ])('%d is about the receiver, and the batch is sent again', async (status) => {
    const reason = `the receiver answered with status ${status}`;
    expect(await deliver(status)).toEqual({ outcome: 'away', reason, after_ms: 0 });
  });
});

test.each([
  ['7', 7000],
  ['0', 0],
  ['999999999', 3_600_000],
  ['9999999999', 3_600_000],
  ['Fri, 01 Jan 2027 12:00:30 GMT', 30_000],
  ['1 Jan 2027 12:00:30 GMT', 30_000],
  // Both forms are obsolete, and to be read (RFC 9110, section 5.6.7); the second is in GMT too.
  ['Friday, 01-Jan-27 12:00:30 GMT', 30_000],
  ['Fri Jan  1 12:00:30 2027', 30_000],
  ['Fri, 01 Jan 2027 11:00:00 GMT', 0],
  ['Sat, 01 Jan 2028 12:00:00 GMT', 3_600_000],
  ['soon', 0],
  ['-5', 0],
  ['', 0],
])('Retry-After %j is %d ms', async (value, after_ms) => {
  expect(await deliver(503, value)).toMatchObject({ outcome: 'away', after_ms });
});

test('a batch is compressed, and says so', async () => {
  const posts: HttpPost[] = [];
  const receiver: HttpReceiver = {
    post: async (post) => {
      posts.push(post);
      return { status: 200, retry_after: undefined, body: Buffer.from('') };
    },
    close: async () => {},
  };
  const json = JSON.stringify('x'.repeat(10_000));
  await postJson(receiver, { path: '/logs', json, signal: NEVER }, CLOCK);
  expect(posts).toMatchObject([
    {
      path: '/logs',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    },
  ]);
  expect(posts[0]!.body.length).toBeLessThan(1000);
});
