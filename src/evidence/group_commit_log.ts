/**
 * The durable log. One writer takes whatever waits, writes it, flushes once, and only then answers
 * all of them. After a write or flush that failed nobody knows what is on the disk, and asking the
 * kernel again proves nothing, so the log refuses everything until it is opened anew.
 */
import type { Clock, RandomBytes } from '../contract/ambient.ts';
import { PortcullisError } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { EvidenceFiles } from './files.ts';
import { formatFlush, lineBytes } from './line.ts';
import { Linger } from './linger.ts';
import type { Recovered } from './recovery.ts';
import { Redactions } from './redaction.ts';
import { type Every, startRetention } from './retention.ts';
import { type SealedRecord, saltsFrom, sealRecord } from './seal.ts';
import { SegmentWriter } from './segment_writer.ts';
import { ENTRY_BYTES_MAX } from './tree/bundle.ts';
import type { LogTree } from './tree/log_tree.ts';
import type {
  EvidenceEntry,
  EvidenceLog,
  EvidenceStatus,
  RedactableLog,
  Redacted,
  Redaction,
} from './types.ts';
import { unwritable } from './unwritable.ts';

export interface EvidenceSettings {
  /** Longest that a flush waits for more records, where flushes are slow. */
  linger_us_max: number;
  /** Largest segment. */
  segment_bytes_max: number;
  /** Most records that wait to be written; more are refused. */
  queue_records_max: number;
  /** Largest record, with what it seals. */
  record_bytes_max: number;
  /** Longest time that a record is in no checkpoint. */
  checkpoint_interval_ms: number;
  /** Whether a start reads all records, or those that no tile covers. */
  prove_all_records: boolean;
  /** How long sealed members stay; null is for ever. */
  disclosures_kept_days: number | null;
}

export interface WriterOptions {
  /** Absolute path; made where it is missing. */
  directory: string;
  /** Stands in each record. */
  instance: string;
  clock: Clock;
  /** For the salts of what is sealed. */
  randomness: RandomBytes;
  files: EvidenceFiles;
  settings: EvidenceSettings;
  log: Logger;
}

/** The tree of a log as its writer needs it. */
export type WrittenTree = Pick<LogTree, 'append' | 'makeRoom' | 'close' | 'stop' | 'failure'>;

interface Waiting {
  index: number;
  record: SealedRecord;
  size_bytes: number;
  resolve: (index: number) => void;
  reject: (error: PortcullisError) => void;
}

export class GroupCommitLog<T extends WrittenTree> implements EvidenceLog, RedactableLog {
  readonly tree: T;
  readonly #options: WriterOptions;
  readonly #salt: () => string;
  readonly #redactions: Redactions;
  readonly #writer: SegmentWriter;
  readonly #release: () => void;
  readonly #linger: Linger;
  /** Those who were not answered, in the order of their indices. */
  readonly #queue: Waiting[] = [];
  #next: number;
  #durable: number;
  #last_time_ms: number;
  /** Somebody waits for the end of the segment that is written. */
  #ending: PromiseWithResolvers<number> | undefined;
  /** The writer while it is at work. */
  #work: Promise<void> | undefined;
  /** Why nothing is accepted any more. */
  #problem: PortcullisError | undefined;
  #closing: Promise<void> | undefined;
  #stopRetention = (): void => {};

  constructor(options: WriterOptions, recovered: Recovered, tree: T, release: () => void) {
    const { files, directory, settings, randomness } = options;
    this.#options = options;
    this.#salt = saltsFrom(randomness);
    this.#redactions = new Redactions({
      files,
      directory,
      append: (entry) => this.append(entry),
      size: () => this.#durable,
      endSegment: () => this.#endSegment(),
      requireWritable: () => this.#requireWritable(),
    });
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

  redact(redaction: Redaction): Promise<Redacted> {
    return this.#redactions.redact(redaction);
  }

  /** Removes, now and then again and again, what was kept so long. */
  keepFor(kept_days: number, every: Every | undefined): void {
    const { clock, log } = this.#options;
    const redactions = this.#redactions;
    this.#stopRetention = startRetention({ redactions, kept_days, clock, log, every });
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
    this.#stopRetention();
    await this.#work;
    await this.#redactions.idle();
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
    const known = { v: 1, index, time, instance, seals: undefined };
    const record = sealRecord({ ...entry, ...known }, this.#salt);
    if (Buffer.byteLength(record.text) > ENTRY_BYTES_MAX) {
      const limit = `an entry of the log holds (${ENTRY_BYTES_MAX} bytes)`;
      throw tooLarge(`what an evidence record does not seal is larger than ${limit}`);
    }
    const size_bytes = lineBytes(record);
    if (size_bytes > settings.record_bytes_max) {
      const limit = `evidence.record_bytes_max (${settings.record_bytes_max})`;
      throw tooLarge(`an evidence record is larger than ${limit}`);
    }
    this.#next += 1;
    this.#last_time_ms = time_ms;
    return { index, record, size_bytes };
  }

  /** Commits group after group until nobody waits. Never rejects. */
  async #writeQueue(): Promise<void> {
    try {
      while (this.#queue.length > 0 || this.#ending) {
        if (this.#ending) await this.#finishSegment(this.#ending);
        if (this.#queue.length === 0) continue;
        await this.#linger.gather(() => this.#queue.length);
        await this.tree.makeRoom();
        await this.#commit(await this.#takeGroup());
      }
    } catch (error) {
      this.#fail(error, this.#writer.path);
    }
    this.#work = undefined;
  }

  #endSegment(): Promise<number> {
    this.#ending ??= Promise.withResolvers();
    this.#work ??= this.#writeQueue();
    return this.#ending.promise;
  }

  async #finishSegment(ending: PromiseWithResolvers<number>): Promise<void> {
    await this.#writer.end(this.#durable);
    this.#ending = undefined;
    ending.resolve(this.#durable);
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
    this.#ending?.reject(error);
    this.#ending = undefined;
  }
}

function tooLarge(message: string): PortcullisError {
  return new PortcullisError('REQUEST_TOO_LARGE', message);
}
