/** A real service that ends under load: what it answered is in the evidence, however it ended. */
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { readEvidence } from '../../src/evidence/read.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { run, serve, type Serving } from './fixture.ts';
import { answeredIds, QUESTION, startLoad } from './load.ts';

const BUNDLE = fileURLToPath(new URL('../../bundles/payments.tar.gz', import.meta.url));
const CALLERS = 16;
/** More by `KILLS=200`. */
const KILLS = Number(process.env.KILLS ?? 20);
const ROUNDS = Math.ceil(KILLS / 5);

let folder: ReturnType<typeof privateFolder>;
const started: Serving[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const service of started.splice(0)) {
    if (service.child.exitCode === null && service.child.signalCode === null) {
      await service.stop('SIGKILL');
    }
  }
  folder.remove();
});

async function start(): Promise<Serving> {
  const state = join(folder.path, 'state');
  const service = await serve('--bundle', BUNDLE, '--data', state, '--listen', '127.0.0.1:0');
  started.push(service);
  return service;
}

/** How often each evaluation id stands in the evidence, and how often a torn end was cut off. */
async function recorded(): Promise<{ counts: Map<string, number>; recoveries: number }> {
  const counts = new Map<string, number>();
  let recoveries = 0;
  for await (const { kind, evaluation_id } of readEvidence(join(folder.path, 'state/evidence'))) {
    if (kind === 'recovery') recoveries += 1;
    if (evaluation_id) counts.set(evaluation_id, (counts.get(evaluation_id) ?? 0) + 1);
  }
  return { counts, recoveries };
}

test(
  `[E-23] after ${KILLS} × kill -9 under load each answered id is in the evidence, once`,
  async () => {
    const random = seededRandom(20);
    const answered: string[] = [];
    for (let kill = 0; kill < KILLS; kill += 1) {
      const service = await start();
      const load = startLoad(service, CALLERS, () => QUESTION);
      await load.more(50 + random.below(200));
      expect(await service.stop('SIGKILL')).toBe(null);
      await load.stop();
      expect(load.failures.length).toBeGreaterThan(0);
      answered.push(...answeredIds(load));
      const { counts } = await recorded();
      expect(answered.filter((id) => counts.get(id) !== 1)).toEqual([]);
    }
    expect(new Set(answered).size).toBe(answered.length);
    expect(answered.length).toBeGreaterThan(KILLS * 50);
    // The one after the last kill has nothing to mend that the next one would have to mend again.
    expect(await (await start()).stop('SIGTERM')).toBe(0);
    const { recoveries } = await recorded();
    expect(await (await start()).stop('SIGTERM')).toBe(0);
    expect((await recorded()).recoveries).toBe(recoveries);
  },
  (60 + KILLS * 10) * 1_000,
);

test(
  '[O-03] SIGTERM under load finishes what was accepted and loses nothing',
  async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const service = await start();
      const load = startLoad(service, CALLERS, () => QUESTION);
      await load.more(200);
      expect(await service.stop('SIGTERM')).toBe(0);
      await load.stop();
      // Nobody was cut off: who got no answer was not taken in any more.
      const codes = load.failures.map((error) => (error as { code?: string }).code);
      expect(codes.filter((code) => code !== 'ECONNREFUSED')).toEqual([]);
      expect(new Set(load.replies.map(({ status }) => status))).toEqual(new Set([200]));
      const { counts, recoveries } = await recorded();
      expect(answeredIds(load).filter((id) => counts.get(id) !== 1)).toEqual([]);
      expect(recoveries).toBe(0);
    }
    const { counts } = await recorded();
    expect(counts.size).toBeGreaterThan(ROUNDS * 200);
  },
  (60 + KILLS * 10) * 1_000,
);

test('[O-03] a second process on the same evidence is refused and harms nothing', async () => {
  const service = await start();
  const load = startLoad(service, CALLERS, () => QUESTION);
  await load.more(50);
  const state = join(folder.path, 'state');
  const second = await run('serve', '--bundle', BUNDLE, '--data', state, '--listen', '[::1]:0');
  expect([second.code, second.stderr]).toEqual([3, expect.stringContaining('EVIDENCE_LOCKED: ')]);
  await load.more(50);
  await load.stop();
  expect(load.failures).toEqual([]);
  expect(await service.stop('SIGTERM')).toBe(0);
  const { counts } = await recorded();
  expect(answeredIds(load).filter((id) => counts.get(id) !== 1)).toEqual([]);
});
