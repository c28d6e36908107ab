/**
 * What a witness remembers: for each log the last checkpoint that it cosigned. An SQLite file that
 * one process opens, because one thing is then the lock, which the kernel drops with its process,
 * and the write, which is whole and on the disk before it returns, or is not there.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makePrivateFolder } from '../contract/private_folder.ts';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';

/** Several that start at once get out of each other's way within this time, then one has it. */
const CONTENTION_MS_MAX = 250;
const SQLITE_BUSY = 5;

const TABLE = `CREATE TABLE checkpoints
  (origin TEXT PRIMARY KEY, note TEXT NOT NULL) STRICT, WITHOUT ROWID`;

export interface WitnessState {
  /** The note that was stored last for an origin. */
  latest(origin: string): string | undefined;
  /** All origins of which there is a note. */
  origins(): string[];
  /** Returns when the note is on the disk. Throws `EVIDENCE_UNWRITABLE`; then it may be there. */
  store(origin: string, note: string): void;
  close(): void;
}

/** Throws `EVIDENCE_LOCKED`, `EVIDENCE_DAMAGED` and `EVIDENCE_UNWRITABLE`. */
export function openWitnessState(directory: string): WitnessState {
  const database = openDatabase(directory);
  const query = (sql: string, ...values: string[]): Record<string, unknown>[] => {
    try {
      return database.prepare(sql).all(...values);
    } catch (cause) {
      throw damaged(directory, cause);
    }
  };
  return {
    latest(origin) {
      const [row] = query('SELECT note FROM checkpoints WHERE origin = ?', origin);
      return row?.['note'] as string | undefined;
    },
    origins: () => query('SELECT origin FROM checkpoints').map((row) => row['origin'] as string),
    store(origin, note) {
      try {
        database.prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?)').run(origin, note);
      } catch (cause) {
        throw unwritable(directory, cause);
      }
    },
    close: () => database.close(),
  };
}

function openDatabase(directory: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    makePrivateFolder(directory);
    const path = join(directory, 'witness.db');
    database = new DatabaseSync(path, { timeout: CONTENTION_MS_MAX });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = EXTRA; BEGIN EXCLUSIVE');
    // What a process that was killed had begun is undone now. A file that holds anything must hold
    // the table: one whose name was damaged would otherwise be made anew, and nothing remembered.
    if (statSync(path).size === 0) database.exec(TABLE);
    database.exec('COMMIT');
    const [found] = database.prepare('PRAGMA integrity_check').all();
    if (found?.['integrity_check'] !== 'ok') throw damaged(directory);
    return database;
  } catch (error) {
    database?.close();
    throw openFault(directory, error);
  }
}

function openFault(directory: string, cause: unknown): unknown {
  if (cause instanceof PortcullisError) return cause;
  const { errcode } = cause as { errcode?: number };
  if (errcode === undefined) return unwritable(directory, cause);
  if (errcode !== SQLITE_BUSY) return damaged(directory, cause);
  const message = `another witness has the state \`${directory}\``;
  return new PortcullisError('EVIDENCE_LOCKED', message, { cause });
}

function unwritable(directory: string, cause: unknown): PortcullisError {
  const why = systemReason(cause);
  const message = `the state \`${directory}\` cannot be written: ${why}`;
  return new PortcullisError('EVIDENCE_UNWRITABLE', message, { cause });
}

/** What is wrong with a state that is there; a witness without its memory must not sign. */
function damaged(directory: string, cause?: unknown): PortcullisError {
  const message = `the state \`${directory}\` is not what this witness wrote`;
  return new PortcullisError('EVIDENCE_DAMAGED', message, { cause });
}
