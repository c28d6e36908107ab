/** Opening and releasing the two addresses of the service. Every failure is `LISTEN_FAILED`. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { makePrivateFolder } from '../contract/private_folder.ts';
import { systemReason } from '../contract/system_reason.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import { PortcullisError } from '../errors.ts';

/** `sun_path` of unix(7) without its final zero; macOS has four bytes less. */
const SOCKET_PATH_BYTES_MAX = process.platform === 'darwin' ? 103 : 107;
const OPEN_TO_OTHERS = 0o077;

/** Listens on `host:port` (an IPv6 host in brackets) and resolves with the port that it got. */
export async function listenTcp(server: Server, address: string): Promise<number> {
  const { host, port } = readAddress(address);
  try {
    await listening(server, { host, port });
  } catch (cause) {
    throw failed(`cannot listen on ${address}: ${systemReason(cause)}`, cause);
  }
  return (server.address() as AddressInfo).port;
}

/** Listens on a socket in a folder that is open to its owner only, which it makes where absent. */
export async function listenSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    throw failed(`the socket path \`${path}\` is longer than ${SOCKET_PATH_BYTES_MAX} bytes`);
  }
  await prepareFolder(dirname(path));
  await removeStaleSocket(path);
  try {
    await listening(server, { path });
    await chmod(path, 0o600);
  } catch (cause) {
    throw failed(`cannot listen on \`${path}\`: ${systemReason(cause)}`, cause);
  }
}

/** Host names that mean this machine, with the port, as clients write them. */
export function loopbackHosts(port: number): string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`];
}

function readAddress(address: string): { host: string; port: number } {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw failed(`the address \`${address}\` is not of the form host:port`);
  }
  return { host, port };
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    makePrivateFolder(folder);
    const { mode } = await lstat(folder);
    if ((mode & OPEN_TO_OTHERS) !== 0) {
      throw failed(`the socket folder is open to others (run: chmod 700 ${folder})`);
    }
    const fault = findPathFault(folder);
    if (fault) throw failed(`the socket folder is not safe: ${fault}`);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw failed(`cannot use the socket folder \`${folder}\`: ${systemReason(cause)}`, cause);
  }
}

/** A process that was killed leaves its socket behind; one that answers is alive and stays. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (!found) return;
  if (!found.isSocket()) throw failed(`\`${path}\` exists and is not a socket`);
  if (await answers(path)) throw failed(`another process listens on \`${path}\``);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT');
    });
  });
}

function listening(
  server: Server,
  where: { path: string } | { host: string; port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function failed(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('LISTEN_FAILED', message, cause === undefined ? {} : { cause });
}
