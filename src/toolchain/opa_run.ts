/** Runs OPA, in a folder, with what it prints bounded. */
import { spawn } from 'node:child_process';
import { PortcullisError } from '../errors.ts';

export interface OpaResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface OpaOptions {
  cwd: string;
  /** Sent to standard input. */
  input?: string;
  timeout_ms?: number;
}

const OUTPUT_BYTES_MAX = 256 * 1024 * 1024;

/** One run of an OPA command. An exit code other than 0 is a result, not an error. */
export type Opa = (args: readonly string[], options: OpaOptions) => Promise<OpaResult>;

export function opaAt(file: string): Opa {
  return async (args, { cwd, input = '', timeout_ms = 600_000 }) => {
    const child = spawn(file, args, { cwd, timeout: timeout_ms, stdio: 'pipe' });
    child.stdin.on('error', () => undefined).end(input);
    const [stdout, stderr, code] = await Promise.all([
      collect(child.stdout),
      collect(child.stderr),
      new Promise<number | null>((resolve, reject) => {
        child.once('error', reject).once('close', resolve);
      }),
    ]);
    if (code === null) throw new PortcullisError('TOOLCHAIN_ABSENT', `opa ${args[0]} was stopped`);
    return { code, stdout, stderr };
  };
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= OUTPUT_BYTES_MAX) chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
