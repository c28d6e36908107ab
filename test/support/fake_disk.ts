/**
 * A disk that keeps only what was flushed, and fails when told. It is as mean as real ones: after a
 * power loss any of the unflushed sectors may stand there, later ones without earlier ones, and the
 * length may be any; after a failed flush the unwritten pages count as clean, so they can be read
 * but no later flush writes them; a name that was not flushed with its directory may be gone.
 */
import { basename, dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceFile, EvidenceFiles } from '../../src/evidence/files.ts';
import type { SeededRandom } from './seeded_random.ts';

/** Small, so that short lines are torn too. */
const SECTOR_BYTES = 64;

/** What goes wrong: once for `short` and `EIO`, until the restart for the others. */
export const FAULTS = ['short', 'ENOSPC', 'EIO', 'EROFS', 'kill', 'power_loss'] as const;
export type Fault = (typeof FAULTS)[number];

export interface FakeDisk extends EvidenceFiles {
  /** Lets the operation that changes something after `skip` more of them go wrong. */
  failAfter(skip: number, fault: Fault): void;
  /** The process is dead since a `kill` or a `power_loss`. */
  readonly is_down: boolean;
  /** Operations that changed something so far. */
  readonly changes: number;
  /** A new process finds what a killed one, or a power loss, left. */
  restart(after: 'kill' | 'power_loss'): void;
  /** Flushes succeed without keeping anything: what the tests of the log must notice. */
  lie(): void;
  /** Microseconds that each flush takes. */
  flush_us: number;
}

interface Inode {
  cached: Buffer;
  durable: Buffer;
  /** Numbers of sectors that differ and that the next flush writes. */
  dirty: Set<number>;
}

export function fakeDisk(random: SeededRandom): FakeDisk {
  return new SimulatedDisk(random);
}

class SimulatedDisk implements FakeDisk {
  readonly #random: SeededRandom;
  #names = new Map<string, Inode>();
  #durable_names = new Map<string, Inode>();
  /** Names that were given up for others since their folder was flushed. */
  #renamed: { from: string; to: string; inode: Inode }[] = [];
  #locked = false;
  #lies = false;
  #process = 0;
  #elapsed_us = 0;
  #planned: { at: number; fault: Fault } | undefined;
  #sticky: 'ENOSPC' | 'EROFS' | undefined;
  is_down = false;
  changes = 0;
  flush_us = 20;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  failAfter(skip: number, fault: Fault): void {
    this.#planned = { at: this.changes + skip, fault };
  }

  lie(): void {
    this.#lies = true;
  }

  restart(after: 'kill' | 'power_loss'): void {
    this.#process += 1;
    this.#planned = undefined;
    this.#sticky = undefined;
    this.#locked = false;
    this.is_down = false;
    if (after === 'kill') return;
    for (const [path, inode] of this.#names) {
      if (this.#random.chance(0.5)) this.#durable_names.set(path, inode);
    }
    this.#finishRenames();
    this.#names = new Map(this.#durable_names);
    for (const inode of this.#names.values()) loseUnflushed(inode, this.#random);
  }

  async createDirectory(): Promise<void> {
    this.#requireUp();
    await nextTurn();
  }

  lock(directory: string): () => void {
    this.#requireUp();
    if (this.#locked) throw new PortcullisError('EVIDENCE_LOCKED', `\`${directory}\` is locked`);
    this.#locked = true;
    const process = this.#process;
    return () => {
      if (process === this.#process) this.#locked = false;
    };
  }

  names(directory: string): string[] {
    this.#requireUp();
    return [...this.#names.keys()]
      .filter((path) => dirname(path) === directory)
      .map((path) => basename(path));
  }

  open(path: string, use: 'create' | 'write' | 'read'): EvidenceFile {
    this.#requireUp();
    const found = this.#names.get(path);
    if (use === 'create') {
      if (found) throw failure('EEXIST');
      this.#change();
      const inode = { cached: Buffer.alloc(0), durable: Buffer.alloc(0), dirty: new Set<number>() };
      this.#names.set(path, inode);
      return this.#handle(inode);
    }
    if (!found) throw failure('ENOENT');
    return this.#handle(found);
  }

  rename(from: string, to: string): void {
    const inode = this.#names.get(from);
    this.#change();
    if (!inode) throw failure('ENOENT');
    this.#names.delete(from);
    this.#names.set(to, inode);
    this.#renamed.push({ from, to, inode });
  }

  remove(path: string): void {
    this.#change();
    if (!this.#names.delete(path)) throw failure('ENOENT');
  }

  async flushDirectory(directory: string): Promise<void> {
    this.#requireUp();
    await nextTurn();
    this.#change();
    if (this.#lies) return;
    for (const path of this.#durable_names.keys()) {
      if (dirname(path) === directory && !this.#names.has(path)) this.#durable_names.delete(path);
    }
    for (const [path, inode] of this.#names) {
      if (dirname(path) === directory) this.#durable_names.set(path, inode);
    }
  }

  /** A file system makes a rename whole or not at all: no file has both names. */
  #finishRenames(): void {
    for (const { from, to, inode } of this.#renamed.splice(0)) {
      const both = [from, to].every((path) => this.#durable_names.get(path) === inode);
      if (both) this.#durable_names.delete(from);
    }
  }

  elapsed_us(): number {
    this.#elapsed_us += 5;
    return this.#elapsed_us;
  }

  #handle(inode: Inode): EvidenceFile {
    const process = this.#process;
    let closed = false;
    const requireOpen = (): void => {
      this.#requireUp();
      if (closed || process !== this.#process) throw failure('EBADF');
    };
    return {
      size_bytes: () => inode.cached.length,
      read: async (into, position) => {
        requireOpen();
        await nextTurn();
        return inode.cached.copy(into, 0, position);
      },
      write: (bytes, position) => {
        requireOpen();
        return this.#write(inode, bytes, position);
      },
      truncate: (size_bytes) => {
        requireOpen();
        this.#change();
        inode.cached = Buffer.from(inode.cached.subarray(0, size_bytes));
      },
      flush: async () => {
        requireOpen();
        await nextTurn();
        this.#flush(inode);
      },
      close: () => {
        closed = true;
      },
    };
  }

  #write(inode: Inode, bytes: Uint8Array, position: number): number {
    const some = 1 + this.#random.below(bytes.length);
    try {
      if (this.#change() === 'short') return put(inode, bytes.subarray(0, some), position);
      return put(inode, bytes, position);
    } catch (error) {
      // What failed or was interrupted may have been done in part.
      if (this.#sticky !== 'EROFS') put(inode, bytes.subarray(0, some), position);
      throw error;
    }
  }

  #flush(inode: Inode): void {
    this.#elapsed_us += this.flush_us;
    try {
      this.#change();
    } catch (error) {
      if (this.is_down) throw error;
      const kept = [...inode.dirty].filter(() => this.#random.chance(0.5));
      keep(inode, kept, Math.max(inode.durable.length, reach(kept, inode)));
      inode.dirty.clear();
      throw error;
    }
    if (this.#lies) return;
    keep(inode, inode.dirty, inode.cached.length);
    inode.dirty.clear();
  }

  #requireUp(): void {
    if (this.is_down) throw failure('ESHUTDOWN');
  }

  /** Counts an operation that changes something; throws or tells what goes wrong with it. */
  #change(): Fault | undefined {
    this.#requireUp();
    this.changes += 1;
    if (this.#sticky) throw failure(this.#sticky);
    if (this.#planned?.at !== this.changes - 1) return undefined;
    const { fault } = this.#planned;
    if (fault === 'short') return fault;
    if (fault === 'ENOSPC' || fault === 'EROFS') this.#sticky = fault;
    if (fault === 'kill' || fault === 'power_loss') this.is_down = true;
    throw failure(fault);
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: the disk was told to fail`), { code });
}

function put(inode: Inode, bytes: Uint8Array, position: number): number {
  const end = position + bytes.length;
  inode.cached = resized(inode.cached, Math.max(inode.cached.length, end));
  inode.cached.set(bytes, position);
  const last = Math.floor((end - 1) / SECTOR_BYTES);
  for (let at = Math.floor(position / SECTOR_BYTES); at <= last; at += 1) inode.dirty.add(at);
  return bytes.length;
}

/** Writes sectors to the disk; the file then has the given length. */
function keep(inode: Inode, sectors: Iterable<number>, size_bytes: number): void {
  inode.durable = resized(inode.durable, size_bytes);
  for (const sector of sectors) {
    const from = sector * SECTOR_BYTES;
    if (from >= size_bytes) continue;
    inode.cached.copy(inode.durable, from, from, Math.min(from + SECTOR_BYTES, size_bytes));
  }
}

/** Where the last of the sectors ends. */
function reach(sectors: readonly number[], inode: Inode): number {
  return Math.min(inode.cached.length, Math.max(0, ...sectors.map((at) => at + 1)) * SECTOR_BYTES);
}

function loseUnflushed(inode: Inode, random: SeededRandom): void {
  const kept = [...inode.dirty].filter(() => random.chance(0.5));
  const sure = Math.min(inode.durable.length, inode.cached.length);
  const sizes = [inode.durable.length, inode.cached.length, Math.max(sure, reach(kept, inode))];
  keep(inode, kept, random.pick(sizes));
  inode.dirty.clear();
  inode.cached = Buffer.from(inode.durable);
}

function resized(bytes: Buffer, size_bytes: number): Buffer {
  const copy = Buffer.alloc(size_bytes);
  bytes.copy(copy);
  return copy;
}
