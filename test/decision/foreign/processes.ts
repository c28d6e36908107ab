/** Policy servers as processes of their own: an OPA server, Cerbos, and a service of ours. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { privateFolder } from '../../pdp/fixture.ts';
import { prerequisite } from '../../support/prerequisite.ts';
import { opaFile } from '../../support/toolchain.ts';

/** Where a server listens. */
export type Place = { socket: string } | { port: number };

export interface PolicyServer {
  place: Place;
  /** `policy.remote` of it. */
  remote: { socket: string } | { url: string };
  /** Starts it, anew where it was killed; resolves when it takes connections. */
  start(): Promise<void>;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Lets it answer nothing, and then again. */
  freeze(): void;
  thaw(): void;
  close(): Promise<void>;
}

/** Where tests of a file start servers; closes them and removes what they left. */
export class Servers {
  readonly #opened: { close(): unknown }[] = [];

  keep<T extends { close(): unknown }>(each: T): T {
    this.#opened.push(each);
    return each;
  }

  folder(): string {
    const folder = privateFolder();
    this.keep({ close: () => folder.remove() });
    return folder.path;
  }

  async close(): Promise<void> {
    for (const each of this.#opened.splice(0).reverse()) await each.close();
  }
}

/** `opa run --server` over files or bundles (`-b`). */
export function opaAtPlace(place: Place, ...sources: string[]): PolicyServer {
  const address = 'socket' in place ? `unix://${place.socket}` : `127.0.0.1:${place.port}`;
  const flags = ['run', '--server', '--addr', address, '--log-level', 'error', '--watch'];
  return server(place, () => [opaFile(), [...flags, ...sources]]);
}

/** Cerbos with the policies of a folder, which it watches. */
export function cerbosAtPlace(place: Place, policies: string, folder: string): PolicyServer {
  const address = 'socket' in place ? `unix:${place.socket}` : `127.0.0.1:${place.port}`;
  const config = join(folder, 'cerbos.json');
  const settings = {
    server: { httpListenAddr: address, grpcListenAddr: `unix:${join(folder, 'grpc.sock')}` },
    storage: { driver: 'disk', disk: { directory: policies, watchForChanges: true } },
    telemetry: { disabled: true },
    audit: { enabled: false },
  };
  mkdirSync(folder, { recursive: true });
  writeFileSync(config, JSON.stringify(settings));
  const argv = ['server', '--config', config, '--log-level', 'error'];
  return server(place, () => [cerbosFile(), argv], join(folder, 'grpc.sock'));
}

/** Our own service on a socket, which decides by a file of roles that it watches. */
export function portcullisAtPlace(
  place: { socket: string },
  rbac_file: string,
  folder: string,
): PolicyServer {
  const config = join(folder, 'portcullis.yaml');
  const settings = {
    policy: { backend: 'static_rbac', rbac_file, reload_interval_ms: 50 },
    pdp: { listen: null, socket: place.socket },
    log: { level: 'error' },
    state: join(folder, 'state'),
  };
  writeFileSync(config, JSON.stringify(settings));
  return server(place, () => [process.execPath, [BIN, 'serve', '--config', config]]);
}

const BIN = fileURLToPath(new URL('../../../bin/portcullis.js', import.meta.url));

const CERBOS = `@cerbos/cerbos-${process.platform}-${process.arch}`;

/** The package is the program itself. */
function cerbosFile(): string {
  return createRequire(import.meta.url).resolve(CERBOS);
}

function hasCerbos(): boolean {
  try {
    return cerbosFile() !== '';
  } catch {
    return false;
  }
}

export const describeWithCerbos = prerequisite('Cerbos', hasCerbos(), `install ${CERBOS}`);

function server(
  place: Place,
  commandOf: () => [string, string[]],
  ...more: string[]
): PolicyServer {
  let child: ChildProcess | undefined;
  const sockets = 'socket' in place ? [place.socket, ...more] : more;
  const kill = async (): Promise<void> => {
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    for (const socket of sockets) rmSync(socket, { force: true });
  };
  return {
    place,
    remote: 'socket' in place ? place : { url: `http://127.0.0.1:${place.port}` },
    async start() {
      const [file, argv] = commandOf();
      child = spawn(file, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
      await listening(place, child);
    },
    kill,
    freeze: () => child && freeze(child),
    thaw: () => void child?.kill('SIGCONT'),
    close: kill,
  };
}

/** A signal is taken some time after it was sent; until then the process answers. */
function freeze(child: ChildProcess): void {
  child.kill('SIGSTOP');
  const threads = `/proc/${child.pid}/task`;
  const isFrozen = (thread: string): boolean =>
    /^State:\s+T/m.test(readFileSync(`${threads}/${thread}/status`, 'utf8'));
  while (existsSync(threads) && !readdirSync(threads).every(isFrozen));
}

/** Neither tells when it listens. */
async function listening(place: Place, child: ChildProcess): Promise<void> {
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  while (child.exitCode === null) {
    if (await takesConnections(place)) return;
    await delay(20);
  }
  throw new Error(`the policy server ended: ${said}`);
}

async function takesConnections(place: Place): Promise<boolean> {
  const socket = 'socket' in place ? connect(place.socket) : connect(place.port, '127.0.0.1');
  const answered = await Promise.race([
    once(socket, 'connect').then(() => true),
    once(socket, 'error').then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return answered;
}

/** None of them tells which port it was given. */
export async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return port;
}
