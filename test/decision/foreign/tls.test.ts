/** A policy server over TLS: who it must be, and who it wants us to be. */
import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { authority, type Issued, type Subject } from '../../support/certificates.ts';
import { CALLER, callOf, codeOf, contextOf } from '../../support/decisions.ts';
import { sceneAt, servers, wellBehaved } from './fixture.ts';

afterEach(() => servers.close());

const CA = authority();
const OTHER = authority('another authority');
const HERE: Subject = { hosts: ['127.0.0.1'], usage: 'server' };

interface Secure {
  url: string;
  /** Common names of the certificates that it was shown, by connection. */
  shown: (string | string[] | undefined)[];
  /** Ends the connections, so that the next request makes one. */
  drop(): void;
}

async function secure({ cert, key }: Issued, options: ServerOptions = {}): Promise<Secure> {
  const shown: Secure['shown'] = [];
  const server = createServer({ cert, key, ...options }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.stringify(wellBehaved('/', JSON.parse(String(Buffer.concat(chunks)))));
      response.writeHead(200, { 'content-type': 'application/json' }).end(body);
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    shown.push(socket.getPeerCertificate().subject?.CN);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.keep({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, shown, drop: () => server.closeAllConnections() };
}

function fileOf(name: string, text: string, mode = 0o600): string {
  const path = join(servers.folder(), name);
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
  return path;
}

const PATH = { path: '/access/v1/evaluation' };

test('one that our authority vouches for decides', async () => {
  const { url } = await secure(CA.issue(HERE));
  const ca_file = fileOf('ca.pem', CA.cert, 0o644);
  const { core } = await sceneAt('authzen', { url, ...PATH, ca_file });
  expect(contextOf(await core.evaluation(callOf(), CALLER)).outcome).toBe('allow');
});

test.each<[string, () => Issued]>([
  ['of another authority', () => OTHER.issue(HERE)],
  ['of another host', () => CA.issue({ ...HERE, hosts: ['pdp.example.com'] })],
  ['that expired', () => CA.issue({ ...HERE, valid_to: new Date(Date.now() - 1000) })],
])('one with a certificate %s does not', async (_what, issued) => {
  const { url } = await secure(issued());
  const ca_file = fileOf('ca.pem', CA.cert);
  await expect(sceneAt('authzen', { url, ...PATH, ca_file })).rejects.toMatchObject({
    code: 'BACKEND_UNREACHABLE',
    message: 'the policy server gave no decision: its certificate is not taken',
  });
});

test('without an authority of ours, those of Node count', async () => {
  const { url } = await secure(CA.issue(HERE));
  expect(await codeOf(sceneAt('authzen', { url, ...PATH }))).toBe('BACKEND_UNREACHABLE');
});

test('one that wants our certificate is shown it, and a renewed one too', async () => {
  const wants = { ca: CA.cert, requestCert: true, rejectUnauthorized: true };
  const { url, shown, drop } = await secure(CA.issue(HERE), wants);
  const ca_file = fileOf('ca.pem', CA.cert);
  const first = CA.issue({ common_name: 'first', usage: 'client' });
  const cert_file = fileOf('cert.pem', first.cert, 0o644);
  const key_file = fileOf('key.pem', first.key);
  expect(await codeOf(sceneAt('authzen', { url, ...PATH, ca_file }))).toBe('BACKEND_UNREACHABLE');
  const { core } = await sceneAt('authzen', { url, ...PATH, ca_file, cert_file, key_file });
  const ask = async () => contextOf(await core.evaluation(callOf(), CALLER)).outcome;
  expect(await ask()).toBe('allow');
  expect(new Set(shown)).toEqual(new Set(['first']));
  const second = CA.issue({ common_name: 'second', usage: 'client' });
  for (const [path, text] of [
    [key_file, second.key],
    [cert_file, second.cert],
  ] as const) {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  }
  drop();
  while ((await ask().catch(() => 'none')) !== 'allow' || !shown.includes('second'));
});

test('files that others could write, or read, stop the start', async () => {
  const { url } = await secure(CA.issue(HERE));
  const own = CA.issue({ usage: 'client' });
  const ca_file = fileOf('ca.pem', CA.cert, 0o666);
  const start = (files: object) => codeOf(sceneAt('authzen', { url, ...PATH, ...files }));
  expect(await start({ ca_file })).toBe('CONFIGURATION_INVALID');
  const cert_file = fileOf('cert.pem', own.cert);
  const key_file = fileOf('key.pem', own.key, 0o644);
  expect(await start({ cert_file, key_file })).toBe('CONFIGURATION_INVALID');
  expect(await start({ ca_file: '/nowhere/ca.pem' })).toBe('CONFIGURATION_INVALID');
});
