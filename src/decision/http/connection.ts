/**
 * One HTTP request and its whole answer, within limits. The time covers everything from waiting
 * for a connection to the last byte. Nothing is sent twice, no redirect is followed, and no proxy
 * of the environment is used.
 */
import { dirname } from 'node:path';
import { buildConnector, Pool, type Dispatcher } from 'undici';
import { findPathFault } from '../../contract/trusted_path.ts';
import { PortcullisError } from '../../errors.ts';

/** Certificates of one connection, as PEM. */
export interface TlsFiles {
  /** Those that may have signed the server's; absent for those that Node trusts. */
  ca?: Uint8Array | string;
  /** What we show the server. */
  cert?: Uint8Array | string;
  key?: Uint8Array | string;
  minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** `origin` is a scheme with host and port. Certificates are asked for at each new connection. */
export type HttpAddress = { socket: string } | { origin: string; tls?: () => TlsFiles };

export interface HttpSettings {
  address: HttpAddress;
  /** For one request, from its start to the last byte of its answer. */
  timeout_ms: number;
  answer_bytes_max: number;
  connections_max: number;
}

export interface HttpRequest {
  method: 'GET' | 'POST';
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array;
  signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: Uint8Array;
}

/** How whoever asks calls what goes wrong. */
export interface HttpFaults {
  /** There is no whole answer. */
  unreachable(reason: string, cause?: unknown): PortcullisError;
  /** Somebody else could listen on the socket. */
  untrusted(fault: string): PortcullisError;
  /** The certificate of the server proves nothing. */
  unproved(code: string, cause: unknown): PortcullisError;
}

export interface HttpConnection {
  /** Any answer that came whole, whatever its status; rejects with a fault of the caller's. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

const HEADER_BYTES_MAX = 16_384;

export function openConnection(settings: HttpSettings, faults: HttpFaults): HttpConnection {
  const pool = openPool(settings, faults);
  return {
    send: (request) => exchange(pool, settings, faults, request),
    close: () => pool.destroy(),
  };
}

function openPool(settings: HttpSettings, faults: HttpFaults): Pool {
  const { address, connections_max, answer_bytes_max, timeout_ms } = settings;
  return new Pool('origin' in address ? address.origin : 'http://localhost', {
    connections: connections_max,
    maxHeaderSize: HEADER_BYTES_MAX,
    maxResponseSize: answer_bytes_max,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect:
      'origin' in address
        ? tcpConnector(address.tls, timeout_ms, faults)
        : socketConnector(address.socket, faults),
  });
}

/**
 * Reads the certificates before each new connection, so that they are renewed without a restart.
 */
function tcpConnector(
  tls: (() => TlsFiles) | undefined,
  timeout: number,
  faults: HttpFaults,
): buildConnector.connector {
  return (options, callback) => {
    try {
      // Options of Node, which takes bytes where undici's types want a Buffer.
      const files = tls?.() as buildConnector.BuildOptions | undefined;
      buildConnector({ ...files, timeout, allowH2: false })(options, callback);
    } catch (cause) {
      const fault = 'the certificates for it cannot be read';
      callback(cause instanceof PortcullisError ? cause : faults.unreachable(fault, cause), null);
    }
  };
}

/** Looks at the folder before each new connection: what it was once proves nothing later. */
function socketConnector(socketPath: string, faults: HttpFaults): buildConnector.connector {
  const connect = buildConnector({ socketPath });
  return (options, callback) => {
    try {
      const fault = findPathFault(dirname(socketPath));
      if (fault) callback(faults.untrusted(fault), null);
      else connect(options, callback);
    } catch (cause) {
      callback(faults.unreachable('there is no socket', cause), null);
    }
  };
}

async function exchange(
  pool: Pool,
  { timeout_ms }: HttpSettings,
  faults: HttpFaults,
  { signal, ...request }: HttpRequest,
): Promise<HttpAnswer> {
  const abort = new AbortController();
  const over = Promise.withResolvers<never>();
  const end = (reason: string): void => {
    const fault = faults.unreachable(reason);
    abort.abort(fault);
    over.reject(fault);
  };
  const stop = (): void => end('the call was given up');
  const timer = setTimeout(() => {
    end(`there was no whole answer within ${timeout_ms} ms`);
  }, timeout_ms);
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  try {
    // undici heeds the signal only once there is a connection, and then sends nothing.
    return await Promise.race([over.promise, whole(pool, { ...request, signal: abort.signal })]);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw faultOf(cause, faults);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

async function whole(pool: Pool, request: Dispatcher.RequestOptions): Promise<HttpAnswer> {
  const { statusCode, headers, body } = await pool.request(request);
  return { status: statusCode, headers, body: await body.bytes() };
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it broke the connection off',
  ENOENT: 'there is no socket',
  EPIPE: 'it broke the connection off',
  ENOTFOUND: 'its host name is unknown',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'its answer is larger than the limit',
  UND_ERR_SOCKET: 'it broke the connection off',
};

/** What OpenSSL and Node say of a certificate that proves nothing, by how their codes begin. */
const CERTIFICATE_FAULT =
  /^(CERT_|CRL_|DEPTH_ZERO_|ERR_TLS_|HOSTNAME_|INVALID_CA|PATH_|SELF_SIGNED_|UNABLE_TO_)/;

function faultOf(cause: unknown, faults: HttpFaults): PortcullisError {
  const code = String((cause as { code?: unknown }).code);
  if (CERTIFICATE_FAULT.test(code)) return faults.unproved(code, cause);
  return faults.unreachable(CAUSES[code] ?? 'what came back was not an answer', cause);
}
