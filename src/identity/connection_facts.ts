/**
 * Reads what this process knows of a connection off its socket: the one place where such facts are
 * made, so that no message of a client can make one.
 */
import type { X509Certificate } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { ConnectionFacts, PeerCertificate } from './types.ts';

/** The facts of an accepted socket, such as `req.socket`; empty where nothing is proved by it. */
export function connectionFactsOf(socket: Socket): ConnectionFacts {
  const socket_path = acceptedAt(socket);
  const certificate = verifiedCertificate(socket);
  return Object.freeze({
    ...(socket_path !== undefined && { socket_path }),
    ...(certificate && { peer_certificate: readCertificate(certificate) }),
  });
}

/** A connection over TCP has a remote address, one through a path has none. */
function acceptedAt(socket: Socket): string | undefined {
  const address = (socket as { server?: Server }).server?.address();
  return typeof address === 'string' && socket.remoteAddress === undefined ? address : undefined;
}

/** `authorized` stays as it was where a later handshake fails; `authorizationError` tells that. */
function verifiedCertificate(socket: Socket): X509Certificate | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  if (socket.authorizationError) return undefined;
  return socket.getPeerX509Certificate();
}

/** What others ask of a certificate that a handshake verified. */
export function readCertificate(certificate: X509Certificate): PeerCertificate {
  const names = readAlternativeNames(certificate.subjectAltName ?? '');
  const of = (kind: string): readonly string[] =>
    Object.freeze(names.filter((name) => name.kind === kind).map(({ value }) => value));
  return Object.freeze({
    thumbprint: Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString(
      'base64url',
    ),
    subject: (certificate.subject ?? '').replaceAll('\n', ','),
    uris: of('URI'),
    dns_names: of('DNS'),
    emails: of('email'),
    valid_from_ms: certificate.validFromDate.getTime(),
    valid_to_ms: certificate.validToDate.getTime(),
  });
}

/** One name as `X509Certificate` writes it; a value that could be misread stands as JSON. */
const NAME = /(?<kind>[A-Za-z ]+):(?:(?<quoted>"(?:[^"\\]|\\.)*")|(?<plain>[^",]*))(?:, |$)/y;

/** None of the names counts where one cannot be read: its end may be the beginning of another. */
function readAlternativeNames(text: string): { kind: string; value: string }[] {
  const names: { kind: string; value: string }[] = [];
  NAME.lastIndex = 0;
  while (NAME.lastIndex < text.length) {
    const groups = NAME.exec(text)?.groups;
    if (!groups) return [];
    const { kind = '', quoted, plain = '' } = groups;
    names.push({ kind, value: quoted === undefined ? plain : (JSON.parse(quoted) as string) });
  }
  return names;
}
