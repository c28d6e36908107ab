/** A real service as the kernel sees it: what leaves it, and when; and a disk that really fails. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readEvidence } from '../../src/evidence/read.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder, send, type Sent } from '../pdp/fixture.ts';
import {
  attachStrace,
  describeWithStrace,
  findEarlyAnswers,
  readTrace,
  traceArguments,
  type Strace,
} from '../support/strace.ts';
import { serve, type Serving } from './fixture.ts';
import { answeredIds, QUESTION, startLoad } from './load.ts';

const BUNDLE = fileURLToPath(new URL('../../bundles/payments.tar.gz', import.meta.url));

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

async function start(): Promise<Serving> {
  const state = join(folder.path, 'state');
  const service = await serve('--bundle', BUNDLE, '--data', state, '--listen', '127.0.0.1:0');
  const { child } = service;
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  opened.push({ close: () => isOver() || service.stop('SIGKILL') });
  return service;
}

async function trace({ child }: Serving, ...args: string[]): Promise<Strace> {
  const strace = await attachStrace(child.pid ?? 0, ...args);
  opened.push({ close: () => strace.detach() });
  return strace;
}

async function recordedIds(): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { evaluation_id } of readEvidence(join(folder.path, 'state', 'evidence'))) {
    if (evaluation_id) ids.add(evaluation_id);
  }
  return ids;
}

function get(service: Serving, path: string): Promise<Sent> {
  const [token] = readTokens(service.token_file);
  const headers = { authorization: `Bearer ${token?.token}` };
  return send(service.url, path, { method: 'GET', headers });
}

describeWithStrace('system calls of a service under load', () => {
  test.each([1, 16])(
    '[E-23] no answer leaves before the flush of its record returned, %i callers',
    async (callers) => {
      const service = await start();
      const file = join(folder.path, 'trace');
      const strace = await trace(service, ...traceArguments(file));
      const load = startLoad(service, callers, () => QUESTION);
      await load.more(300);
      await load.stop();
      await strace.detach();
      const { early, sent, flushes } = readTrace(file);
      const answered = answeredIds(load);
      expect(answered.length).toBeGreaterThanOrEqual(300);
      expect(answered.filter((id) => !sent.has(id))).toEqual([]);
      expect(early).toEqual([]);
      expect(flushes).toBeGreaterThan(300 / (callers + 1));
    },
  );

  test.each([
    ['EIO', 'fdatasync'],
    ['ENOSPC', 'pwrite64'],
    ['EROFS', 'pwrite64'],
  ])(
    '[E-23] after %s from %s nothing more is answered, and nothing taken back',
    async (...fault) => {
      const [error, call] = fault;
      const service = await start();
      await trace(service, '-e', `trace=${call}`, '-e', `inject=${call}:error=${error}:when=40+`);
      const load = startLoad(service, 8, () => QUESTION);
      await load.more(50);
      // The fault begins with the fortieth call of a thread, of which there are four.
      for (let i = 0; i < 1000 && load.replies.at(-1)?.status === 200; i += 1) await load.more(8);
      await load.more(50);
      await load.stop();
      const statuses = load.replies.map(({ status }) => status);
      expect(statuses).toContain(503);
      expect(new Set(statuses.slice(statuses.indexOf(503)))).toEqual(new Set([503]));
      const recorded = await recordedIds();
      expect(answeredIds(load).filter((id) => !recorded.has(id))).toEqual([]);

      const paths = ['/health/live', '/health/ready', '/health', '/v1/status'];
      const told = await Promise.all(paths.map((path) => get(service, path)));
      expect(told).toMatchObject([
        { status: 200, body: { live: true } },
        { status: 503, body: { ready: false } },
        { status: 200, body: { live: true, ready: false } },
        { status: 200, body: { ready: false, problem: expect.stringContaining(`(${error}`) } },
      ]);

      await service.stop('SIGTERM');
      const next = await start();
      expect((await get(next, '/health/ready')).status).toBe(200);
      const kept = await recordedIds();
      expect(answeredIds(load).filter((id) => !kept.has(id))).toEqual([]);
    },
  );
});

const A = '00000000-0000-4000-8000-00000000000a';
const B = '00000000-0000-4000-8000-00000000000b';
const write = (id: string): string => `7 pwrite64(21</e/0.log>, "${id}", 36, 0) = 36`;
const answer = (id: string): string => `7 write(23<socket:[5]>, "HTTP/1.1 200 OK${id}", 51) = 51`;
const FLUSH = '8 fdatasync(21</e/0.log>) = 0';
const BEGUN = '8 fdatasync(21</e/0.log> <unfinished ...>';
const RETURNED = '8 <... fdatasync resumed>) = 0';

test.each<[string, string[], string[]]>([
  ['write, flush, answer', [write(A), FLUSH, answer(A)], []],
  ['write, begin, end, answer', [write(A), BEGUN, RETURNED, answer(A)], []],
  ['an answer within the flush', [write(A), BEGUN, answer(A), RETURNED], [A]],
  ['an answer without a flush', [write(A), answer(A)], [A]],
  ['an answer without a record', [FLUSH, answer(A)], [A]],
  ['a flush that failed', [write(A), '8 fdatasync(21</e/0.log>) = -1 EIO (..)', answer(A)], [A]],
  ['a record after the begin', [write(A), BEGUN, write(B), RETURNED, answer(A), answer(B)], [B]],
  [
    'a write that failed',
    ['7 pwrite64(21</e/0.log>, "' + A + '", 36, 0) = -1 EIO', FLUSH, answer(A)],
    [A],
  ],
])('the trace of %s is judged', (_title, lines, early) => {
  expect(findEarlyAnswers(lines).early).toEqual(early);
});
