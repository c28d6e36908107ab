/** Proofs over a tree that lies in tiles (RFC 6962, sections 2.1.1 and 2.1.2). */
import { EMPTY_ROOT, foldHashes, hashPair } from './hash.ts';
import { TILE_HEIGHT } from './tile.ts';

/** The tiles, wherever they are. */
export interface TileHashes {
  /** Hashes `from` to `from` + `count` - 1 of a level, which stand in one tile. */
  read(level: number, from: number, count: number): Promise<Uint8Array>;
}

/** PATH(index, D[size]), from the sibling of the leaf up. The index is below the size. */
export async function inclusionProof(
  tiles: TileHashes,
  index: number,
  size: number,
): Promise<Uint8Array[]> {
  const siblings: [number, number][] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      siblings.push([middle, to]);
      to = middle;
    } else {
      siblings.push([from, middle]);
      from = middle;
    }
  }
  return readAll(tiles, siblings.toReversed());
}

/** PROOF(older, D[newer]); nothing where one of the trees is empty or both are the same. */
export async function consistencyProof(
  tiles: TileHashes,
  older: number,
  newer: number,
): Promise<Uint8Array[]> {
  if (older === 0) return [];
  const parts: [number, number][] = [];
  let [from, to] = [0, newer];
  while (older < to) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      parts.push([middle, to]);
      to = middle;
    } else {
      parts.push([from, middle]);
      from = middle;
    }
  }
  // The verifier knows the older root itself, and needs no more where it is a whole subtree.
  if (from > 0) parts.push([from, to]);
  return readAll(tiles, parts.toReversed());
}

/** MTH(D[size]). */
export async function rootOf(tiles: TileHashes, size: number): Promise<Uint8Array> {
  return size === 0 ? EMPTY_ROOT : subtree(tiles, 0, size);
}

/** The root that a leaf and its proof come to (RFC 9162, section 2.1.3.2). */
export function rootOfInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Uint8Array {
  let [at, last, node] = [index, size - 1, leaf];
  for (const sibling of proof) {
    while (at % 2 === 0 && at === last && last > 0) [at, last] = [at / 2, last / 2];
    node = at % 2 === 1 ? hashPair(sibling, node) : hashPair(node, sibling);
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return node;
}

async function readAll(
  tiles: TileHashes,
  ranges: readonly [number, number][],
): Promise<Uint8Array[]> {
  const hashes: Uint8Array[] = [];
  for (const [from, to] of ranges) hashes.push(await subtree(tiles, from, to));
  return hashes;
}

/** MTH(D[from:to]), where `from` is a multiple of the largest subtree within. */
async function subtree(tiles: TileHashes, from: number, to: number): Promise<Uint8Array> {
  const count = to - from;
  const half = splitOf(count);
  if (count === 1 || count === 2 * half)
    return completeSubtree(tiles, Math.log2(count), from / count);
  const middle = from + half;
  return hashPair(await subtree(tiles, from, middle), await subtree(tiles, middle, to));
}

/** The root of the complete subtree of 2^height leaves that has this index among its like. */
async function completeSubtree(
  tiles: TileHashes,
  height: number,
  index: number,
): Promise<Uint8Array> {
  const level = Math.floor(height / TILE_HEIGHT);
  const count = 2 ** (height % TILE_HEIGHT);
  return foldHashes(await tiles.read(level, index * count, count));
}

/** The largest power of two below a number. */
function splitOf(count: number): number {
  let half = 1;
  while (half * 2 < count) half *= 2;
  return half;
}
