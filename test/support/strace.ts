/** System calls of a running process as strace(1) tells them, and what the tests ask of them. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { prerequisite } from './prerequisite.ts';

/** Where strace is there and may trace; containers can forbid it. */
export const describeWithStrace = prerequisite(
  'strace',
  spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0,
  'install the package strace, and allow ptrace',
);

export interface Strace {
  /** Lets go of the process, and resolves when all that was traced is written. */
  detach(): Promise<void>;
}

/** Attaches to a process and all its threads; resolves when it has them. */
export async function attachStrace(pid: number, ...args: string[]): Promise<Strace> {
  const child: ChildProcess = spawn('strace', ['-f', '-p', String(pid), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  let told = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr?.on('data', (part: Buffer) => {
      told += part.toString();
      if (told.includes(' attached')) resolve();
    });
    void exited.then(() => reject(new Error(`strace ended: ${told}`)));
  });
  return {
    async detach() {
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** Arguments for a trace that {@link findEarlyAnswers} reads: descriptors by name, whole texts. */
export function traceArguments(file: string): string[] {
  const calls = 'write,writev,pwrite64,pwritev,sendto,sendmsg,sendmmsg,fdatasync,fsync';
  return ['-y', '-s', '4194304', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', file];
}

/** Where a system call begins, and where it ends, in the order in which they happened. */
interface Moment {
  at: 'begin' | 'end';
  call: string;
  /** Path of the descriptor, or such as `socket:[1234]`. */
  target: string;
  text: string;
  succeeded: boolean;
}

const BEGIN = /^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$/s;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>(.*)$/s;
const UNFINISHED = ' <unfinished ...>';

function* momentsOf(lines: Iterable<string>): Generator<Moment> {
  const unfinished = new Map<string, Moment>();
  for (const line of lines) {
    const [, thread = '', call = '', target = '', text = ''] = BEGIN.exec(line) ?? [];
    if (thread !== '') {
      const moment = { call, target, text, succeeded: !/= -\d/.test(text.slice(-80)) };
      yield { at: 'begin', ...moment };
      if (text.endsWith(UNFINISHED)) unfinished.set(thread, { at: 'end', ...moment });
      else yield { at: 'end', ...moment };
      continue;
    }
    const [, resumed = '', , rest = ''] = RESUMED.exec(line) ?? [];
    const begun = unfinished.get(resumed);
    if (!begun) continue;
    unfinished.delete(resumed);
    yield { ...begun, succeeded: !/= -\d/.test(rest) };
  }
}

export interface TracedAnswers {
  /** Ids that left in an answer before a flush that covers their record had returned. */
  early: string[];
  /** Ids that left in an answer. */
  sent: Set<string>;
  /** Flushes of the evidence that succeeded. */
  flushes: number;
}

const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const OK = /HTTP\/1\.1 200 /;

/**
 * Follows each evaluation id from its record in the evidence, through the flush that began after
 * the record was written and succeeded, to the answer with status 200 that carries it.
 */
export function findEarlyAnswers(lines: Iterable<string>): TracedAnswers {
  const written = new Set<string>();
  const flushing = new Map<string, Set<string>>();
  const durable = new Set<string>();
  const found: TracedAnswers = { early: [], sent: new Set(), flushes: 0 };
  for (const { at, call, target, text, succeeded } of momentsOf(lines)) {
    const isEvidence = target.endsWith('.log');
    if (call === 'fdatasync' || call === 'fsync') {
      if (!isEvidence) continue;
      if (at === 'begin') flushing.set(target, new Set(written));
      else if (succeeded) {
        found.flushes += 1;
        for (const id of flushing.get(target) ?? []) durable.add(id);
      }
    } else if (isEvidence) {
      if (at === 'end' && succeeded) for (const id of text.match(UUID) ?? []) written.add(id);
    } else if (at === 'begin' && target.startsWith('socket:') && OK.test(text)) {
      for (const id of new Set(text.match(UUID))) {
        found.sent.add(id);
        if (!durable.has(id)) found.early.push(id);
      }
    }
  }
  return found;
}

export function readTrace(file: string): TracedAnswers {
  return findEarlyAnswers(readFileSync(file, 'utf8').split('\n'));
}
