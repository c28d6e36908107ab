/**
 * TLS of the listener on TCP. Its files are read again when they change, so that certificates and
 * authorities rotate without a restart. A set of files that cannot be used leaves the certificate
 * of the service as it was, and then no certificate of a client counts.
 *
 * Every connection verifies its certificate anew: there is no resumption, and no renegotiation,
 * which could put another certificate in the place of the one that was verified.
 */
import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { Clock } from '../contract/ambient.ts';
import { systemReason } from '../contract/system_reason.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import { PortcullisError } from '../errors.ts';
import { readCertificate } from '../identity/connection_facts.ts';
import type { PeerCertificate } from '../identity/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { readPrivateFile } from './private_file.ts';
import { watchFiles } from './watched_files.ts';

export interface TlsFiles {
  /** Certificate of the service with its chain, and its private key, as PEM. */
  cert_file: string;
  key_file: string;
  /** Authorities that sign the certificates of clients; null: no client has one. */
  client_ca_file: string | null;
}

/** A certificate that nobody vouched for, or not these authorities. */
export const UNVERIFIED = Symbol('unverified');

export interface TlsListener {
  server: Server;
  /** Of the client of a connection; undefined where it showed none. */
  certificateOf(socket: Socket): PeerCertificate | typeof UNVERIFIED | undefined;
}

interface Material {
  options: SecureContextOptions;
  /** Which authorities count; connections that were made under others prove nobody. */
  authorities: string | undefined;
}

/** Throws `CONFIGURATION_INVALID` where the files cannot be used. */
export function createTlsServer(
  files: TlsFiles,
  options: ServerOptions,
  parts: { clock: Clock; log: Logger },
): TlsListener {
  const { cert_file, key_file, client_ca_file } = files;
  const paths = [cert_file, key_file, ...(client_ca_file === null ? [] : [client_ca_file])];
  const { clock, log } = parts;
  const current = watchFiles<Material>({
    paths,
    clock,
    read: () => readMaterial(files),
    accepted: ({ options: renewed }) => {
      server.setSecureContext(renewed);
      log.info('the files of TLS were read again');
    },
    refused: (error, before) => {
      log.error('the files of TLS cannot be used, so no client certificate is taken', { error });
      return { ...before, authorities: undefined };
    },
  });
  const first = current();
  const server = createServer({
    ...options,
    ...first.options,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: options.requestTimeout,
    requestCert: client_ca_file !== null,
    // One that does not verify is answered with 401, which its owner understands.
    rejectUnauthorized: false,
  });
  // Before the handshake of the connection begins.
  server.prependListener('connection', current);
  const seen = new WeakMap<Socket, Seen>();
  server.on('secureConnection', (socket) => {
    seen.set(socket, { shown: shownBy(socket), authorities: current().authorities });
  });
  return {
    server,
    certificateOf(socket) {
      const { shown, authorities } = seen.get(socket) ?? NOTHING_SEEN;
      if (shown === undefined) return undefined;
      const now_ms = clock.now_ms();
      const counts =
        authorities !== undefined &&
        authorities === current().authorities &&
        shown !== UNVERIFIED &&
        shown.valid_from_ms <= now_ms &&
        now_ms < shown.valid_to_ms;
      return counts ? shown : UNVERIFIED;
    },
  };
}

interface Seen {
  shown: PeerCertificate | typeof UNVERIFIED | undefined;
  authorities: string | undefined;
}

const NOTHING_SEEN: Seen = { shown: UNVERIFIED, authorities: undefined };

function shownBy(socket: TLSSocket): Seen['shown'] {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return undefined;
  return socket.authorized ? readCertificate(certificate) : UNVERIFIED;
}

function readMaterial({ cert_file, key_file, client_ca_file }: TlsFiles): Material {
  const cert = readTrusted(cert_file, 'cert_file');
  const key = readPrivateFile({ path: key_file, what: 'private key file' });
  const authorities =
    client_ca_file === null ? undefined : readTrusted(client_ca_file, 'client_ca_file');
  const options: SecureContextOptions = {
    cert,
    key: Buffer.from(key),
    ...(authorities !== undefined && { ca: authorities }),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_TICKET,
  };
  requireUsable(options, { cert, key, authorities });
  return { options, authorities };
}

/** OpenSSL takes a text without a certificate for an empty list of authorities. */
function requireUsable(
  options: SecureContextOptions,
  { cert, key, authorities }: { cert: string; key: Uint8Array; authorities: string | undefined },
): void {
  try {
    const own = new X509Certificate(cert);
    if (!own.checkPrivateKey(createPrivateKey(Buffer.from(key)))) {
      throw unusable('the private key is not that of the certificate');
    }
    if (authorities !== undefined) new X509Certificate(authorities);
    createSecureContext(options);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw unusable('a file is no PEM of a certificate or of a private key', cause);
  }
}

function readTrusted(path: string, setting: string): string {
  try {
    const fault = findPathFault(path);
    if (fault) throw unusable(`\`${setting}\` is not to be trusted: ${fault}`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw unusable(`\`${setting}\` cannot be read: ${systemReason(cause)}`, cause);
  }
}

/** A cause of OpenSSL tells where it stopped reading, and nothing of what it read. */
function unusable(why: string, cause?: unknown): PortcullisError {
  const message = `the files of pdp.tls cannot be used: ${why}`;
  const pointer = '/pdp/tls';
  return new PortcullisError('CONFIGURATION_INVALID', message, {
    pointer,
    ...(cause !== undefined && { cause }),
  });
}
