/** Brings an index to where its log is. */
import { statSync } from 'node:fs';
import { hash } from 'node:crypto';
import type { EvidenceFiles } from '../files.ts';
import { readStored } from '../read.ts';
import { type StoredRecord, listSegments } from '../segment.ts';
import { originOf } from '../tree/checkpoint.ts';
import { STRETCH_RECORDS } from './bits.ts';
import {
  type Addition,
  type IndexDatabase,
  type IndexState,
  sameBytes,
  termMaker,
} from './database.ts';
import { FIELD_NAMES, valuesOf } from './fields.ts';

/** The time of each so many-th record is kept. */
export const TIMED_RECORDS = 64;

export interface IndexedLog {
  files: EvidenceFiles;
  directory: string;
  /** Makes the key of an index. */
  newKey(): Uint8Array;
}

/**
 * Adds what the log has more, from the beginning where the index is of another log or of one that
 * was cut off. Two processes may do it at once. Rejects with `EVIDENCE_DAMAGED` as reading does.
 */
export async function catchUp(database: IndexDatabase, log: IndexedLog): Promise<void> {
  await requireSameLog(database, log);
  await forgetRewritten(database, log);
  for (;;) {
    const before = database.state();
    if (!before || (await addAll(database, log, before))) return;
  }
}

/** Begins anew unless the index is of this log, and of no record that the log has not. */
async function requireSameLog(database: IndexDatabase, log: IndexedLog): Promise<void> {
  const name = await nameOf(log);
  const state = database.state();
  if (state?.log === name && (await isStillThere(log, state))) return;
  database.begin(name, log.newKey());
}

/** Of its origin and of its first record. */
async function nameOf({ files, directory }: IndexedLog): Promise<string> {
  const origin = (await originOf(files, directory)) ?? '';
  const first = await recordAt({ files, directory }, 0);
  return hash('sha256', `${origin}\n${first?.leaf.toString('hex') ?? ''}`);
}

async function isStillThere(
  log: Omit<IndexedLog, 'newKey'>,
  { next, last_leaf }: IndexState,
): Promise<boolean> {
  if (next === 0) return true;
  const last = await recordAt(log, next - 1);
  return last !== undefined && sameBytes(last.leaf, last_leaf);
}

async function recordAt(
  { files, directory }: Omit<IndexedLog, 'newKey'>,
  index: number,
): Promise<StoredRecord | undefined> {
  for await (const found of readStored(directory, { files, from: index })) return found;
  return undefined;
}

/**
 * A segment that another one follows changes only where something is taken out of its records.
 * Then what the index knew by that is forgotten too.
 */
async function forgetRewritten(database: IndexDatabase, log: IndexedLog): Promise<void> {
  const known = database.segmentVersions();
  const whole = listSegments(log.files, log.directory).slice(0, -1);
  const now = new Map(whole.map(({ first, path }) => [first, versionOf(path)]));
  const rewritten = [...known].filter(([first, version]) => now.get(first) !== version);
  if (rewritten.length > 0) {
    const stretch = Math.floor(Math.min(...rewritten.map(([first]) => first)) / STRETCH_RECORDS);
    const next = stretch * STRETCH_RECORDS;
    const last = next === 0 ? undefined : await recordAt(log, next - 1);
    if ((database.state()?.next ?? 0) > next) {
      database.forgetFrom(stretch, next, last?.leaf ?? new Uint8Array());
    }
  }
  const added = [...now].filter(([first, version]) => known.get(first) !== version);
  if (added.length > 0) database.keepSegmentVersions(added);
}

function versionOf(path: string): string {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return [ino, size, mtimeNs].join(' ');
}

/** Whether all was added; false where another process came first. */
async function addAll(
  database: IndexDatabase,
  { files, directory }: IndexedLog,
  before: IndexState,
): Promise<boolean> {
  const stretch = new Stretch(database, before);
  for await (const found of readStored(directory, { files, from: before.next })) {
    stretch.take(found);
    if (stretch.isFull && !stretch.write()) return false;
  }
  return stretch.write();
}

/** The records that are added at a time. */
class Stretch {
  readonly #database: IndexDatabase;
  readonly #termOf: (field: string, value: string) => number;
  /** Terms of values that come again and again. */
  readonly #known = new Map<string, number>();
  #before: IndexState;
  #places = new Map<number, number[]>();
  #times: number[];
  #next: number;
  #last_leaf: Uint8Array;

  constructor(database: IndexDatabase, before: IndexState) {
    this.#database = database;
    this.#termOf = termMaker(before.key);
    this.#before = before;
    this.#next = before.next;
    this.#last_leaf = before.last_leaf;
    this.#times = [...database.times(Math.floor(before.next / STRETCH_RECORDS))];
  }

  get isFull(): boolean {
    return this.#next % STRETCH_RECORDS === 0;
  }

  take({ record, leaf }: StoredRecord): void {
    const place = record.index % STRETCH_RECORDS;
    if (place % TIMED_RECORDS === 0) this.#times[place / TIMED_RECORDS] = Date.parse(record.time);
    for (const field of FIELD_NAMES) {
      for (const value of valuesOf(record, field)) this.#add(this.#term(field, value), place);
    }
    this.#next = record.index + 1;
    this.#last_leaf = leaf;
  }

  /** Tells whether it was written, and not by another process before. */
  write(): boolean {
    if (this.#next === this.#before.next) return true;
    const addition: Addition = {
      stretch: Math.floor(this.#before.next / STRETCH_RECORDS),
      places: this.#places,
      times: Float64Array.from(this.#times),
      next: this.#next,
      last_leaf: this.#last_leaf,
    };
    if (!this.#database.add(this.#before, addition)) return false;
    this.#before = { ...this.#before, next: this.#next, last_leaf: this.#last_leaf };
    this.#places = new Map();
    if (this.isFull) this.#times = [];
    this.#known.clear();
    return true;
  }

  #term(field: string, value: string): number {
    const name = `${field}\0${value}`;
    const term = this.#known.get(name) ?? this.#termOf(field, value);
    this.#known.set(name, term);
    return term;
  }

  #add(term: number, place: number): void {
    const places = this.#places.get(term);
    if (places) places.push(place);
    else this.#places.set(term, [place]);
  }
}
