/** The process of a wrapped server, in a process group of its own, which ends with it. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { systemReason } from '../../contract/system_reason.ts';
import { PortcullisError } from '../../errors.ts';

export interface Command {
  file: string;
  arguments: readonly string[];
  env: Readonly<Record<string, string>>;
}

export class Child {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** How it ended, in words such as `with code 1`. */
  readonly exited: Promise<string>;
  readonly #group: number;

  /** Rejects with UPSTREAM_FAILED where the command cannot be started. */
  static async start({ file, arguments: args, env }: Command): Promise<Child> {
    const options = { env, stdio: 'pipe', detached: true } as const;
    const started = spawn(file, [...args], options);
    try {
      await once(started, 'spawn');
    } catch (cause) {
      const message = `the server \`${file}\` cannot be started: ${systemReason(cause)}`;
      throw new PortcullisError('UPSTREAM_FAILED', message, { cause });
    }
    return new Child(started);
  }

  private constructor(started: ChildProcessWithoutNullStreams) {
    this.stdin = started.stdin;
    this.stdout = started.stdout;
    this.stderr = started.stderr;
    this.#group = started.pid ?? 0;
    this.exited = new Promise((resolve) => {
      started.once('exit', (code, signal) => {
        resolve(code === null ? `by signal ${signal}` : `with code ${code}`);
      });
    });
    // What it can no longer take is lost; that it ended is told by `exited`.
    this.stdin.on('error', () => {});
  }

  /** Resolves when it no longer takes messages. */
  deaf(): Promise<unknown> {
    return once(this.stdin, 'close').catch(() => undefined);
  }

  /** Asks it to end as MCP does, by the end of its input; what still runs then is made to. */
  async stop(grace_ms: number): Promise<void> {
    this.stdin.end();
    if (!(await this.#endsWithin(grace_ms))) await this.kill(grace_ms);
    this.#signal('SIGKILL');
  }

  /** SIGTERM, and SIGKILL to what is left of the group. */
  async kill(grace_ms: number): Promise<void> {
    this.#signal('SIGTERM');
    await this.#endsWithin(grace_ms);
    this.#signal('SIGKILL');
    await this.exited;
  }

  #endsWithin(grace_ms: number): Promise<boolean> {
    return within(this.exited, grace_ms);
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.#group, signal);
    } catch {
      // The group is empty.
    }
  }
}

/** Whether something comes to its end in time. */
export async function within(end: Promise<unknown>, time_ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), time_ms).unref();
  try {
    return await Promise.race([end.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
