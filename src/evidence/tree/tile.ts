/** Tiles: the tree cut into pieces of height 8, as C2SP tlog-tiles names and lays them out. */
import { HASH_BYTES } from './hash.ts';

/** Hashes in a full tile. */
export const TILE_WIDTH = 256;
export const TILE_HEIGHT = 8;
export const TILE_BYTES = TILE_WIDTH * HASH_BYTES;

/** A full tile: hashes `index` × 256 to `index` × 256 + 255 of its level. */
export interface Tile {
  level: number;
  index: number;
  hashes: Buffer;
}

/** `<level>/<index>`, the index as elements of three digits: `0/x001/x234/067`. */
export function tilePath(level: number, index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  const elements = padded.match(/\d{3}/g) as string[];
  const last = elements.pop() as string;
  return [level, ...elements.map((element) => `x${element}`), last].join('/');
}

/** How many hashes of a level a tree of this size has. */
export function hashesOf(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** How many levels of tiles a tree of this size has; the top one may hold a single hash. */
export function levelsOf(size: number): number {
  let levels = 0;
  while (hashesOf(levels, size) > 0) levels += 1;
  return levels;
}
