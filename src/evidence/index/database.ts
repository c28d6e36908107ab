/**
 * The file of an index: SQLite, because processes may read and extend it at once, and one killed
 * halfway leaves it whole. It holds no values of records but truncated digests of them under a
 * random key of its own, so that it is of little use without the log.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { chmodSync, closeSync, lstatSync, openSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { PortcullisError } from '../../errors.ts';
import { type Bits, packPlaces, placesIn, unpackBits } from './bits.ts';

/** Counted up whenever what is kept, or by which values, changes. */
const FORMAT = 1;

/** How long one process waits while another writes. */
const BUSY_MS_MAX = 2_000;

/** 48 bits of a digest: two values that share one only cost a record that is read in vain. */
const TERM_BYTES = 6;

const TABLES = `
  CREATE TABLE IF NOT EXISTS state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    key BLOB NOT NULL, log TEXT NOT NULL, next INTEGER NOT NULL, last_leaf BLOB NOT NULL
  );
  CREATE TABLE IF NOT EXISTS sets (
    stretch INTEGER, term INTEGER, records BLOB NOT NULL, PRIMARY KEY (stretch, term)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS times (stretch INTEGER PRIMARY KEY, times BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS segments (first INTEGER PRIMARY KEY, version TEXT NOT NULL);
  PRAGMA user_version = ${FORMAT};
`;

/** How far an index has come. */
export interface IndexState {
  /** What tells a log from others. */
  log: string;
  /** Index of the next record. */
  next: number;
  /** Hash of the leaf before. */
  last_leaf: Uint8Array;
  key: Uint8Array;
}

/** What is added at a time: records of one stretch. */
export interface Addition {
  stretch: number;
  /** Places of the records within the stretch, by term. */
  places: ReadonlyMap<number, readonly number[]>;
  /** Times of some records of the stretch, all that are known of it. */
  times: Float64Array;
  next: number;
  last_leaf: Uint8Array;
}

export class IndexDatabase {
  readonly #database: DatabaseSync;
  readonly #set: StatementSync;
  readonly #times: StatementSync;
  readonly #state: StatementSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
    this.#set = database.prepare('SELECT records FROM sets WHERE stretch = ? AND term = ?');
    this.#state = database.prepare('SELECT log, next, last_leaf, key FROM state');
    this.#times = database.prepare('SELECT times FROM times WHERE stretch = ?');
  }

  /** Opens the file, which is made where there is none, and made anew where it is damaged. */
  static open(path: string): IndexDatabase {
    requireOwnFile(path);
    try {
      return IndexDatabase.#openThere(path);
    } catch (error) {
      if (!isDamage(error)) throw unusable(path, error);
      removeIndexFile(path);
      return IndexDatabase.#openThere(path);
    }
  }

  static #openThere(path: string): IndexDatabase {
    makePrivate(path);
    const database = new DatabaseSync(path, { timeout: BUSY_MS_MAX });
    try {
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
      database.exec('PRAGMA secure_delete = ON');
      inTransaction(database, () => makeTables(database));
      return new IndexDatabase(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  state(): IndexState | undefined {
    return this.#state.get() as unknown as IndexState | undefined;
  }

  /** Forgets everything and begins the index of a log, under a new key. */
  begin(log: string, key: Uint8Array): void {
    inTransaction(this.#database, () => {
      for (const table of ['state', 'sets', 'times', 'segments']) {
        this.#database.exec(`DELETE FROM ${table}`);
      }
      this.#database
        .prepare('INSERT INTO state (id, key, log, next, last_leaf) VALUES (1, ?, ?, 0, ?)')
        .run(key, log, new Uint8Array());
    });
  }

  /** Forgets the records from a stretch on. */
  forgetFrom(stretch: number, next: number, last_leaf: Uint8Array): void {
    inTransaction(this.#database, () => {
      this.#database.prepare('DELETE FROM sets WHERE stretch >= ?').run(stretch);
      this.#database.prepare('DELETE FROM times WHERE stretch >= ?').run(stretch);
      this.#database.exec('DELETE FROM segments');
      this.#moveTo(next, last_leaf);
    });
  }

  /** Adds records, unless another process came first; tells whether it did. */
  add(before: IndexState, { stretch, places, times, next, last_leaf }: Addition): boolean {
    return inTransaction(this.#database, () => {
      const now = this.state();
      if (now?.next !== before.next || !sameBytes(now.key, before.key)) return false;
      const write = this.#database.prepare(
        'INSERT INTO sets VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET records = excluded.records',
      );
      // In the order of the tree that they go into.
      for (const term of [...places.keys()].sort((one, other) => one - other)) {
        const added = places.get(term) as readonly number[];
        const known = this.set(stretch, term);
        write.run(stretch, term, packPlaces(known ? [...placesIn(known), ...added] : added));
      }
      this.#database
        .prepare('INSERT INTO times VALUES (?, ?) ON CONFLICT DO UPDATE SET times = excluded.times')
        .run(stretch, new Uint8Array(times.buffer));
      this.#moveTo(next, last_leaf);
      return true;
    });
  }

  /** The records of a stretch that have a value; undefined where there are none. */
  set(stretch: number, term: number): Bits | undefined {
    const row = this.#set.get(stretch, term) as { records: Uint8Array } | undefined;
    return row && unpackBits(row.records);
  }

  /** Times of some records of a stretch, in their order. */
  times(stretch: number): Float64Array {
    const row = this.#times.get(stretch) as { times: Uint8Array } | undefined;
    const bytes = row?.times ?? new Uint8Array();
    return new Float64Array(bytes.slice(0, bytes.length - (bytes.length % 8)).buffer);
  }

  /** The versions of whole segments that the index was made of, by their first records. */
  segmentVersions(): Map<number, string> {
    const rows = this.#database.prepare('SELECT first, version FROM segments').all();
    return new Map(
      (rows as { first: number; version: string }[]).map(({ first, version }) => [first, version]),
    );
  }

  keepSegmentVersions(versions: Iterable<readonly [first: number, version: string]>): void {
    inTransaction(this.#database, () => {
      const write = this.#database.prepare('INSERT OR REPLACE INTO segments VALUES (?, ?)');
      for (const [first, version] of versions) write.run(first, version);
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #moveTo(next: number, last_leaf: Uint8Array): void {
    this.#database.prepare('UPDATE state SET next = ?, last_leaf = ?').run(next, last_leaf);
  }
}

/** Makes terms of values under the key of an index. */
export function termMaker(key: Uint8Array): (field: string, value: string) => number {
  const secret: KeyObject = createSecretKey(key);
  return (field, value) =>
    createHmac('sha256', secret).update(`${field}\0${value}`).digest().readUIntBE(0, TERM_BYTES);
}

/** Whether the file is none that SQLite wrote whole. */
export function isDamage(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode ?? 0;
  return [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & PRIMARY_CODE);
}

/** What a failure of SQLite means, and what helps; any other error stays what it is. */
export function indexFault(path: string, error: unknown): unknown {
  const { errcode } = error as { errcode?: number };
  if (errcode === undefined) return error;
  if ((errcode & PRIMARY_CODE) !== SQLITE_BUSY) return unusable(path, error);
  const message = 'another process keeps the index busy; ask once more';
  return new PortcullisError('OVERLOADED', message, { cause: error });
}

const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const PRIMARY_CODE = 0xff;

export function removeIndexFile(path: string): void {
  for (const name of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${name}`, { force: true });
}

export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

function makeTables(database: DatabaseSync): void {
  const { user_version } = database.prepare('PRAGMA user_version').get() as {
    user_version: number;
  };
  if (user_version !== FORMAT) {
    const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    for (const { name } of names as { name: string }[]) database.exec(`DROP TABLE "${name}"`);
  }
  database.exec(TABLES);
}

function inTransaction<T>(database: DatabaseSync, run: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = run();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * Only where the file is new: closing any descriptor of it would drop the locks that this process
 * has on it (POSIX fcntl).
 */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  chmodSync(path, 0o600);
}

/** Somebody else's file in its place could be a link to anything. */
function requireOwnFile(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found || (found.isFile() && found.uid === process.getuid?.())) return;
  const message = `\`${path}\` is no file of this user, so it is no index`;
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

function unusable(path: string, cause: unknown): PortcullisError {
  if (cause instanceof PortcullisError) return cause;
  const { code = '', errcode } = cause as NodeJS.ErrnoException & { errcode?: number };
  const why = errcode === undefined ? code : `SQLite ${errcode}`;
  return new PortcullisError(
    'ARGUMENT_INVALID',
    `the index \`${path}\` cannot be written (${why}): name another place with --index`,
    { cause },
  );
}
