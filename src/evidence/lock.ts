/**
 * One writer for each directory, across processes. The lock is one that the kernel holds for an
 * open file and drops when its process dies in any way, so none is ever stale. Node has no such
 * lock of its own; SQLite takes one on its database, here an empty file that is never written. The
 * other ways fall short: a file with a process id must be judged stale, which is a race and means
 * nothing across containers that share a volume; an abstract socket is seen in its network
 * namespace only.
 */
import { accessSync, chmodSync, constants } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { PortcullisError } from '../errors.ts';

/** Several that start at once get out of each other's way within this time, then one has it. */
const CONTENTION_MS_MAX = 250;

const SQLITE_BUSY = 5;

/** Takes the lock of a directory; returns its release. Throws `EVIDENCE_LOCKED`. */
export function lockDirectory(directory: string): () => void {
  // SQLite does not say why it cannot open a file; this does.
  accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  const path = join(directory, 'lock');
  const database = new DatabaseSync(path, { timeout: CONTENTION_MS_MAX });
  try {
    // By path: closing any descriptor of the file would drop this process's lock (POSIX fcntl).
    chmodSync(path, 0o600);
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw isBusy(error) ? locked(directory, error) : error;
  }
  return () => database.close();
}

function isBusy(error: unknown): boolean {
  return (error as { errcode?: number }).errcode === SQLITE_BUSY;
}

function locked(directory: string, cause: unknown): PortcullisError {
  return new PortcullisError(
    'EVIDENCE_LOCKED',
    `another process writes to the evidence directory \`${directory}\``,
    { cause },
  );
}
