/**
 * What the log needs of a disk. It is handed in, so that a disk that fails at any step and loses
 * what was not flushed can stand in its place. Operations throw the errors of `node:fs`.
 */
import fs from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { makePrivateFolder } from '../contract/private_folder.ts';
import { lockDirectory } from './lock.ts';

export interface EvidenceFiles {
  /** Makes a directory that only this user may enter, and its parents, durably. */
  createDirectory(directory: string): Promise<void>;
  /** Makes this the only writer of a directory; returns the release. Throws `EVIDENCE_LOCKED`. */
  lock(directory: string): () => void;
  /** Names in a directory. */
  names(directory: string): string[];
  /** `create` demands that the file is not there yet; `write` and `read` that it is. */
  open(path: string, use: 'create' | 'write' | 'read'): EvidenceFile;
  /** Lets a name stand for another file, at once or, after a crash, not at all. */
  rename(from: string, to: string): void;
  /**
   * Forgets a file; what reads it goes on. After a crash its name may be there again until its
   * folder was flushed.
   */
  remove(path: string): void;
  /** Makes durable which names stand in a directory. */
  flushDirectory(directory: string): Promise<void>;
  /** Microseconds since some moment; only differences count. Tells how long a flush takes. */
  elapsed_us(): number;
}

export interface EvidenceFile {
  size_bytes(): number;
  /** Fills `into` from `position` on; returns how many bytes, 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes at `position`; returns how many bytes were taken, which may be fewer. */
  write(bytes: Uint8Array, position: number): number;
  truncate(size_bytes: number): void;
  /** Resolves when all that was written is durable. */
  flush(): Promise<void>;
  close(): void;
}

const FLAGS = { create: 'wx+', write: 'r+', read: 'r' } as const;

const read = promisify(fs.read);
const fsync = promisify(fs.fsync);
const fdatasync = promisify(fs.fdatasync);

/** The disk of this machine. */
export const nodeFiles: EvidenceFiles = {
  async createDirectory(directory) {
    for (const made of makePrivateFolder(directory)) await this.flushDirectory(dirname(made));
  },
  lock: lockDirectory,
  names: (directory) => fs.readdirSync(directory),
  open: (path, use) => nodeFile(fs.openSync(path, FLAGS[use], 0o600)),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.unlinkSync(path),
  async flushDirectory(directory) {
    const fd = fs.openSync(directory, 'r');
    try {
      await fsync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  elapsed_us: () => performance.now() * 1000,
};

/**
 * The same for who may wait for the disk, such as a command or a thread of its own: reading here
 * and there takes a tenth of the time without the trip through the thread pool.
 */
export const blockingFiles: EvidenceFiles = {
  ...nodeFiles,
  open(path, use) {
    const fd = fs.openSync(path, FLAGS[use], 0o600);
    return {
      ...nodeFile(fd),
      read: async (into, position) => fs.readSync(fd, into, 0, into.length, position),
    };
  },
};

/**
 * Writing synchronously into the page cache and flushing asynchronously is the fastest durable way
 * that was measured (docs/performance.md): one trip through the thread pool for each group.
 */
function nodeFile(fd: number): EvidenceFile {
  return {
    size_bytes: () => fs.fstatSync(fd).size,
    read: async (into, position) => (await read(fd, into, 0, into.length, position)).bytesRead,
    write: (bytes, position) => fs.writeSync(fd, bytes, 0, bytes.length, position),
    truncate: (size_bytes) => fs.ftruncateSync(fd, size_bytes),
    flush: () => fdatasync(fd),
    close: () => fs.closeSync(fd),
  };
}
