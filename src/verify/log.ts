/**
 * A whole log, read from its first entry to its last: each is a record at its place, the tiles are
 * those of the entries, and all of it adds up to what the log signed, now and before.
 */
import {
  openCheckpoint,
  type Checkpoint,
  type Trust,
  type TrustedCheckpoint,
} from './checkpoint.ts';
import { faultOf, Refuted, type Verified } from './fault.ts';
import { leafHash, rootOver } from './merkle.ts';
import { NOTE_BYTES_MAX } from './note.ts';
import { NO_WITNESSES } from './policy.ts';
import { readRecord } from './record.ts';
import { readEntries, readTile, TILE_WIDTH, type LogSource } from './tiles.ts';

export interface LogOptions {
  /** A checkpoint of the log that the reader kept; who witnessed that does not matter. */
  since?: Uint8Array;
  /** Judges the tree by its tiles, where the reader may not or cannot read the entries. */
  hashes_only?: boolean;
}

/** Judges a log. Rejects where the source does. */
export async function verifyLog(
  source: LogSource,
  trust: Trust,
  { since, hashes_only = false }: LogOptions = {},
): Promise<Verified<TrustedCheckpoint>> {
  try {
    const checkpoint = openCheckpoint(await readCheckpoint(source), trust);
    const old = since && openCheckpoint(since, { logs: trust.logs, policy: NO_WITNESSES });
    if (old) refuseOlder(old, checkpoint);
    const leaves = hashes_only ? readTiles : readRecords;
    await recompute(source, leaves, checkpoint, old);
    return { ok: true, value: checkpoint };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

/** The newest checkpoint of a log, as it is. Rejects with `TILE_MISSING`. */
export async function readCheckpoint(source: LogSource): Promise<Uint8Array> {
  const bytes = await source.read('checkpoint', NOTE_BYTES_MAX);
  if (!bytes) throw new Refuted('TILE_MISSING', '`checkpoint` is missing');
  return bytes;
}

/** What two checkpoints of a log show by themselves. */
export function refuseOlder(old: Checkpoint, now: Checkpoint): void {
  if (old.origin !== now.origin)
    throw new Refuted('LOG_UNKNOWN', 'the older checkpoint is of another log');
  if (now.size < old.size) throw new Refuted('LOG_TRUNCATED');
  if (now.size === old.size && !now.root.equals(old.root)) throw new Refuted('LOG_FORKED');
}

/** Nodes at the right edge, by level of tiles; at most a tile's width of each. */
type Edge = Buffer[][];

/** The leaf hashes of a bundle or tile of level 0. */
type ReadLeaves = (source: LogSource, size: number, index: number) => Promise<Buffer[]>;

const readRecords: ReadLeaves = async (source, size, index) => {
  const entries = await readEntries(source, size, index);
  return entries.map((entry, at) => {
    readRecord(entry, index * TILE_WIDTH + at);
    return leafHash(entry);
  });
};

const readTiles: ReadLeaves = (source, size, index) => readTile(source, size, [0, index]);

async function recompute(
  source: LogSource,
  readLeaves: ReadLeaves,
  now: Checkpoint,
  old: Checkpoint | undefined,
): Promise<void> {
  const edge: Edge = [[]];
  let has_begun_same = old === undefined || old.size === 0;
  let count = 0;
  for (let index = 0; count < now.size; index += 1) {
    for (const leaf of await readLeaves(source, now.size, index)) {
      (edge[0] as Buffer[]).push(leaf);
      count += 1;
      if (count === old?.size) has_begun_same = rootOf(edge).equals(old.root);
    }
    if ((edge[0] as Buffer[]).length === TILE_WIDTH)
      await closeTiles(source, now.size, edge, index);
  }
  await compareEdge(source, now.size, edge);
  if (!rootOf(edge).equals(now.root)) throw new Refuted('ROOT_FALSE');
  if (!has_begun_same) throw new Refuted('LOG_REWRITTEN');
}

/** Each tile that is full gives one node to the level above. */
async function closeTiles(
  source: LogSource,
  size: number,
  edge: Edge,
  index: number,
): Promise<void> {
  let at = index;
  for (let level = 0; edge[level]?.length === TILE_WIDTH; level += 1) {
    const nodes = edge[level] as Buffer[];
    await compareTile(source, size, [level, at], nodes);
    (edge[level + 1] ??= []).push(rootOver(nodes));
    edge[level] = [];
    at = Math.floor(at / TILE_WIDTH);
  }
}

async function compareEdge(source: LogSource, size: number, edge: Edge): Promise<void> {
  for (const [level, nodes] of edge.entries()) {
    if (nodes.length === 0) continue;
    const index = Math.floor(size / TILE_WIDTH ** (level + 1));
    await compareTile(source, size, [level, index], nodes);
  }
}

async function compareTile(
  source: LogSource,
  size: number,
  [level, index]: readonly [number, number],
  nodes: readonly Buffer[],
): Promise<void> {
  const tile = await readTile(source, size, [level, index]);
  if (!Buffer.concat(tile).equals(Buffer.concat(nodes))) throw new Refuted('TILE_FALSE');
}

/** The root over all levels: what is left of each is the last, smaller subtree of the one above. */
function rootOf(edge: Edge): Buffer {
  let rest: Buffer[] = [];
  for (const nodes of edge) {
    const all = [...nodes, ...rest];
    rest = all.length === 0 ? [] : [rootOver(all)];
  }
  return rootOver(rest);
}
