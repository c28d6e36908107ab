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
}

export interface OpaLimits {
  /** Longest run. */
  run_timeout_ms: number;
  /** Most that a run prints. */
  output_bytes_max: number;
}

/** One run of an OPA command. An exit code other than 0 is a result, not an error. */
export type Opa = (args: readonly string[], options: OpaOptions) => Promise<OpaResult>;

export function opaAt(file: string, { run_timeout_ms, output_bytes_max }: OpaLimits): Opa {
  return async (args, { cwd, input = '' }) => {
    const child = spawn(file, args, { cwd, timeout: run_timeout_ms, stdio: 'pipe' });
    child.stdin.on('error', () => undefined).end(input);
    const [stdout, stderr, code] = await Promise.all([
      collect(child.stdout, output_bytes_max),
      collect(child.stderr, output_bytes_max),
      new Promise<number | null>((resolve, reject) => {
        child.once('error', reject).once('close', resolve);
      }),
    ]);
    if (code === null) {
      const most = `${run_timeout_ms} ms (toolchain.run_timeout_ms)`;
      throw new PortcullisError('TOOLCHAIN_ABSENT', `opa ${args[0]} was stopped; it has ${most}`);
    }
    if (stdout === undefined || stderr === undefined) {
      const most = `${output_bytes_max} bytes (toolchain.output_bytes_max)`;
      throw new PortcullisError('TOOLCHAIN_ABSENT', `opa ${args[0]} prints more than ${most}`);
    }
    return { code, stdout, stderr };
  };
}

/** All that comes, or undefined where it is more than it may be; then it is read and let go. */
async function collect(
  stream: NodeJS.ReadableStream,
  bytes_max: number,
): Promise<string | undefined> {
  let chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bytes_max) chunks.push(chunk);
    else chunks = [];
  }
  return size <= bytes_max ? Buffer.concat(chunks).toString('utf8') : undefined;
}
