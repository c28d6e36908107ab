/**
 * The durable log. One writer takes whatever waits, writes it, flushes once, and only then answers
 * all of them. After a write or flush that failed nobody knows what is on the disk, and asking the
 * kernel again proves nothing, so the log refuses everything until it is opened anew.
 */
import { canonicalJson } from '../contract/canonical.ts';
import type { Clock } from '../contract/ambient.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EvidenceFiles } from './files.ts';
import { LINE_OVERHEAD_BYTES, formatFlush } from './line.ts';
import { Linger } from './linger.ts';
import { type Recovered, recoverLog } from './recovery.ts';
import { SegmentWriter } from './segment_writer.ts';
import { readSignedState } from './tree/checkpoint.ts';
import type { LogTree } from './tree/log_tree.ts';
import type { NoteSigner } from './tree/note.ts';
import { openTree } from './tree/open_tree.ts';
import type { EvidenceEntry, EvidenceLog, EvidenceStatus, ProvableLog } from './types.ts';

export interface EvidenceSettings {
  /** Longest that a flush waits for more records, where flushes are slow. */
  linger_us_max: number;
  /** Largest segment. */
  segment_bytes_max: number;
  /** Most records that wait to be written; more are refused. */
  queue_records_max: number;
  /** Largest record. */
  record_bytes_max: number;
  /** Longest time that a record is in no checkpoint. */
  checkpoint_interval_ms: number;
  /** Whether a start reads all records, or those that no tile covers. */
  prove_all_records: boolean;
}

export interface EvidenceLogOptions {
  /** Absolute path; made where it is missing. */
  directory: string;
  /** Stands in each record. */
  instance: string;
  /** Name of the log in its checkpoints. */
  origin: string;
  /** The keys that sign them, by the name of the origin; asked for once the directory is ours. */
  signers(): readonly NoteSigner[];
  clock: Clock;
  files: EvidenceFiles;
  settings: EvidenceSettings;
  log: Logger;
}

/**
 * Opens the log of a directory, as its only writer. Throws `EVIDENCE_LOCKED`, `EVIDENCE_DAMAGED`,
 * or `EVIDENCE_UNWRITABLE`.
 */
export async function openEvidenceLog(options: EvidenceLogOptions): Promise<ProvableLog> {
  const { directory, files } = options;
  let release = (): void | Promise<void> => {};
  try {
    await files.createDirectory(directory);
    const unlock = files.lock(directory);
    release = unlock;
    const { recovered, tree } = await proveRecords(options);
    const log = new GroupCommitLog(options, recovered, tree, unlock);
    release = () => log.close();
    await reportRecovery(log, recovered, options);
    return log;
  } catch (error) {
    await release();
    if (error instanceof PortcullisError) throw error;
    throw unwritable(`the evidence directory \`${directory}\` cannot be used`, error);
  }
}

/** What an earlier process left, with the tree that proves it. */
async function proveRecords(
  options: EvidenceLogOptions,
): Promise<{ recovered: Recovered; tree: LogTree }> {
  const { files, directory, origin, settings } = options;
  const signers = options.signers();
  const signed = await readSignedState(files, directory, origin);
  const recovered = await recoverLog(files, directory, signed.checkpoint?.size ?? 0);
  try {
    const tree = await openTree({ ...options, ...settings, signers }, signed, recovered.next);
    return { recovered, tree };
  } catch (error) {
    recovered.file.close();
    throw error;
  }
}

async function reportRecovery(
  evidence: EvidenceLog,
  { next, last_time_ms, dropped_bytes }: Recovered,
  { directory, clock, log }: EvidenceLogOptions,
): Promise<void> {
  log.info('the evidence log is open', { directory, records: next });
  const behind_ms = last_time_ms - clock.now_ms();
  if (behind_ms > 0) log.warn('the clock is behind the last evidence record', { behind_ms });
  if (dropped_bytes === 0) return;
  log.warn('a torn end of the evidence log was cut off', { directory, dropped_bytes });
  await evidence.append({ kind: 'recovery', bytes_dropped: dropped_bytes });
}

interface Waiting {
  index: number;
  record: string;
  size_bytes: number;
  resolve: (index: number) => void;
  reject: (error: PortcullisError) => void;
}

class GroupCommitLog implements ProvableLog {
  readonly tree: LogTree;
  readonly #options: EvidenceLogOptions;
  readonly #writer: SegmentWriter;
  readonly #release: () => void;
  readonly #linger: Linger;
  /** Those who were not answered, in the order of their indices. */
  readonly #queue: Waiting[] = [];
  #next: number;
  #durable: number;
  #last_time_ms: number;
  /** The writer while it is at work. */
  #work: Promise<void> | undefined;
  /** Why nothing is accepted any more. */
  #problem: PortcullisError | undefined;
  #closing: Promise<void> | undefined;

  constructor(
    options: EvidenceLogOptions,
    recovered: Recovered,
    tree: LogTree,
    release: () => void,
  ) {
    const { files, directory, settings } = options;
    this.#options = options;
    this.tree = tree;
    // Where tiles and checkpoints cannot be written, records soon cannot either.
    void tree.failure.then((error) => this.#fail(error, directory));
    this.#writer = new SegmentWriter(files, directory, settings.segment_bytes_max, recovered);
    this.#release = release;
    this.#linger = new Linger(() => files.elapsed_us(), settings.linger_us_max);
    this.#next = recovered.next;
    this.#durable = recovered.next;
    this.#last_time_ms = recovered.last_time_ms;
  }

  async append(entry: EvidenceEntry): Promise<number> {
    this.#requireWritable();
    const placed = this.#place(entry);
    return await new Promise((resolve, reject) => {
      this.#queue.push({ ...placed, resolve, reject });
      this.#work ??= this.#writeQueue();
    });
  }

  status(): EvidenceStatus {
    const size = this.#durable;
    if (!this.#problem) return { writable: true, size };
    return { writable: false, size, problem: this.#problem.message };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#problem ??= unwritable('the evidence log is closed');
    await this.#work;
    await this.tree.close();
    this.#writer.close();
    this.#release();
  }

  #requireWritable(): void {
    const { queue_records_max } = this.#options.settings;
    if (this.#problem) {
      throw new PortcullisError('EVIDENCE_UNWRITABLE', this.#problem.message, {
        cause: this.#problem.cause,
      });
    }
    if (this.#queue.length >= queue_records_max) {
      throw unwritable(`${queue_records_max} evidence records wait for the disk`);
    }
  }

  /** Gives a record its place and time; takes nothing where the record cannot be written. */
  #place(entry: EvidenceEntry): Pick<Waiting, 'index' | 'record' | 'size_bytes'> {
    const { clock, instance, settings } = this.#options;
    const index = this.#next;
    const time_ms = Math.max(this.#last_time_ms, clock.now_ms());
    const time = new Date(time_ms).toISOString();
    const record = canonicalJson({ ...entry, v: 1, index, time, instance });
    const size_bytes = Buffer.byteLength(record) + LINE_OVERHEAD_BYTES;
    if (size_bytes > settings.record_bytes_max) {
      const limit = `evidence.record_bytes_max (${settings.record_bytes_max})`;
      throw new PortcullisError('REQUEST_TOO_LARGE', `an evidence record is larger than ${limit}`);
    }
    this.#next += 1;
    this.#last_time_ms = time_ms;
    return { index, record, size_bytes };
  }

  /** Commits group after group until nobody waits. Never rejects. */
  async #writeQueue(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        await this.#linger.gather(() => this.#queue.length);
        await this.tree.makeRoom();
        await this.#commit(await this.#takeGroup());
      }
    } catch (error) {
      this.#fail(error, this.#writer.path);
    }
    this.#work = undefined;
  }

  /** Those at the head of the queue whose records fit in one segment. They stay in the queue. */
  async #takeGroup(): Promise<Waiting[]> {
    const head = this.#queue[0] as Waiting;
    let room_bytes = await this.#writer.makeRoom(head.size_bytes, head.index);
    const end = this.#queue.findIndex(({ size_bytes }, at) => {
      room_bytes -= size_bytes;
      return room_bytes < 0 && at > 0;
    });
    return this.#queue.slice(0, end === -1 ? undefined : end);
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const { files } = this.#options;
    const { bytes, leaves } = formatFlush(group.map(({ record }) => record));
    const started_us = files.elapsed_us();
    await this.#writer.append(bytes);
    this.#linger.observe(files.elapsed_us() - started_us, this.#queue.length);
    this.#durable += group.length;
    this.tree.append(leaves);
    for (const { index, resolve } of this.#queue.splice(0, group.length)) resolve(index);
  }

  #fail(cause: unknown, path: string): void {
    const error = unwritable(`evidence cannot be written to \`${path}\``, cause);
    this.#problem = error;
    this.tree.stop(error);
    this.#options.log.error(error.message, { cause });
    for (const { reject } of this.#queue.splice(0)) reject(error);
  }
}

/** Names the error of the disk and what to do about it. */
function unwritable(message: string, cause?: unknown): PortcullisError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const told = code === undefined ? message : `${message} (${adviceOn(code)})`;
  return new PortcullisError('EVIDENCE_UNWRITABLE', told, { cause });
}

function adviceOn(code: string): string {
  const advice = ADVICE[code];
  return advice === undefined ? code : `${code}: ${advice}`;
}

const OWN_IT = 'let this user own it, or name another directory in evidence.directory';

/** What helps against an error of the disk. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: OWN_IT,
  EPERM: OWN_IT,
  // The lock's file could not be opened.
  ERR_SQLITE_ERROR: OWN_IT,
  EROFS: 'it is read-only; name a directory on another disk in evidence.directory',
  ENOENT: 'no folder can be made there; name another in evidence.directory',
  ENOTDIR: 'a part of the path is a file; name another in evidence.directory',
  EEXIST: 'a part of the path is a file; name another in evidence.directory',
  ENOSPC: 'the disk is full; free some and start again',
  EDQUOT: 'the quota is used up; free some and start again',
  EIO: 'the disk fails; replace it and start again',
};
