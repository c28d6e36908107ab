/**
 * Finds records of a log. The index says where to look and is never believed: each hit is read from
 * the log, and judged again by what was asked. What it does not know it could hide, so that whoever
 * must be sure reads the log itself.
 */
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import { PortcullisError } from '../../errors.ts';
import { type EvidenceFiles, blockingFiles } from '../files.ts';
import { readSingleRecords } from '../records.ts';
import type { StoredRecord } from '../segment.ts';
import { type Order, candidates } from './candidates.ts';
import { type IndexedLog, catchUp } from './catch_up.ts';
import { cursorAt, readCursor } from './cursor.ts';
import { IndexDatabase, indexFault, isDamage, removeIndexFile, sameBytes } from './database.ts';
import { type RecordFilter, meets } from './fields.ts';

export interface EvidenceIndexOptions {
  /** Folder of the log. */
  directory: string;
  /** File of the index. */
  path: string;
  /** Makes 32 random bytes. */
  newKey(): Uint8Array;
  files?: EvidenceFiles;
}

export interface RecordQuery {
  filter: RecordFilter;
  order: Order;
  /** Most records of a page. */
  limit: number;
  /** As the page before gave it. */
  cursor?: string;
  /** Size of a page, which holds one record of any size. */
  bytes_max?: number;
}

export interface RecordPage {
  records: EvidenceRecord[];
  /** Where the next page begins; null after the last one. */
  next: string | null;
}

/** The file of the index beside a log, outside of the folder, which may be served as it is. */
export function indexPathOf(directory: string): string {
  return `${directory.replace(/\/+$/, '')}.index`;
}

export class EvidenceIndex {
  readonly #log: IndexedLog;
  readonly #path: string;
  #database: IndexDatabase;
  /** The end of what runs: one at a time has the index. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ directory, path, newKey, files = blockingFiles }: EvidenceIndexOptions) {
    this.#log = { files, directory, newKey };
    this.#path = path;
    this.#database = IndexDatabase.open(path);
  }

  /** Number of records that it knows. */
  get size(): number {
    return this.#database.state()?.next ?? 0;
  }

  /** Brings the index to where the log is. Rejects with `EVIDENCE_DAMAGED`. */
  catchUp(): Promise<void> {
    return this.#exclusively(() => catchUp(this.#database, this.#log));
  }

  /** Rejects with `REQUEST_INVALID` for a cursor of another question, and `EVIDENCE_DAMAGED`. */
  page(query: RecordQuery): Promise<RecordPage> {
    return this.#exclusively(async () => {
      await catchUp(this.#database, this.#log);
      return this.#page(query);
    });
  }

  /** A record by its place; undefined where the log has none there. */
  record(index: number): Promise<StoredRecord | undefined> {
    return this.#exclusively(async () => {
      await catchUp(this.#database, this.#log);
      if (index >= this.size) return undefined;
      const { files, directory } = this.#log;
      for await (const found of readSingleRecords(files, directory, [index])) return found;
      return undefined;
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    this.#database.close();
  }

  async #page({ filter, order, limit, cursor, bytes_max = Infinity }: RecordQuery) {
    const start = cursor === undefined ? startOf(order) : readCursor(cursor, { filter, order });
    const records: EvidenceRecord[] = [];
    let room_bytes = bytes_max;
    const key = this.#database.state()?.key;
    const places = candidates(this.#database, filter, order, start);
    let batch: number[];
    do {
      batch = takeSome(places, limit - records.length);
      this.#requireKey(key);
      for (const { record } of await this.#read(batch, order)) {
        if (!meets(record, filter)) continue;
        room_bytes -= Buffer.byteLength(JSON.stringify(record));
        if (room_bytes < 0 && records.length > 0) {
          return { records, next: cursorAt(record.index, { filter, order }) };
        }
        records.push(record);
      }
    } while (records.length < limit && batch.length > 0);
    const { value: following } = places.next();
    const next = following === undefined ? null : cursorAt(following, { filter, order });
    return { records, next };
  }

  /** Values have other terms under another key. */
  #requireKey(key: Uint8Array | undefined): void {
    const now = this.#database.state()?.key;
    if (key === now || (key && now && sameBytes(key, now))) return;
    const message = 'another process began the index anew meanwhile; ask once more';
    throw new PortcullisError('OVERLOADED', message);
  }

  async #read(indices: readonly number[], order: Order): Promise<StoredRecord[]> {
    const { files, directory } = this.#log;
    const rising = order === 'oldest' ? indices : indices.toReversed();
    const found: StoredRecord[] = [];
    for await (const record of readSingleRecords(files, directory, rising)) found.push(record);
    return order === 'oldest' ? found : found.reverse();
  }

  /** A file that proves damaged is made anew, once. */
  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      try {
        return await run();
      } catch (error) {
        if (!isDamage(error)) throw indexFault(this.#path, error);
        this.#database.close();
        removeIndexFile(this.#path);
        this.#database = IndexDatabase.open(this.#path);
        return run();
      }
    });
    this.#turn = result.catch(() => {});
    return result;
  }
}

function startOf(order: Order): number {
  return order === 'newest' ? Number.MAX_SAFE_INTEGER : 0;
}

/** The next so many; the generator goes on after them. */
function takeSome(from: Generator<number, undefined>, count: number): number[] {
  const taken: number[] = [];
  while (taken.length < count) {
    const { value } = from.next();
    if (value === undefined) break;
    taken.push(value);
  }
  return taken;
}
