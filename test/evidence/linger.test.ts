import { describe, expect, test } from '@jest/globals';
import { Linger } from '../../src/evidence/linger.ts';
import { ENTRY, openLog } from '../support/evidence_log.ts';
import { fakeDisk } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';

interface Case {
  flush_us: number;
  callers: number;
  waiting: number;
  linger_us_max: number;
}

/** Microseconds of a clock that moves 10 with each look, until the next flush begins. */
async function lingered({ flush_us, callers, waiting, linger_us_max }: Case): Promise<number> {
  let now_us = 0;
  const linger = new Linger(() => (now_us += 10), linger_us_max);
  for (let at = 0; at < 50; at += 1) linger.observe(flush_us, callers);
  const before = now_us;
  await linger.gather(() => waiting);
  return now_us - before - 10;
}

test.each<[string, Case, number]>([
  ['a fast disk', { flush_us: 100, callers: 16, waiting: 1, linger_us_max: 200 }, 10],
  ['one caller', { flush_us: 5000, callers: 1, waiting: 1, linger_us_max: 200 }, 0],
  ['all are back', { flush_us: 5000, callers: 16, waiting: 16, linger_us_max: 200 }, 0],
  ['a slow disk', { flush_us: 5000, callers: 16, waiting: 1, linger_us_max: 200 }, 200],
  ['a quarter of a flush', { flush_us: 600, callers: 16, waiting: 1, linger_us_max: 200 }, 150],
  ['switched off', { flush_us: 5000, callers: 16, waiting: 1, linger_us_max: 0 }, 10],
])('%s', async (_name, given, expected_us) => {
  const spent_us = await lingered(given);
  expect(Math.abs(spent_us - expected_us)).toBeLessThanOrEqual(10);
});

describe('callers that come back one after the other', () => {
  /** What a disk is asked to change, for eight callers with twenty records each. */
  async function changes(flush_us: number, linger_us_max: number): Promise<number> {
    const disk = fakeDisk(seededRandom(1));
    disk.flush_us = flush_us;
    const log = await openLog('/evidence', { files: disk, settings: { linger_us_max } });
    const before = disk.changes;
    const caller = async (turns: number): Promise<void> => {
      for (let at = 0; at < 20; at += 1) {
        await log.append(ENTRY);
        for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, at) => caller(at)));
    await log.close();
    return disk.changes - before;
  }

  test('share a flush of a slow disk', async () => {
    expect(await changes(5000, 1000)).toBeLessThan((await changes(5000, 0)) / 2);
  });

  test('wait for nobody on a fast disk', async () => {
    expect(await changes(20, 1000)).toBe(await changes(20, 0));
  });
});
