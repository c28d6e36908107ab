/**
 * Opens logs: takes the lock of a directory, recovers what an earlier process left, proves that it
 * is what was signed, and goes on from there.
 */
import { PortcullisError } from '../errors.ts';
import { GroupCommitLog, type WriterOptions, type WrittenTree } from './group_commit_log.ts';
import { type Recovered, recoverLog } from './recovery.ts';
import type { Every } from './retention.ts';
import { removeDrafts } from './rewrite.ts';
import { type SignedState, readSignedState } from './tree/checkpoint.ts';
import type { LogTree } from './tree/log_tree.ts';
import type { NoteSigner } from './tree/note.ts';
import { openTree } from './tree/open_tree.ts';
import type { EvidenceLog, ProvableLog } from './types.ts';
import { unwritable } from './unwritable.ts';

export interface EvidenceLogOptions extends WriterOptions {
  /** Name of the log in its checkpoints. */
  origin: string;
  /** The keys that sign them, by the name of the origin; asked for once the directory is ours. */
  signers(): readonly NoteSigner[];
  /** Does something again and again; the timer of this process where it is absent. */
  every?: Every;
}

/**
 * Opens the log of a directory, as its only writer. Throws `EVIDENCE_LOCKED`, `EVIDENCE_DAMAGED`,
 * or `EVIDENCE_UNWRITABLE`.
 */
export async function openEvidenceLog(options: EvidenceLogOptions): Promise<ProvableLog> {
  const { files, directory, origin, settings } = options;
  const log = await openWriter(options, async () => {
    const signers = options.signers();
    const signed = await readSignedState(files, directory, origin);
    const tree = (size: number): Promise<LogTree> =>
      openTree({ ...options, ...settings, signers }, signed, size);
    return { signed, tree };
  });
  if (settings.disclosures_kept_days !== null) {
    log.keepFor(settings.disclosures_kept_days, options.every);
  }
  return log;
}

/** What was signed of a log, and the way to its tree, which proves that its records are those. */
interface Proof<T> {
  signed: SignedState;
  tree(size: number): Promise<T>;
}

/** Locks a directory, recovers what an earlier process left, proves it, and goes on from there. */
export async function openWriter<T extends WrittenTree>(
  options: WriterOptions,
  prove: () => Promise<Proof<T>>,
): Promise<GroupCommitLog<T>> {
  const { directory, files } = options;
  let release = (): void | Promise<void> => {};
  try {
    await files.createDirectory(directory);
    const unlock = files.lock(directory);
    release = unlock;
    const { recovered, tree } = await proveRecords(options, await prove());
    const log = new GroupCommitLog(options, recovered, tree, unlock);
    release = () => log.close();
    await removeDrafts(files, directory);
    await reportRecovery(log, recovered, options);
    return log;
  } catch (error) {
    await release();
    if (error instanceof PortcullisError) throw error;
    throw unwritable(`the evidence directory \`${directory}\` cannot be used`, error);
  }
}

/** What an earlier process left, with the tree that proves it. */
async function proveRecords<T>(
  { files, directory }: WriterOptions,
  { signed, tree }: Proof<T>,
): Promise<{ recovered: Recovered; tree: T }> {
  const recovered = await recoverLog(files, directory, signed.checkpoint?.size ?? 0);
  try {
    return { recovered, tree: await tree(recovered.next) };
  } catch (error) {
    recovered.file.close();
    throw error;
  }
}

async function reportRecovery(
  evidence: EvidenceLog,
  { next, last_time_ms, dropped_bytes }: Recovered,
  { directory, clock, log }: WriterOptions,
): Promise<void> {
  log.info('the evidence log is open', { directory, records: next });
  const behind_ms = last_time_ms - clock.now_ms();
  if (behind_ms > 0) log.warn('the clock is behind the last evidence record', { behind_ms });
  if (dropped_bytes === 0) return;
  log.warn('a torn end of the evidence log was cut off', { directory, dropped_bytes });
  await evidence.append({ kind: 'recovery', bytes_dropped: dropped_bytes });
}
