/**
 * The spool: what a guard did with decisions, on disk until the decision point has recorded it. It
 * has one writer, is appended to, read in its order from the front, and forgotten by whole files.
 *
 * What is kept is written at once, so that it survives this process however it ends, and is durable
 * after the next flush, which takes all that was written meanwhile along. After a write or flush
 * that failed nobody knows what is on the disk: nothing more is kept until it is opened anew.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PortcullisError } from '../errors.ts';
import type { EvidenceFile } from '../evidence/files.ts';
import { writeFully } from '../evidence/recovery.ts';
import { batchOf, numberOf, unread, type Batch, type Place } from './batch.ts';
import { formatLine, type Kept, type Line } from './line.ts';
import {
  begun,
  linesOf,
  recoverSpool,
  segmentAt,
  type Recovered,
  type RecoveryParts,
  type Segment,
} from './recovery.ts';

export interface SpoolOptions extends RecoveryParts {
  /** Most that may wait; what was done beyond it is not kept. */
  bytes_max: number;
}

interface Waiting {
  resolve: () => void;
  reject: (error: PortcullisError) => void;
}

/** Files are small parts of the whole, so that what was recorded is soon forgotten. */
const SEGMENTS = 16;
/** What a batch may come to; a decision point takes more by far. */
const BATCH_BYTES = 262_144;

/** Opens the spool of a directory, as its only writer. Rejects with what the disk says. */
export async function openSpool(options: SpoolOptions): Promise<Spool> {
  await options.files.createDirectory(options.directory);
  const release = options.files.lock(options.directory);
  try {
    return new Spool(options, await recoverSpool(options), release);
  } catch (error) {
    release();
    throw error;
  }
}

export class Spool {
  readonly #options: SpoolOptions;
  readonly #release: () => void;
  #segments: Segment[];
  #file: EvidenceFile;
  #next: number;
  /** Up to where everything is durable. */
  #durable: number;
  /** Up to where everything was recorded. */
  #place: Place;
  #waiting: Waiting[] = [];
  #unflushed = false;
  /** Nothing was written since it was opened. */
  #isNew = true;
  #work: Promise<void> | undefined;
  #problem: PortcullisError | undefined;
  /** Bytes of a torn end that were cut off when it was opened. */
  readonly dropped_bytes: number;

  constructor(options: SpoolOptions, recovered: Recovered, release: () => void) {
    const { segments, file, next, delivered } = recovered;
    this.#options = options;
    this.#release = release;
    this.#segments = segments;
    this.#file = file;
    this.#next = next;
    this.#durable = next - 1;
    this.#place = { number: delivered, first: segments[0]?.first ?? 1, offset_bytes: 0 };
    this.dropped_bytes = recovered.dropped_bytes;
  }

  /** Why nothing can be kept; undefined where it can. */
  get problem(): PortcullisError | undefined {
    return this.#problem;
  }

  /** Number of the last that is recorded. */
  get read(): number {
    return this.#place.number;
  }

  /** Number of what waits. */
  get waiting(): number {
    return this.#next - 1 - this.#place.number;
  }

  /** What waits on disk; some of what was recorded counts until it was read past. */
  get size_bytes(): number {
    const ahead = this.#segments.filter(({ first }) => first >= this.#place.first);
    return ahead.reduce((sum, { size_bytes }) => sum + size_bytes, -this.#place.offset_bytes);
  }

  /**
   * Writes at once, and resolves when it is durable. Throws or rejects with `OUTCOMES_UNWRITABLE`;
   * beyond the limit only what says that something is missing is still taken.
   */
  keep(kept: Kept): Promise<void> {
    if (this.#problem) throw this.#problem;
    const isFirst = this.#segments.at(-1)?.size_bytes === 0;
    const delivered = isFirst && { delivered: this.#place.number };
    const line = this.#lineOf({ number: this.#next, ...kept, ...delivered });
    const { bytes_max } = this.#options;
    if ('report' in kept && this.size_bytes + line.length > bytes_max) throw full(bytes_max);
    try {
      this.#write(line);
    } catch (error) {
      throw this.#fail(error);
    }
    this.#next += 1;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#work ??= this.#flushAll();
    });
  }

  /** What is durable and waits longest, up to so many; undefined where nothing does. */
  async next(items_max: number): Promise<Batch | undefined> {
    if (this.waiting === 0) return undefined;
    const kept: Kept[] = [];
    // More becomes durable meanwhile, also in files that are not looked into here.
    const durable = this.#durable;
    let place = this.#place;
    for (const segment of this.#segments.filter(({ first }) => first >= place.first)) {
      if (segment.first > place.first) {
        place = { number: place.number, first: segment.first, offset_bytes: 0 };
      }
      const from_bytes = place.offset_bytes;
      for await (const read of linesOf(this.#options.files, segment, from_bytes)) {
        const { line, end_bytes } = read;
        if (!line) continue;
        if (numberOf(line) > durable) return batchOf(kept, place);
        kept.push(...unread(line, place.number, read.bytes));
        const number = Math.max(place.number, numberOf(line));
        place = { number, first: segment.first, offset_bytes: end_bytes };
        const isFull = kept.length >= items_max || end_bytes - from_bytes > BATCH_BYTES;
        if (kept.length > 0 && isFull) return batchOf(kept, place);
      }
    }
    // All that is durable must have been read; what was not is gone.
    const count = durable - place.number;
    if (count <= 0) return batchOf(kept, place);
    const id = this.#options.random.id();
    kept.push({ unreported: { id, count, cause: 'damaged' } });
    return batchOf(kept, { ...place, number: durable });
  }

  /** What was read as a batch is recorded, and forgotten. */
  acknowledge({ place }: Batch): void {
    if (place.number <= this.#place.number) return;
    this.#place = place;
    if (this.#problem) return;
    try {
      this.#forget();
    } catch {
      // What is still there is sent again at worst; a disk that fails is told by what is kept next.
    }
  }

  /** Opens it anew after a failure; rejects where that fails as well. */
  async reopen(): Promise<void> {
    await this.#work;
    const { segments, file, next, delivered } = await recoverSpool(this.#options, true);
    this.#segments = segments;
    this.#file = file;
    const number = Math.max(delivered, this.#place.number);
    this.#next = Math.max(next, number + 1);
    this.#durable = this.#next - 1;
    this.#place = { number, first: segments[0]?.first ?? 1, offset_bytes: 0 };
    this.#problem = undefined;
    this.#isNew = true;
  }

  /** Resolves when what was kept is durable, or is known not to be. */
  async flushed(): Promise<void> {
    await this.#work;
  }

  async close(): Promise<void> {
    await this.#work;
    if (!this.#problem) {
      this.#problem = unwritable('the guard is closed');
      if (this.#unflushed) await this.#file.flush().catch(() => undefined);
      this.#file.close();
    }
    this.#release();
  }

  /** By whole files; the last one is emptied where nothing waits, and else marked. */
  #forget(): void {
    const { files } = this.#options;
    const last = this.#segments.at(-1) as Segment;
    const isDone = this.waiting === 0;
    if (isDone) this.#place = { ...this.#place, first: last.first, offset_bytes: 0 };
    else this.#write(this.#lineOf({ delivered: this.#place.number }));
    while ((this.#segments[0]?.first ?? 0) < this.#place.first) {
      files.remove(this.#segments[0]?.path ?? '');
      this.#segments.shift();
    }
    if (!isDone) return;
    this.#file.truncate(0);
    last.size_bytes = 0;
  }

  #lineOf(line: Line): Buffer {
    const bytes = formatLine(line);
    return this.#isNew ? begun(bytes, this.#segments.at(-1) as Segment) : bytes;
  }

  #write(line: Buffer): void {
    const last = this.#segments.at(-1) as Segment;
    writeFully(this.#file, line, last.size_bytes);
    this.#isNew = false;
    last.size_bytes += line.length;
    this.#unflushed = true;
  }

  /** Flushes group after group until nobody waits. Never rejects. */
  async #flushAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await nextTurn();
        await this.#flushGroup();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#work = undefined;
  }

  async #flushGroup(): Promise<void> {
    if (this.#problem) return;
    const file = this.#file;
    const durable = this.#next - 1;
    const group = this.#waiting.length;
    const isFull = this.#begin();
    this.#unflushed = false;
    try {
      await file.flush();
    } finally {
      if (isFull) file.close();
    }
    // What is written from now on stands under the new name.
    if (isFull) await this.#options.files.flushDirectory(this.#options.directory);
    if (this.#problem) return;
    this.#durable = durable;
    for (const { resolve } of this.#waiting.splice(0, group)) resolve();
  }

  /** Begins a segment where the last one is large enough. */
  #begin(): boolean {
    const { directory, files, bytes_max } = this.#options;
    const last = this.#segments.at(-1) as Segment;
    if (last.size_bytes < bytes_max / SEGMENTS) return false;
    const segment = segmentAt(directory, this.#next);
    this.#file = files.open(segment.path, 'create');
    this.#segments.push(segment);
    return true;
  }

  #fail(cause: unknown): PortcullisError {
    if (this.#problem) return this.#problem;
    const { directory } = this.#options;
    this.#problem = unwritable(`outcomes cannot be written to \`${directory}\``, cause);
    this.#file.close();
    for (const { reject } of this.#waiting.splice(0)) reject(this.#problem);
    return this.#problem;
  }
}

function full(bytes_max: number): PortcullisError {
  return unwritable(`outcomes of guard.outcomes_spool_bytes_max (${bytes_max}) wait already`);
}

/** Names the error of the disk. */
export function unwritable(message: string, cause?: unknown): PortcullisError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const told = code === undefined ? message : `${message} (${code})`;
  return new PortcullisError('OUTCOMES_UNWRITABLE', told, { cause });
}
