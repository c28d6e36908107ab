/**
 * Proves at a start that the log still is the one of which its checkpoint was signed, and finds
 * where its tree goes on. Usually from the tiles and from the records after them, so that a start
 * takes as long as what was written since; from all records where that is asked for, or where the
 * tiles do not come to the signed root.
 */
import { PortcullisError } from '../../errors.ts';
import type { EvidenceFiles } from '../files.ts';
import { readRecords } from '../records.ts';
import type { Checkpoint } from './checkpoint.ts';
import { GrowingTree } from './growing_tree.ts';
import { HASH_BYTES, foldHashes } from './hash.ts';
import { TILE_WIDTH, type Tile, hashesOf, levelsOf } from './tile.ts';
import type { TileStore } from './tile_store.ts';

/** How many full tiles are written at a time. */
export const TILES_AT_ONCE = 64;

export interface LogToProve {
  files: EvidenceFiles;
  directory: string;
  tiles: TileStore;
  checkpoint: Checkpoint | undefined;
  /** Number of durable records; at least as many as the checkpoint covers. */
  size: number;
  /** Whether all records are read. */
  from_all_records: boolean;
}

export interface ProvedLog {
  tree: GrowingTree;
  /** Full tiles that are not on disk yet. */
  waiting: Tile[];
  /** How many tiles that a checkpoint covers had to be built again. */
  repaired: number;
}

/** Throws `EVIDENCE_DAMAGED` where the records are not those that were signed. */
export async function proveLog(log: LogToProve): Promise<ProvedLog> {
  const { tree, repaired } = await proveSigned(log);
  const waiting: Tile[] = [];
  await grow(log, tree, log.size, async (tile) => {
    waiting.push(tile);
    if (waiting.length >= TILES_AT_ONCE) await log.tiles.write(waiting.splice(0));
  });
  return { tree, waiting, repaired };
}

/** The tree that the checkpoint covers, and how many of its tiles were built again. */
async function proveSigned(log: LogToProve): Promise<{ tree: GrowingTree; repaired: number }> {
  const { checkpoint } = log;
  if (!checkpoint) return { tree: new GrowingTree(), repaired: 0 };
  if (!log.from_all_records) {
    const tree = await fromTiles(log, checkpoint);
    if (tree) return { tree, repaired: 0 };
  }
  return fromAllRecords(log, checkpoint);
}

/** From the tiles and the records after them; undefined where that does not give the root. */
async function fromTiles(
  log: LogToProve,
  checkpoint: Checkpoint,
): Promise<GrowingTree | undefined> {
  const covered = checkpoint.size - (checkpoint.size % TILE_WIDTH);
  const last: Buffer[] = [];
  for (let level = 0; level < levelsOf(covered); level += 1) {
    const hashes = await lastTileOf(log.tiles, level, covered);
    if (!hashes) return undefined;
    last.push(hashes);
  }
  const tree = GrowingTree.of(covered, last);
  await grow(log, tree, checkpoint.size, async () => {});
  return checkpoint.root.equals(tree.root()) ? tree : undefined;
}

/** The hashes of the last tile of a level, each made from the full tile below it. */
async function lastTileOf(
  tiles: TileStore,
  level: number,
  size: number,
): Promise<Buffer | undefined> {
  const width = hashesOf(level, size) % TILE_WIDTH;
  const first = hashesOf(level, size) - width;
  const hashes = Buffer.alloc(width * HASH_BYTES);
  for (let at = 0; at < width; at += 1) {
    const below = await tiles.read(level - 1, first + at);
    if (!below) return undefined;
    hashes.set(foldHashes(below), at * HASH_BYTES);
  }
  return hashes;
}

/** From the records alone; builds the tiles again that are missing or hold something else. */
async function fromAllRecords(
  log: LogToProve,
  checkpoint: Checkpoint,
): Promise<{ tree: GrowingTree; repaired: number }> {
  const tree = new GrowingTree();
  let repaired = 0;
  let first_difference: number | undefined;
  await grow(log, tree, checkpoint.size, async (tile) => {
    const found = await log.tiles.read(tile.level, tile.index);
    if (found?.equals(tile.hashes)) return;
    repaired += 1;
    if (found && tile.level === 0) first_difference ??= firstDifference(tile, found);
  });
  if (!checkpoint.root.equals(tree.root())) throw otherRecords(log, checkpoint, first_difference);
  // Nothing is written before the records proved to be the signed ones.
  if (repaired > 0) await repairTiles(log, checkpoint);
  return { tree, repaired };
}

async function repairTiles(log: LogToProve, { size }: Checkpoint): Promise<void> {
  await grow(log, new GrowingTree(), size, async (tile) => {
    const found = await log.tiles.read(tile.level, tile.index);
    if (!found?.equals(tile.hashes)) await log.tiles.write([tile]);
  });
}

/** Adds the records up to a size; waits for what is done with each tile that becomes full. */
async function grow(
  { files, directory }: LogToProve,
  tree: GrowingTree,
  size: number,
  take: (tile: Tile) => Promise<void>,
): Promise<void> {
  const full: Tile[] = [];
  for await (const { leaf } of readRecords(files, directory, tree.size, size)) {
    tree.append(leaf, (tile) => full.push(tile));
    for (const tile of full.splice(0)) await take(tile);
  }
}

function firstDifference({ index, hashes }: Tile, found: Buffer): number {
  let at = 0;
  const hashOf = (tile: Buffer): Buffer => tile.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES);
  while (hashOf(hashes).equals(hashOf(found))) at += 1;
  return index * TILE_WIDTH + at;
}

function otherRecords(
  { directory }: LogToProve,
  { size }: Checkpoint,
  first_difference: number | undefined,
): PortcullisError {
  const place =
    first_difference === undefined
      ? placeOutsideTiles(size)
      : `record ${first_difference} is the first that is not in its tile`;
  return new PortcullisError(
    'EVIDENCE_DAMAGED',
    `the records in \`${directory}\` are not those of the checkpoint over ${size}: ${place}`,
  );
}

/** For records that no tile contradicts: there is none over them, or it was changed as well. */
function placeOutsideTiles(size: number): string {
  const after_tiles = size - (size % TILE_WIDTH);
  const together = 'a record was changed together with its tile';
  if (after_tiles === size) return together;
  const changed = `one of the records from ${after_tiles} on was changed`;
  return after_tiles === 0 ? changed : `${changed}, or ${together}`;
}
