/** Opens the tree of a log: proves what was signed, and lists a key before it signs. */
import type { Logger } from '../../telemetry/logger.ts';
import { type SignedState, type SigningKey, missingCheckpoint, storeKeys } from './checkpoint.ts';
import { LogTree, type LogTreeOptions } from './log_tree.ts';
import { proveLog } from './start.ts';
import { TileStore } from './tile_store.ts';

export interface OpenTreeOptions extends Omit<LogTreeOptions, 'tiles'> {
  /** Whether the start reads all records. */
  prove_all_records: boolean;
  log: Logger;
}

/**
 * The tree over the records of a log, of which `size` are durable, with a checkpoint over them all.
 * Throws `EVIDENCE_DAMAGED`, or what the disk throws.
 */
export async function openTree(
  options: OpenTreeOptions,
  { checkpoint, keys }: SignedState,
  size: number,
): Promise<LogTree> {
  const { files, directory, prove_all_records, log } = options;
  // Only the very first start, killed before it signed, leaves keys that signed nothing.
  if (!checkpoint && keys.some(({ from }) => from !== size)) throw missingCheckpoint(directory);
  const tiles = new TileStore(files, directory);
  const parts = { files, directory, tiles, checkpoint, size, from_all_records: prove_all_records };
  const proved = await proveLog(parts);
  if (proved.repaired > 0) {
    const fields = { directory, tiles: proved.repaired };
    log.warn('tiles of the evidence log were built again from its records', fields);
  }
  const added = await listKeys(options, keys, size);
  const tree = new LogTree({ ...options, tiles }, proved, checkpoint);
  if (added || checkpoint?.size !== size) await tree.signAgain();
  return tree;
}

/** Lists the keys that are new; tells whether there are any. */
async function listKeys(
  { files, directory, signers, log }: OpenTreeOptions,
  listed: readonly SigningKey[],
  size: number,
): Promise<boolean> {
  const known = new Set(listed.map(({ verifier }) => verifier.vkey));
  const added = signers.filter(({ verifier }) => !known.has(verifier.vkey));
  if (added.length === 0) return false;
  const keys = added.map(({ verifier }) => ({ from: size, verifier }));
  await storeKeys(files, directory, [...listed, ...keys]);
  const fields = { directory, from: size, keys: keys.map(({ verifier }) => verifier.vkey) };
  if (listed.length === 0) log.info('the evidence log is signed by a key of its own', fields);
  else log.warn('the evidence log is signed by a new key from here on', fields);
  return true;
}
