/** The log on a disk that fails at any step: what was acknowledged is there, whatever happens. */
import { describe, expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { ENTRY, openLog, readAll } from '../support/evidence_log.ts';
import { FAULTS, type FakeDisk, type Fault, fakeDisk } from '../support/fake_disk.ts';
import { type SeededRandom, seededRandom } from '../support/seeded_random.ts';

const DIRECTORY = '/evidence';
const LIVES = 5;
/** More by `SEEDS=10000`. */
const SEEDS = Number(process.env.SEEDS ?? 1000);
/** A history takes some milliseconds, on a busy machine many. */
const TIMEOUT_MS = 30_000 + SEEDS * 200;

/** The details of the records that were acknowledged, by their index. */
type Acknowledged = Map<number, string>;

interface World {
  disk: FakeDisk;
  random: SeededRandom;
  acknowledged: Acknowledged;
}

function newWorld(seed: number): World {
  const random = seededRandom(seed);
  return { disk: fakeDisk(random), random, acknowledged: new Map() };
}

function open({ disk }: World): Promise<EvidenceLog> {
  return openLog(DIRECTORY, { files: disk, settings: { segment_bytes_max: 1500 } });
}

/** Appends several at once; keeps what was acknowledged. */
async function appendGroup({ random, acknowledged }: World, log: EvidenceLog): Promise<void> {
  const appends = Array.from({ length: 1 + random.below(6) }, async () => {
    const detail = String(random.below(1e9)).repeat(1 + random.below(20));
    acknowledged.set(await log.append({ ...ENTRY, detail }), detail);
  });
  const results = await Promise.allSettled(appends);
  const refused = results.filter((result) => result.status === 'rejected');
  const codes = new Set(refused.map(({ reason }) => codeOf(reason)));
  expect([[], ['EVIDENCE_UNWRITABLE']]).toContainEqual([...codes]);
}

function codeOf(error: unknown): unknown {
  return error instanceof PortcullisError ? error.code : error;
}

/** One process: opens the log, writes until something goes wrong or it had enough, ends somehow. */
async function live(world: World, fault: Fault | undefined, skip: number): Promise<void> {
  const { disk, random } = world;
  if (fault) disk.failAfter(skip, fault);
  const log = await open(world).catch((error: unknown) => {
    if (codeOf(error) !== 'EVIDENCE_UNWRITABLE' || !fault) throw error;
    return undefined;
  });
  for (let group = 0; log?.status().writable === true && group < 10; group += 1) {
    await appendGroup(world, log);
  }
  if (log && random.chance(0.5)) await log.close();
  disk.restart(fault !== 'kill' && random.chance(0.7) ? 'power_loss' : 'kill');
}

/** What must hold after all: each acknowledged record stands where it was acknowledged. */
async function lost(world: World): Promise<number[]> {
  const { disk, acknowledged } = world;
  await (await open(world)).close();
  const records = await readAll(DIRECTORY, { files: disk });
  return [...acknowledged]
    .filter(([index, detail]) => records[index]?.detail !== detail)
    .map(([index]) => index);
}

/** A few processes after each other, most of which something happens to. */
async function history(seed: number): Promise<World> {
  const world = newWorld(seed);
  for (let life = 0; life < LIVES; life += 1) {
    const fault = world.random.chance(0.9) ? world.random.pick(FAULTS) : undefined;
    await live(world, fault, world.random.below(25));
  }
  return world;
}

test(
  `nothing acknowledged is lost or changed, ${SEEDS} histories`,
  async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const outcome = await history(seed).then(lost).catch(String);
      expect({ seed, outcome }).toEqual({ seed, outcome: [] });
    }
  },
  TIMEOUT_MS,
);

describe.each(FAULTS)('%s at each operation in turn', (fault) => {
  test('loses nothing acknowledged', async () => {
    const quiet = newWorld(1);
    await live(quiet, undefined, 0);
    expect(quiet.disk.changes).toBeGreaterThan(10);
    for (let skip = 0; skip < quiet.disk.changes; skip += 1) {
      const world = newWorld(1);
      await live(world, fault, skip);
      await live(world, undefined, 0);
      expect({ skip, lost: await lost(world) }).toEqual({ skip, lost: [] });
      expect(world.acknowledged.size).toBeGreaterThan(0);
    }
  });
});

test('a disk that only claims to flush is found out, so this test can fail', async () => {
  const losses = await Promise.all(
    Array.from({ length: 20 }, async (_, seed) => {
      const world = newWorld(seed);
      world.disk.lie();
      await live(world, undefined, 0);
      world.disk.restart('power_loss');
      return (await lost(world).catch(() => [0])).length;
    }),
  );
  expect(losses.filter((count) => count > 0).length).toBeGreaterThan(10);
});
