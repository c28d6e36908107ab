/** A log as its files show it, also while another process writes it: receipts without its key. */
import { PortcullisError } from '../../errors.ts';
import type { EvidenceFiles } from '../files.ts';
import { readRecords } from '../records.ts';
import type { StoredRecord } from '../segment.ts';
import { type Checkpoint, type SigningKey, originOf, readSignedState } from './checkpoint.ts';
import { foldHashes, HASH_BYTES } from './hash.ts';
import { inclusionProof, rootOfInclusion, type TileHashes } from './proofs.ts';
import { formatReceipt } from './receipt.ts';
import { TILE_WIDTH } from './tile.ts';
import { TileStore } from './tile_store.ts';

/** For the receipts of many records in their order; more is read again. */
const TILES_KEPT_MAX = 1024;

export interface SignedLog {
  checkpoint: Checkpoint;
  keys: readonly SigningKey[];
  /**
   * The receipt of a record, which may be read already; `sealed` leaves out what it discloses.
   * Rejects with `EVIDENCE_DAMAGED`, or where no checkpoint covers it yet.
   */
  receiptOf(index: number, options?: { read?: StoredRecord; sealed?: boolean }): Promise<string>;
}

/** Rejects with `EVIDENCE_DAMAGED`, and with `ARGUMENT_INVALID` where nothing was signed there. */
export async function openSignedLog(files: EvidenceFiles, directory: string): Promise<SignedLog> {
  const origin = await originOf(files, directory);
  const { checkpoint, keys } = await readSignedState(files, directory, origin ?? '');
  if (!checkpoint) {
    throw new PortcullisError('ARGUMENT_INVALID', `no log has signed anything in \`${directory}\``);
  }
  const tiles = tilesOf(files, directory, checkpoint);
  return {
    checkpoint,
    keys,
    receiptOf(index, { read, sealed = false } = {}) {
      const records = read ? [read] : readRecords(files, directory, index, index + 1);
      return receiptOf(records, directory, { checkpoint, tiles, index, sealed });
    },
  };
}

interface Wanted {
  checkpoint: Checkpoint;
  tiles: TileHashes;
  index: number;
  sealed: boolean;
}

async function receiptOf(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
  directory: string,
  { checkpoint, tiles, index, sealed }: Wanted,
): Promise<string> {
  const { size, root, note } = checkpoint;
  if (index >= size) {
    const message = `the log has signed ${size} records, and not yet record ${index}`;
    throw new PortcullisError('ARGUMENT_INVALID', message);
  }
  const path = await inclusionProof(tiles, index, size);
  for await (const found of records) {
    if (!root.equals(rootOfInclusion(found.leaf, index, size, path))) break;
    return formatReceipt(found, { index, path, note, sealed });
  }
  const message = `record ${index} in \`${directory}\`, or a tile over it, is not what was signed`;
  throw new PortcullisError('EVIDENCE_DAMAGED', message);
}

/** Full tiles are files; what is right of them comes from the tiles below, and from the records. */
function tilesOf(files: EvidenceFiles, directory: string, { size }: Checkpoint): TileHashes {
  const store = new TileStore(files, directory);
  const partial = new Map<string, Promise<Buffer>>();
  const read = (level: number, index: number): Promise<Buffer> => {
    const width = Math.min(TILE_WIDTH, Math.floor(size / TILE_WIDTH ** level) - index * TILE_WIDTH);
    const name = `${level}/${index}`;
    const made = partial.get(name) ?? readTile(level, index, width);
    partial.set(name, made);
    for (const [oldest] of partial) {
      if (partial.size <= TILES_KEPT_MAX) break;
      partial.delete(oldest);
    }
    return made;
  };
  const readTile = async (level: number, index: number, width: number): Promise<Buffer> => {
    const stored = width === TILE_WIDTH ? await store.read(level, index) : undefined;
    if (stored) return stored;
    const first = index * TILE_WIDTH;
    return level === 0 ? leavesFrom(first, width) : foldsFrom(level, first, width);
  };
  const leavesFrom = async (first: number, width: number): Promise<Buffer> => {
    const leaves: Uint8Array[] = [];
    for await (const { leaf } of readRecords(files, directory, first, first + width)) {
      leaves.push(leaf);
    }
    return Buffer.concat(leaves);
  };
  const foldsFrom = async (level: number, first: number, width: number): Promise<Buffer> => {
    const hashes: Uint8Array[] = [];
    for (let at = 0; at < width; at += 1)
      hashes.push(foldHashes(await read(level - 1, first + at)));
    return Buffer.concat(hashes);
  };
  return {
    async read(level, from, count) {
      const hashes = await read(level, Math.floor(from / TILE_WIDTH));
      const offset_bytes = (from % TILE_WIDTH) * HASH_BYTES;
      return hashes.subarray(offset_bytes, offset_bytes + count * HASH_BYTES);
    },
  };
}
