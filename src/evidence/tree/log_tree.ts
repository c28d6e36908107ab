/**
 * The tree over the records of a log. Records are durable before they are leaves, so the tree never
 * holds what a crash could take away, and everything in it can be made again from the records.
 * Tiles and checkpoints are written behind the answers, in this order: the records, the full tiles
 * over them, the checkpoint that covers both. A crash in between leaves tiles that no checkpoint
 * covers, which are then written again, or a checkpoint that covers less than there is.
 */
import { PortcullisError } from '../../errors.ts';
import type { EvidenceFiles } from '../files.ts';
import { readRecords } from '../records.ts';
import type { EntryBundle, EvidenceTree } from '../types.ts';
import { formatBundle } from './bundle.ts';
import { type Checkpoint, signCheckpoint, storeCheckpoint } from './checkpoint.ts';
import type { GrowingTree } from './growing_tree.ts';
import { HASH_BYTES } from './hash.ts';
import type { NoteSigner } from './note.ts';
import { type TileHashes, consistencyProof, inclusionProof, rootOfInclusion } from './proofs.ts';
import { formatReceipt } from './receipt.ts';
import { TILES_AT_ONCE, type ProvedLog } from './start.ts';
import { TILE_WIDTH, type Tile, hashesOf, tilePath } from './tile.ts';
import type { TileStore } from './tile_store.ts';

/** More full tiles than this wait for a slow disk only where records wait with them. */
const TILES_WAITING_MAX = 8 * TILES_AT_ONCE;

export interface LogTreeOptions {
  files: EvidenceFiles;
  directory: string;
  tiles: TileStore;
  origin: string;
  signers: readonly NoteSigner[];
  /** Longest time that a record is in no checkpoint. */
  checkpoint_interval_ms: number;
}

export class LogTree implements EvidenceTree {
  readonly #options: LogTreeOptions;
  readonly #tree: GrowingTree;
  /** Full tiles that may not be on disk, by their path. */
  readonly #waiting = new Map<string, Tile>();
  #signed: Checkpoint | undefined;
  #signing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Why nothing more is signed. */
  #problem: { error: unknown } | undefined;
  readonly #failure = Promise.withResolvers<unknown>();

  constructor(
    options: LogTreeOptions,
    { tree, waiting }: ProvedLog,
    signed: Checkpoint | undefined,
  ) {
    this.#options = options;
    this.#tree = tree;
    for (const tile of waiting) this.#keep(tile);
    this.#signed = signed;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** Resolves with its error when the disk did not take a tile or a checkpoint. */
  get failure(): Promise<unknown> {
    return this.#failure.promise;
  }

  /** Adds the leaves of records that are durable. */
  append(leaves: readonly Buffer[]): void {
    for (const leaf of leaves) this.#tree.append(leaf, (tile) => this.#keep(tile));
    if (this.#problem) return;
    if (this.#waiting.size >= TILES_AT_ONCE && !this.#signing) this.#signBehind();
    this.#timer ??= setTimeout(
      () => this.#signBehind(),
      this.#options.checkpoint_interval_ms,
    ).unref();
  }

  /** Resolves when there is room for the tiles of more records. */
  async makeRoom(): Promise<void> {
    if (this.#waiting.size >= TILES_WAITING_MAX) await this.sign();
  }

  /** Signs what is not signed yet, and nothing after. */
  async close(): Promise<void> {
    // What goes wrong is told by `failure`.
    await this.sign().catch(() => {});
    this.stop(new PortcullisError('EVIDENCE_UNWRITABLE', 'the evidence log is closed'));
  }

  /** Signs nothing more, for this reason. */
  stop(error: unknown): void {
    this.#problem ??= { error };
    clearTimeout(this.#timer);
  }

  checkpoint(): string {
    return this.#stored().note;
  }

  async sign(): Promise<string> {
    const wanted = this.size;
    while (this.#signed === undefined || this.#signed.size < wanted) await this.signAgain();
    return this.#signed.note;
  }

  /** Signs the tree also where a checkpoint covers all of it, so that each key has signed it. */
  async signAgain(): Promise<void> {
    if (this.#problem) throw this.#problem.error;
    this.#signing ??= this.#signNow().finally(() => {
      this.#signing = undefined;
    });
    await this.#signing;
  }

  async tile(level: number, index: number, width: number): Promise<Uint8Array | undefined> {
    const from = index * TILE_WIDTH;
    if (!isCount(level) || !isCount(index) || !isWidth(width)) return undefined;
    if (from + width > hashesOf(level, this.size)) return undefined;
    return this.#tiles.read(level, from, width);
  }

  async entries(index: number, width: number): Promise<EntryBundle | undefined> {
    const from = index * TILE_WIDTH;
    if (!isCount(index) || !isWidth(width) || from + width > this.size) return undefined;
    const records = [];
    for await (const { record, text } of this.#records(from, from + width)) {
      records.push({ index: record.index, text });
    }
    return formatBundle(records);
  }

  async inclusionProof(index: number, size: number): Promise<Uint8Array[]> {
    requireWithin(index, size - 1);
    requireWithin(size, this.size);
    return inclusionProof(this.#tiles, index, size);
  }

  async consistencyProof(older: number, newer: number): Promise<Uint8Array[]> {
    requireWithin(older, newer);
    requireWithin(newer, this.size);
    return consistencyProof(this.#tiles, older, newer);
  }

  async receiptOf(index: number, sealed = false): Promise<string | undefined> {
    if (!isCount(index) || index >= this.size) return undefined;
    if (this.#stored().size <= index) await this.sign();
    const { size, root, note } = this.#stored();
    const path = await inclusionProof(this.#tiles, index, size);
    for await (const found of this.#records(index, index + 1)) {
      // Nobody is handed a proof that does not hold, whatever became of the disk meanwhile.
      const proved = rootOfInclusion(found.leaf, index, size, path);
      if (!root.equals(proved)) throw this.#otherRecord(index);
      return formatReceipt(found, { index, path, note, sealed });
    }
    throw this.#otherRecord(index);
  }

  /** The tiles in memory and on disk. */
  readonly #tiles: TileHashes = {
    read: async (level, from, count) => {
      const index = Math.floor(from / TILE_WIDTH);
      const offset_bytes = (from % TILE_WIDTH) * HASH_BYTES;
      const hashes =
        this.#tree.lastTile(level, index) ??
        this.#waiting.get(tilePath(level, index))?.hashes ??
        (await this.#options.tiles.read(level, index));
      if (!hashes) throw this.#missingTile(level, index);
      return hashes.subarray(offset_bytes, offset_bytes + count * HASH_BYTES);
    },
  };

  #records(from: number, to: number): ReturnType<typeof readRecords> {
    const { files, directory } = this.#options;
    return readRecords(files, directory, from, to);
  }

  #keep(tile: Tile): void {
    this.#waiting.set(tilePath(tile.level, tile.index), tile);
  }

  #stored(): Checkpoint {
    if (!this.#signed) throw new Error('a log signs a checkpoint before it is used');
    return this.#signed;
  }

  /** Whoever appends does not wait for it; what goes wrong stops the log. */
  #signBehind(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.sign().catch(() => {});
  }

  async #signNow(): Promise<void> {
    const { files, directory, tiles, origin, signers } = this.#options;
    try {
      const waiting = [...this.#waiting];
      const checkpoint = signCheckpoint(origin, this.size, this.#tree.root(), signers);
      await tiles.write(waiting.map(([, tile]) => tile));
      await storeCheckpoint(files, directory, checkpoint);
      for (const [path] of waiting) this.#waiting.delete(path);
      this.#signed = checkpoint;
    } catch (error) {
      this.stop(error);
      this.#failure.resolve(error);
      throw error;
    }
  }

  #missingTile(level: number, index: number): PortcullisError {
    const path = this.#options.tiles.pathOf(level, index);
    const remedy = 'a start builds it again from the records';
    return new PortcullisError('EVIDENCE_DAMAGED', `\`${path}\` is no tile any more; ${remedy}`);
  }

  #otherRecord(index: number): PortcullisError {
    const { directory } = this.#options;
    return new PortcullisError(
      'EVIDENCE_DAMAGED',
      `record ${index} in \`${directory}\`, or a tile over it, is not what was signed`,
    );
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isWidth(value: number): boolean {
  return isCount(value) && value > 0 && value <= TILE_WIDTH;
}

function requireWithin(value: number, limit: number): void {
  if (!isCount(value) || value > limit) {
    throw new RangeError(`${value} is not within the tree of which a proof was asked for`);
  }
}
