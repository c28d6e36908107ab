/** The files of a log (C2SP tlog-tiles) and what may stand in them. */
import { Refuted } from './fault.ts';

const HASH_BYTES = 32;
/** Hashes in a tile, entries in a bundle. */
export const TILE_WIDTH = 256;
const ENTRY_BYTES_MAX = 65_535;
const LENGTH_BYTES = 2;

/** Where a log can be read. */
export interface LogSource {
  /**
   * The bytes of a file, of a longer one no more than one byte above the most; undefined where
   * there is none. Rejects where that cannot be found out.
   */
  read(path: string, bytes_max: number): Promise<Uint8Array | undefined>;
}

/** Three digits each, and an `x` before each but the last. */
function indexPath(index: number): string {
  const steps = [];
  for (let rest = index; steps.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    steps.unshift(String(rest % 1000).padStart(3, '0'));
  }
  return steps.map((step, at) => (at < steps.length - 1 ? `x${step}` : step)).join('/');
}

/** How many nodes of a level there are in a tree of that size. */
function nodesAt(size: number, level: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** How many hashes the tile holds in a tree of that size. */
function widthOf(size: number, level: number, index: number): number {
  return Math.min(TILE_WIDTH, nodesAt(size, level) - index * TILE_WIDTH);
}

/** The hashes of a tile. Rejects with `TILE_MISSING` and `TILE_MALFORMED`. */
export async function readTile(
  source: LogSource,
  size: number,
  [level, index]: readonly [level: number, index: number],
): Promise<Buffer[]> {
  const path = `tile/${level}/${indexPath(index)}`;
  const width = widthOf(size, level, index);
  const { bytes, is_full } = await readFile(source, path, width, TILE_WIDTH * HASH_BYTES);
  if (bytes.length !== (is_full ? TILE_WIDTH : width) * HASH_BYTES) throw malformed(path);
  return Array.from({ length: width }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

/** The entries of a bundle. Rejects with `TILE_MISSING` and `TILE_MALFORMED`. */
export async function readEntries(
  source: LogSource,
  size: number,
  index: number,
): Promise<Buffer[]> {
  const path = `tile/entries/${indexPath(index)}`;
  const width = widthOf(size, 0, index);
  const bytes_max = TILE_WIDTH * (LENGTH_BYTES + ENTRY_BYTES_MAX);
  const { bytes, is_full } = await readFile(source, path, width, bytes_max);
  const entries = splitEntries(bytes);
  if (entries?.length !== (is_full ? TILE_WIDTH : width)) throw malformed(path);
  return entries.slice(0, width);
}

function splitEntries(bytes: Buffer): Buffer[] | undefined {
  const entries = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bytes.length) {
    const end = at + LENGTH_BYTES + bytes.readUInt16BE(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + LENGTH_BYTES, end));
    at = end;
  }
  return at === bytes.length ? entries : undefined;
}

/** A log may drop a partial file once the full one is there, which begins with the same. */
async function readFile(
  source: LogSource,
  path: string,
  width: number,
  bytes_max: number,
): Promise<{ bytes: Buffer; is_full: boolean }> {
  if (width < TILE_WIDTH) {
    const partial = await source.read(`${path}.p/${width}`, bytes_max);
    if (partial) return { bytes: Buffer.from(partial), is_full: false };
  }
  const full = await source.read(path, bytes_max);
  if (full) return { bytes: Buffer.from(full), is_full: true };
  const missing = width < TILE_WIDTH ? `${path}.p/${width}` : path;
  throw new Refuted('TILE_MISSING', `\`${missing}\` is missing`);
}

function malformed(path: string): Refuted {
  return new Refuted('TILE_MALFORMED', `\`${path}\` has not the length or form it must have`);
}
