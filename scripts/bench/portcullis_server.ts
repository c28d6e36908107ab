/** `portcullis serve` as users start it, over TCP with its token. */
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Built } from './bundle.ts';
import { answering, type Server } from './server.ts';
import { cleanEnvironment, stopProcess } from './subject.ts';

const BIN = join(import.meta.dirname, '../../bin/portcullis.js');
const DECISION = Buffer.from('"kind":"decision"');

/** The service, which also listens on a socket. */
export interface PortcullisServer extends Server {
  socket: string;
}

interface Addresses {
  url: string;
  socket: string;
  token_file: string;
}

let started = 0;

/** `added_flush_ms`: on a disk that takes so much longer to flush (slow_disk.ts). */
export async function startPortcullis(
  { bundle }: Built,
  folder: string,
  added_flush_ms = 0,
): Promise<PortcullisServer> {
  started += 1;
  const state = join(folder, `pdp_${started}`);
  const argv = ['serve', '--json', '--bundle', bundle, '--data', state, '--listen', '127.0.0.1:0'];
  const began = performance.now();
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: folder,
    env: { ...cleanEnvironment(), ...(added_flush_ms > 0 && slowDisk(added_flush_ms)) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const { url, socket, token_file } = await announced(child.stdout);
    await answering(`${url}/health/ready`, child);
    const ready_ms = performance.now() - began;
    return {
      target: {
        url,
        path: '/access/v1/evaluation',
        authorization: `Bearer ${readToken(token_file)}`,
        wrap: 'none',
        allows: '"decision":true',
      },
      socket,
      child,
      ready_ms,
      settle: () => {},
      recorded: () => countRecords(join(state, 'evidence')),
      close: () => stopProcess(child),
    };
  } catch (error) {
    await stopProcess(child);
    throw error;
  }
}

function slowDisk(added_flush_ms: number): NodeJS.ProcessEnv {
  const module = new URL('slow_disk.ts', import.meta.url).href;
  return { NODE_OPTIONS: `--import=${module}`, BENCH_FLUSH_MS: String(added_flush_ms) };
}

async function announced(stdout: NodeJS.ReadableStream): Promise<Addresses> {
  let text = '';
  for await (const line of createInterface({ input: stdout })) {
    text += line;
    if (line === '}') return JSON.parse(text) as Addresses;
  }
  throw new Error('the decision service did not start');
}

function readToken(file: string): string {
  const { tokens } = JSON.parse(readFileSync(file, 'utf8')) as { tokens: { token: string }[] };
  return tokens[0]?.token ?? '';
}

function countRecords(directory: string): number {
  let found = 0;
  for (const name of readdirSync(directory).filter((each) => each.endsWith('.log'))) {
    const bytes = readFileSync(join(directory, name));
    for (let at = bytes.indexOf(DECISION); at !== -1; at = bytes.indexOf(DECISION, at + 1)) {
      found += 1;
    }
  }
  return found;
}
