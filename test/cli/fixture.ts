/** Runs commands, in this process or one of its own, and keeps what they print. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { main } from '../../src/cli/main.ts';
import type { Variables } from '../../src/config/environment.ts';

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

export function run(...argv: string[]): Promise<Run> {
  return runWith(process.env, ...argv);
}

export async function runWith(variables: Variables, ...argv: string[]): Promise<Run> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = await main(argv, { stdout, stderr }, variables);
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

export const BIN = fileURLToPath(new URL('../../bin/portcullis.js', import.meta.url));

export interface Serving {
  url: string;
  socket: string;
  token_file: string;
  child: ChildProcess;
  stderr(): string;
  /** Sends a signal and resolves with the exit code, null where the signal ended the process. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts a decision service as a process of its own; resolves when it says where it listens. */
export async function serve(...argv: string[]): Promise<Serving> {
  const child = spawn(process.execPath, [BIN, 'serve', '--json', ...argv]);
  const exited = once(child, 'exit') as Promise<[number | null]>;
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const announced = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
      if (stdout.endsWith('}\n')) resolve(stdout);
    });
  });
  const failed = exited.then(([code]) => {
    throw new Error(`the service ended with ${code}: ${stderr}`);
  });
  const addresses = JSON.parse(await Promise.race([announced, failed])) as Serving;
  failed.catch(() => {});
  return {
    ...addresses,
    child,
    stderr: () => stderr,
    async stop(signal) {
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

function textOf(stream: PassThrough): string {
  return String(stream.read() ?? '');
}
