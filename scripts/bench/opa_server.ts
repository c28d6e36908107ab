/**
 * OPA with a decision log: `opa run --server --log-level error`, quickest of the ways in which it
 * takes a policy and writes each decision to a file.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Built } from './bundle.ts';
import { answering, type Server } from './server.ts';
import { cleanEnvironment, stopProcess } from './subject.ts';

/** One way to run it; `LOG` stands for the file of the decisions. */
export interface OpaMode {
  name: string;
  flags: readonly string[];
}

/** The log never rotates, which OPA does at 100 MB. */
const FILE_LOGGER = [
  ...['--set', 'decision_logs.plugin=file_logger'],
  ...['--set', 'plugins.file_logger.path=LOG'],
  ...['--set', 'plugins.file_logger.max_size_mb=1000000'],
];
const CONSOLE = ['--set', 'decision_logs.console=true'];

/** Every way to keep all decisions that OPA brings, and its setting for faster reads of data. */
export const OPA_MODES: readonly OpaMode[] = [
  { name: 'file_logger', flags: FILE_LOGGER },
  { name: 'file_logger, bundle', flags: [...FILE_LOGGER, '--bundle'] },
  {
    name: 'file_logger, read-optimised store',
    flags: [...FILE_LOGGER, '--optimize-store-for-read-speed'],
  },
  { name: 'console', flags: CONSOLE },
];

let started = 0;

export async function startOpa(
  opa: string,
  { sources, entrypoint }: Built,
  mode: OpaMode,
  folder: string,
): Promise<Server> {
  started += 1;
  const log = join(folder, `opa_${started}.log`);
  const address = `127.0.0.1:${await freePort()}`;
  const flags = mode.flags.map((flag) => flag.replace('LOG', log));
  const argv = ['run', '--server', '--addr', address, '--log-level', 'error', ...flags, sources];
  const began = performance.now();
  const output = openSync(log, 'a');
  const child = spawn(opa, argv, { env: cleanEnvironment(), stdio: ['ignore', output, output] });
  closeSync(output);
  try {
    await answering(`http://${address}/health`, child);
  } catch (error) {
    await stopProcess(child);
    throw error;
  }
  return {
    target: {
      url: `http://${address}`,
      path: `/v1/data/${entrypoint}`,
      wrap: 'input',
      allows: '"decision":"allow"',
    },
    child,
    ready_ms: performance.now() - began,
    settle: () => flushFile(log),
    recorded: () => count(log, '"decision_id"'),
    close: () => stopProcess(child),
  };
}

function flushFile(path: string): void {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
}

function count(path: string, mark: string): number {
  if (!existsSync(path)) return 0;
  const bytes = readFileSync(path);
  let found = 0;
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 1)) found += 1;
  return found;
}

/** OPA does not tell which port it was given. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
