/**
 * The log on a disk that fails at any step: what was acknowledged is there, whatever happens, and
 * what was signed holds of all that comes after.
 */
import { describe, expect, test } from '@jest/globals';
import { PortcullisError } from '../../src/errors.ts';
import { readRecords } from '../../src/evidence/records.ts';
import { openNote } from '../../src/evidence/tree/note.ts';
import { tilePath } from '../../src/evidence/tree/tile.ts';
import { TileStore } from '../../src/evidence/tree/tile_store.ts';
import type { ProvableLog } from '../../src/evidence/types.ts';
import {
  ENTRY,
  type LoggedLine,
  openLog,
  readAll,
  recordingLogger,
  signerOf,
} from '../support/evidence_log.ts';
import { leafOf, mth } from '../support/merkle_oracle.ts';
import { FAULTS, type FakeDisk, type Fault, fakeDisk } from '../support/fake_disk.ts';
import { type SeededRandom, seededRandom } from '../support/seeded_random.ts';

const DIRECTORY = '/evidence';
const LIVES = 5;
/** More by `SEEDS=1000`. */
const SEEDS = Number(process.env.SEEDS ?? 200);
/** A history takes some milliseconds, on a busy machine many. */
const TIMEOUT_MS = 30_000 + SEEDS * 200;

/** The details of the records that were acknowledged, by their index. */
type Acknowledged = Map<number, string>;

interface World {
  disk: FakeDisk;
  random: SeededRandom;
  acknowledged: Acknowledged;
  /** Each checkpoint that anybody could have seen. */
  checkpoints: Set<string>;
  logged: LoggedLine[];
}

function newWorld(seed: number): World {
  const random = seededRandom(seed);
  return {
    disk: fakeDisk(random),
    random,
    acknowledged: new Map(),
    checkpoints: new Set(),
    logged: [],
  };
}

function open({ disk, logged }: World, prove_all_records = false): Promise<ProvableLog> {
  const settings = { segment_bytes_max: 6000, prove_all_records };
  return openLog(DIRECTORY, { files: disk, settings, log: recordingLogger(logged) });
}

/** Appends several at once; keeps what was acknowledged. */
async function appendGroup(
  { random, acknowledged }: World,
  log: ProvableLog,
  records: number,
): Promise<void> {
  const appends = Array.from({ length: records }, async () => {
    const detail = String(random.below(1e9)).repeat(records > 6 ? 1 : 1 + random.below(20));
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
    // Some fill a tile.
    await appendGroup(world, log, random.chance(0.05) ? 250 : 1 + random.below(6));
    if (random.chance(0.3)) await log.tree.sign().catch(() => {});
    world.checkpoints.add(log.tree.checkpoint());
  }
  if (log && random.chance(0.5)) await log.close();
  disk.restart(fault !== 'kill' && random.chance(0.7) ? 'power_loss' : 'kill');
}

/** What must hold after all: each acknowledged record stands where it was acknowledged. */
async function lost(world: World): Promise<number[]> {
  const { disk, acknowledged } = world;
  await (await open(world, true)).close();
  const records = await readAll(DIRECTORY, { files: disk });
  return [...acknowledged]
    .filter(([index, detail]) => records[index]?.detail !== detail)
    .map(([index]) => index);
}

async function leavesOf(disk: FakeDisk): Promise<Buffer[]> {
  const { length } = await readAll(DIRECTORY, { files: disk });
  const leaves: Buffer[] = [];
  for await (const { text } of readRecords(disk, DIRECTORY, 0, length)) leaves.push(leafOf(text));
  return leaves;
}

/** And each checkpoint is one of the tree over these records, and so is each tile. */
async function contradicted({ disk, checkpoints, logged }: World): Promise<string[]> {
  const leaves = await leavesOf(disk);
  const notes = [...checkpoints].filter((note) => {
    const opened = openNote(note, [signerOf(1).verifier]);
    const [, size, root] = ('text' in opened ? opened.text : '').split('\n');
    const isThere = Number(size) <= leaves.length;
    return !isThere || mth(leaves, [0, Number(size)]).toString('base64') !== root;
  });
  const tiles = new TileStore(disk, DIRECTORY);
  for (let index = 0; (index + 1) * 256 <= leaves.length; index += 1) {
    const expected = Buffer.concat(leaves.slice(index * 256, (index + 1) * 256));
    if (!(await tiles.read(0, index))?.equals(expected)) notes.push(tilePath(0, index));
  }
  // A crash is no damage: what a checkpoint covers never has to be built again.
  const built = logged.filter(({ message }) => message.includes('were built again'));
  return [...notes, ...built.map(({ message }) => message)];
}

/** What went wrong in a world, once its log was opened again. */
async function faults(world: World): Promise<{ lost: number[]; contradicted: string[] }> {
  return { lost: await lost(world), contradicted: await contradicted(world) };
}

const NONE = { lost: [], contradicted: [] };

/** A few processes after each other, most of which something happens to. */
async function history(seed: number): Promise<World> {
  const world = newWorld(seed);
  for (let life = 0; life < LIVES; life += 1) {
    const fault = world.random.chance(0.9) ? world.random.pick(FAULTS) : undefined;
    await live(world, fault, world.random.below(60));
  }
  return world;
}

test(
  `nothing acknowledged is lost or changed, and nothing signed, ${SEEDS} histories`,
  async () => {
    for (let seed = 0; seed < SEEDS; seed += 1) {
      const outcome = await history(seed).then(faults).catch(String);
      expect({ seed, outcome }).toEqual({ seed, outcome: NONE });
    }
  },
  TIMEOUT_MS,
);

/** Its first process writes more records than a tile holds, and signs before and after. */
const SEED_WITH_TILE = 6;

/** Every second operation; each of them where more histories are asked for as well. */
const STEP = SEEDS < 1000 ? 2 : 1;

describe.each(FAULTS)('%s at each operation in turn', (fault) => {
  const title = 'loses nothing acknowledged and nothing signed, with a tile that becomes full';
  const tried = async (): Promise<void> => {
    const quiet = newWorld(SEED_WITH_TILE);
    await live(quiet, undefined, 0);
    expect(quiet.acknowledged.size).toBeGreaterThan(256);
    expect(quiet.disk.changes).toBeGreaterThan(10);
    for (let skip = 0; skip < quiet.disk.changes; skip += STEP) {
      const world = newWorld(SEED_WITH_TILE);
      await live(world, fault, skip);
      await live(world, undefined, 0);
      expect({ skip, ...(await faults(world)) }).toEqual({ skip, ...NONE });
      expect(world.acknowledged.size).toBeGreaterThan(0);
    }
  };
  test(title, tried, TIMEOUT_MS);
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
