/** The decision service that is soaked: a process of its own over the example's bundle and data. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readTokens } from '../../src/pdp/token_file.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DATA = readFileSync(join(ROOT, 'examples/payments-server/policy/data.yaml'), 'utf8');

/** Small, so that what is too large takes little. */
const SETTINGS = {
  PORTCULLIS_GUARD_SERVER: 'payments',
  PORTCULLIS_PDP_BODY_BYTES_MAX: '65536',
  PORTCULLIS_POLICY_EVALUATION_INPUT_BYTES_MAX: '16384',
  PORTCULLIS_POLICY_EVALUATION_EVALUATIONS_PER_INSTANCE_MAX: '10000',
  PORTCULLIS_POLICY_RELOAD_INTERVAL_MS: '100',
};

/**
 * V8 doubles the young generation of a heap in steps, whatever is kept: with a bound on it, what is
 * resident tells what the service keeps (docs/decisions/0023_memory.md).
 */
export const NODE_FLAGS: readonly string[] = ['--max-semi-space-size=16'];

export interface SoakedService {
  url: string;
  token: string;
  evidence: string;
  /** Lines of its log that tell of an error. */
  errors: string[];
  /** Resident memory now. */
  rssBytes(): number;
  /** Replaces the policy data by another of the same meaning, or by what is none. */
  replaceData(round: number, is_good: boolean): void;
  /** Asks it to end and resolves with its exit code. */
  stop(): Promise<number | null>;
  /** Ends it by force where it still runs, and removes its folder. */
  remove(): void;
}

export async function startSoakedService(): Promise<SoakedService> {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-soak-'));
  const data = join(folder, 'data.yaml');
  const replaceData = (round: number, is_good: boolean): void => {
    writeFileSync(`${data}.new`, is_good ? `${DATA}\nround: ${round}\n` : 'grants: [');
    renameSync(`${data}.new`, data);
  };
  replaceData(0, true);
  const state = join(folder, 'state');
  const policy = ['--bundle', 'bundles/payments.tar.gz', '--policy-data', data];
  const where = ['--data', state, '--listen', '127.0.0.1:0'];
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, 'bin/portcullis.js', 'serve', '--json', ...policy, ...where],
    { cwd: ROOT, env: { ...process.env, ...SETTINGS }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.includes('"level":"error"')) errors.push(line);
  });
  const remove = (): void => {
    if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === '}') break;
  }
  if (lines.at(-1) !== '}') {
    remove();
    throw new Error('the decision service did not start');
  }
  const { url, token_file } = JSON.parse(lines.join('\n')) as { url: string; token_file: string };
  return {
    url,
    token: readTokens(token_file)[0]?.token ?? '',
    evidence: join(state, 'evidence'),
    errors,
    rssBytes: () => rssOf(child.pid ?? 0),
    replaceData,
    stop: async () => {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
    remove,
  };
}

function rssOf(pid: number): number {
  const [, kilobytes] =
    /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
