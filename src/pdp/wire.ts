/**
 * What a request must be as HTTP before anything is made of it. Whatever two readers could take in
 * two ways, such as a proxy and this service, is refused (RFC 9112, sections 3.2 and 11.2).
 */
import type { IncomingMessage } from 'node:http';
import { PROOF_HEADERS } from '../contract/proof.ts';
import { announcesJson } from './body.ts';
import { refusal, type Answer, type Route } from './exchange.ts';
import type { TlsListener } from './tls.ts';

/** What is known of the listener that a request came through. */
export interface Channel {
  kind: 'tcp' | 'socket';
  /** Values of `Host` that are served, in lower case; null on a socket, whose path is its name. */
  hosts: ReadonlySet<string> | null;
  /** With TLS: what the client of a connection showed. */
  certificateOf?: TlsListener['certificateOf'];
}

/** Headers of which node:http keeps the first where another reader may take the last. */
const SINGLE: ReadonlySet<string> = new Set([
  'host',
  'authorization',
  'content-type',
  'content-encoding',
  PROOF_HEADERS.nonce,
  PROOF_HEADERS.time,
]);

const AUTHORITY = /^https?:\/\/([^/?#]*)/i;

/** A browser page must not reach us: it sends an Origin, or a Host that is not ours (rebinding). */
export function findWireFault(
  route: Route,
  request: IncomingMessage,
  channel: Channel,
): Answer | undefined {
  if (request.httpVersionMajor !== 1) return wireFault('the service speaks HTTP/1.1');
  if (repeatsHeader(request)) {
    return wireFault('a header that counts once is there twice');
  }
  if (request.headers.origin !== undefined) {
    return wireFault('requests of web pages are not served', 403);
  }
  if (channel.hosts && !isKnownHost(request, channel.hosts)) {
    return wireFault('the host is not one that this service is known by');
  }
  if (route.method === 'POST' && !announcesJson(request)) {
    return wireFault('the body must be application/json in UTF-8');
  }
  return undefined;
}

/** A loop, because every request pays for it: `headersDistinct` takes longer. */
function repeatsHeader({ rawHeaders }: IncomingMessage): boolean {
  const seen = new Set<string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]?.toLowerCase() ?? '';
    if (seen.has(name)) return true;
    if (SINGLE.has(name)) seen.add(name);
  }
  return false;
}

/** A target in absolute form names the host too (RFC 9112, section 3.2.2), and the same one. */
function isKnownHost({ url = '', headers }: IncomingMessage, hosts: ReadonlySet<string>): boolean {
  const host = headers.host?.toLowerCase() ?? '';
  if (!hosts.has(host)) return false;
  return url.startsWith('/') || AUTHORITY.exec(url)?.[1]?.toLowerCase() === host;
}

function wireFault(message: string, status = 400): Answer {
  return refusal(status, 'WIRE_INVALID', message);
}
