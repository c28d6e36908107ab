/**
 * A tree that grows by a leaf at a time. Of it only what is not final is held: the roots of the
 * complete subtrees, and the last tile of each level. A leaf costs one interior hash on average.
 */
import { EMPTY_ROOT, HASH_BYTES, foldHashes, hashPair } from './hash.ts';
import { TILE_BYTES, TILE_HEIGHT, TILE_WIDTH, type Tile } from './tile.ts';

/** The last tile of a level; it has 0 to 255 hashes. */
interface LastTile {
  index: number;
  width: number;
  hashes: Buffer;
}

export class GrowingTree {
  #size = 0;
  /** The roots of the complete subtrees, the largest first. */
  readonly #peaks: Uint8Array[] = [];
  readonly #last: LastTile[] = [];

  /**
   * A tree of this many leaves. `last` are the hashes of the last tile of each level, as many as
   * the size says.
   */
  static of(size: number, last: readonly Buffer[]): GrowingTree {
    const tree = new GrowingTree();
    tree.#size = size;
    for (const [level, hashes] of last.entries()) {
      const index = Math.floor(size / TILE_WIDTH ** (level + 1));
      const room = Buffer.alloc(TILE_BYTES);
      room.set(hashes);
      tree.#last.push({ index, width: hashes.length / HASH_BYTES, hashes: room });
    }
    tree.#peaks.push(...last.toReversed().flatMap(peaksOf));
    return tree;
  }

  get size(): number {
    return this.#size;
  }

  /** MTH(D[size]). */
  root(): Uint8Array {
    const [first, ...rest] = this.#peaks.toReversed();
    return rest.reduce((root, peak) => hashPair(peak, root), first ?? EMPTY_ROOT);
  }

  /** Adds the hash of a leaf; hands over each tile that became full by it. */
  append(leaf: Uint8Array, full: (tile: Tile) => void): void {
    let node = leaf;
    this.#put(0, node, full);
    this.#size += 1;
    for (let rest = this.#size, height = 1; rest % 2 === 0; rest /= 2, height += 1) {
      node = hashPair(this.#peaks.pop() as Uint8Array, node);
      if (height % TILE_HEIGHT === 0) this.#put(height / TILE_HEIGHT, node, full);
    }
    this.#peaks.push(node);
  }

  /** The hashes of the last tile of a level, where it is the one of this index. */
  lastTile(level: number, index: number): Buffer | undefined {
    const last = this.#last[level];
    return last?.index === index ? last.hashes.subarray(0, last.width * HASH_BYTES) : undefined;
  }

  #put(level: number, hash: Uint8Array, full: (tile: Tile) => void): void {
    const last = (this.#last[level] ??= emptyTile(0));
    last.hashes.set(hash, last.width * HASH_BYTES);
    last.width += 1;
    if (last.width < TILE_WIDTH) return;
    this.#last[level] = emptyTile(last.index + 1);
    full({ level, index: last.index, hashes: last.hashes });
  }
}

function emptyTile(index: number): LastTile {
  return { index, width: 0, hashes: Buffer.alloc(TILE_BYTES) };
}

/** The roots of the complete subtrees over the hashes of a tile that is not full. */
function peaksOf(hashes: Buffer): Uint8Array[] {
  const peaks: Uint8Array[] = [];
  let from = 0;
  for (let size = TILE_BYTES / 2; size >= HASH_BYTES; size /= 2) {
    if (hashes.length - from < size) continue;
    peaks.push(foldHashes(hashes.subarray(from, from + size)));
    from += size;
  }
  return peaks;
}
