/** `portcullis wrap` as a process, with the test as its host. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const PORTCULLIS = join(ROOT, 'bin', 'portcullis.js');

export type Answer = { id: unknown; result?: Record<string, unknown>; error?: unknown };

/** Grants for everybody, on what a server is said to have. */
export function policyOf(
  tools: Readonly<Record<string, object>>,
  server = 'own',
): { registry: object; grants: object[] } {
  const names = Object.entries(tools).map(
    ([name, grant]) => [`tool:${server}/${name}`, grant] as const,
  );
  const entry = { environment: 'local', risk: 'low', approved: true, data_classes: [] };
  return {
    registry: Object.fromEntries(names.map(([name]) => [name, entry])),
    grants: names.map(([on, grant]) => ({ to: { anyone: true }, on, ...grant })),
  };
}

/** Arguments for `portcullis`, without the server's own command. */
export function wrapArguments(folder: string, policy: object, server = 'own'): string[] {
  const data = join(folder, 'data.json');
  writeFileSync(data, JSON.stringify(policy));
  const bundle = join(ROOT, 'bundles', 'mcp.tar.gz');
  const options = { server, bundle, 'policy-data': data, data: join(folder, 'state') };
  return ['wrap', ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])];
}

export const VARIABLES = {
  PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'local',
  PORTCULLIS_LOG_LEVEL: 'warn',
};

export class Host {
  readonly process: ChildProcessWithoutNullStreams;
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  stderr = '';
  #wake: (() => void)[] = [];

  /** `within`: a command that runs the wrapper. */
  constructor(
    argv: readonly string[],
    variables: Readonly<Record<string, string>> = {},
    within: readonly string[] = [],
  ) {
    const env = { ...process.env, ...VARIABLES, ...variables };
    const [file = '', ...args] = [...within, process.execPath, PORTCULLIS, ...argv];
    this.process = spawn(file, args, { env, cwd: ROOT });
    this.process.stdin.on('error', () => {});
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
    });
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.lines.push(line);
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.exited = once(this.process, 'close').then(([code]) => {
      for (const wake of this.#wake.splice(0)) wake();
      return code as number | null;
    });
  }

  say(message: object): void {
    this.process.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  }

  /** The first line of its output. */
  async line(): Promise<string> {
    while (this.lines.length === 0) {
      if (this.process.stdout.closed) throw new Error(`no line: ${this.stderr}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
    return this.lines[0] ?? '';
  }

  /** The answer as text; rejects where the wrapper ends without it. */
  async answerTo(id: unknown): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => (JSON.parse(line) as Answer).id === id);
      if (found !== undefined) return found;
      if (this.process.stdout.closed) throw new Error(`no answer: ${this.stderr}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async ask(id: unknown, method: string, params: object = {}): Promise<Answer> {
    this.say({ id, method, params });
    return JSON.parse(await this.answerTo(id)) as Answer;
  }

  greet(protocolVersion = '2025-11-25'): Promise<Answer> {
    const clientInfo = { name: 'host', version: '1' };
    return this.ask('hello', 'initialize', { protocolVersion, capabilities: {}, clientInfo });
  }

  /** What a tool of the fixture said. */
  async call(id: unknown, name: string): Promise<unknown> {
    const { result } = await this.ask(id, 'tools/call', { name, arguments: {} });
    const [content] = (result as { content: { text: string }[] }).content;
    return JSON.parse(content?.text ?? '') as unknown;
  }
}

/** Whether a process runs; one that ended and was not yet reaped does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export async function ended(pids: readonly number[]): Promise<void> {
  while (pids.some(isRunning)) await new Promise((resolve) => setTimeout(resolve, 20));
}
