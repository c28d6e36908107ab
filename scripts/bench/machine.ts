/** What the machine is, and what its processes use. Linux tells it under /proc. */
import {
  closeSync,
  fdatasyncSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { OPA_VERSION } from '../../src/toolchain/opa.ts';
import { quantile } from './statistics.ts';

const TICKS_A_SECOND = 100;
const FLUSHES = 200;
const RECORD_BYTES = 1024;
const TMPFS = 0x01021994;

export interface Conditions extends Record<string, unknown> {
  cpu: string;
  cpus: number;
  kernel: string;
  node: string;
  opa: string;
  /** Averages over one minute, when the bench began and when it ended. */
  load: [number, number];
  /** The folder of the evidence lies in memory, so that flushing it proves nothing. */
  in_memory: boolean;
  seconds: number;
  rounds: number;
}

export function readConditions(
  folder: string,
  { seconds, rounds }: { seconds: number; rounds: number },
): Conditions {
  const load = loadavg()[0] as number;
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: availableParallelism(),
    kernel: release(),
    node: process.versions.node,
    opa: OPA_VERSION,
    load: [load, load],
    in_memory: statfsSync(folder).type === TMPFS,
    seconds,
    rounds,
  };
}

/** Microseconds to write a record of 1 KiB and flush it, in the folder of the evidence. */
export function measureFlush(folder: string): number {
  const path = join(folder, 'flush');
  const file = openSync(path, 'wx');
  const record = Buffer.alloc(RECORD_BYTES, 'x');
  const times = Array.from({ length: FLUSHES }, () => {
    const started = performance.now();
    writeSync(file, record);
    fdatasyncSync(file);
    return (performance.now() - started) * 1000;
  });
  closeSync(file);
  rmSync(path);
  return quantile(times, 0.5);
}

/** CPU time that a process used so far, in microseconds (proc(5), fields 14 and 15). */
export function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field is a name in brackets, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND) * 1_000_000;
}

/** Resident memory of a process, in MiB. */
export function residentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/mu.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error('the process does not tell its memory');
  return Number(kilobytes) / 1024;
}
