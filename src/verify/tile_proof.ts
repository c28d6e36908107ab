/** Older roots and consistency proofs out of the tiles of a log (RFC 6962, section 2.1.2). */
import { largestPowerBelow, rootOver } from './merkle.ts';
import { readTile, TILE_WIDTH, type LogSource } from './tiles.ts';

/**
 * The proof from an older size, which is not zero, to the size that the log has. It shows nothing
 * until it is judged. Rejects with `TILE_MISSING` and `TILE_MALFORMED`.
 */
export async function consistencyPath(
  source: LogSource,
  old_size: number,
  size: number,
): Promise<Buffer[]> {
  const tile = tilesOf(source, size);
  const path: Buffer[] = [];
  // From the root down to where the old tree ends: at each step the side that it does not take.
  let [from, to, is_whole] = [0, size, true];
  while (old_size !== to) {
    const middle = from + largestPowerBelow(to - from);
    if (old_size <= middle) {
      path.unshift(await rangeRoot(tile, middle, to));
      to = middle;
    } else {
      path.unshift(await rangeRoot(tile, from, middle));
      from = middle;
      is_whole = false;
    }
  }
  return is_whole ? path : [await rangeRoot(tile, from, to), ...path];
}

/** The root that the tree had at an older size, as its tiles have it now. */
export function rootAt(source: LogSource, old_size: number, size: number): Promise<Buffer> {
  return rangeRoot(tilesOf(source, size), 0, old_size);
}

/** Reads each tile once. */
function tilesOf(source: LogSource, size: number): ReadTile {
  const tiles = new Map<string, Promise<Buffer[]>>();
  return (level, index) => {
    const name = `${level}/${index}`;
    const known = tiles.get(name) ?? readTile(source, size, [level, index]);
    tiles.set(name, known);
    return known;
  };
}

type ReadTile = (level: number, index: number) => Promise<Buffer[]>;

/** The root over leaves that form a subtree; a complete one is a part of one tile. */
async function rangeRoot(tile: ReadTile, from: number, to: number): Promise<Buffer> {
  const leaves = to - from;
  const left = leaves === 1 ? 1 : largestPowerBelow(leaves);
  if (leaves !== 1 && left * 2 !== leaves) {
    return rootOver([
      await rangeRoot(tile, from, from + left),
      await rangeRoot(tile, from + left, to),
    ]);
  }
  let level = 0;
  while (TILE_WIDTH ** (level + 1) <= leaves) level += 1;
  const span = TILE_WIDTH ** level;
  const first = from / span;
  const hashes = await tile(level, Math.floor(first / TILE_WIDTH));
  const at = first % TILE_WIDTH;
  return rootOver(hashes.slice(at, at + leaves / span));
}
