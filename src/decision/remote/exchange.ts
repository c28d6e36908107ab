/**
 * One request to a decision point and its proven answer. The time limit covers the whole exchange,
 * from waiting for a connection to the last byte. Nothing is sent twice, no redirect is followed.
 */
import { dirname } from 'node:path';
import { buildConnector, Pool, type Dispatcher } from 'undici';
import type { Clock, Random } from '../../contract/ambient.ts';
import { JSON_LIMITS, parseJson } from '../../contract/json.ts';
import {
  answerProof,
  equalSecrets,
  PROOF_HEADERS,
  signedAuthorization,
  type HeldToken,
  type SignedRequest,
} from '../../contract/proof.ts';
import { ERRORS, PortcullisError } from '../../errors.ts';
import { findPathFault } from '../../contract/trusted_path.ts';
import { certificateFault, tlsConnector, type RemoteTls } from './tls.ts';

/**
 * Where a decision point listens. Over TCP it proves itself by a token, which is asked for at each
 * request, or by its certificate, or by both.
 */
export type RemoteAddress = { socket: string } | HttpAddress;

interface HttpAddress {
  url: string;
  token?: () => HeldToken;
  /** For an `https:` URL. */
  tls?: RemoteTls;
}

export interface ExchangeSettings {
  address: RemoteAddress;
  /** For one request, from its start to the last byte of its answer. */
  timeout_ms: number;
  answer_bytes_max: number;
  connections_max: number;
}

export interface RemoteRequest {
  method: 'GET' | 'POST';
  path: string;
  /** Sent as JSON; absent for a GET. */
  body?: object;
  signal?: AbortSignal | undefined;
}

export interface Exchanger {
  /** The parsed body of a proven 200; rejects with `DECISION_POINT_…` on everything else. */
  send(request: RemoteRequest): Promise<unknown>;
  close(): Promise<void>;
}

export function openExchanger(settings: ExchangeSettings, random: Random, clock: Clock): Exchanger {
  const pool = openPool(settings);
  return {
    async send(request) {
      const signed = {
        nonce: random.id(),
        time: new Date(clock.now_ms()).toISOString(),
        method: request.method,
        target: request.path,
        body: request.body === undefined ? '' : JSON.stringify(request.body),
      };
      const token = 'url' in settings.address ? settings.address.token?.() : undefined;
      const answer = await exchange(pool, settings, { request, signed, token });
      requireStatus(answer);
      if (token) requireProof(token, signed, answer);
      return readAnswer(answer, settings.answer_bytes_max);
    },
    close: () => pool.destroy(),
  };
}

interface Sending {
  request: RemoteRequest;
  signed: SignedRequest & { body: string };
  token: HeldToken | undefined;
}

interface RawAnswer {
  status: number;
  headers: Dispatcher.ResponseData['headers'];
  body: Uint8Array;
}

const HEADER_BYTES_MAX = 16_384;
const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;

function openPool(settings: ExchangeSettings): Pool {
  const { address, connections_max, answer_bytes_max } = settings;
  return new Pool('url' in address ? readOrigin(address.url) : 'http://localhost', {
    connections: connections_max,
    maxHeaderSize: HEADER_BYTES_MAX,
    maxResponseSize: answer_bytes_max,
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: 'url' in address ? tcpConnector(address, settings) : socketConnector(address.socket),
  });
}

function readOrigin(url: string): string {
  const parsed = URL.parse(url);
  const plain = parsed && (url === parsed.origin || url === `${parsed.origin}/`);
  if (plain && ['http:', 'https:'].includes(parsed.protocol)) return parsed.origin;
  const message = '`decision_point.url` is not of the form http://host:port';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/decision_point/url' });
}

/** Without TLS the token alone proves who answers, so there must be one. */
function tcpConnector({ url, token, tls }: HttpAddress, { timeout_ms }: ExchangeSettings) {
  const isSecure = url.startsWith('https:');
  if (isSecure) {
    return tlsConnector(tls ?? { ca_file: null, cert_file: null, key_file: null }, timeout_ms);
  }
  if (token && !tls) return buildConnector({ timeout: timeout_ms });
  const message = '`decision_point.url` is not of HTTPS, so it takes a token and no certificate';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/decision_point/url' });
}

/** Looks at the folder before each new connection: what it was once proves nothing later. */
function socketConnector(socketPath: string): buildConnector.connector {
  const connect = buildConnector({ socketPath });
  return (options, callback) => {
    try {
      const fault = findPathFault(dirname(socketPath));
      if (fault) {
        const message = `the folder of the decision point's socket is not to be trusted: ${fault}`;
        callback(new PortcullisError('DECISION_POINT_UNPROVED', message), null);
      } else connect(options, callback);
    } catch (cause) {
      callback(unreachable('there is no socket', cause), null);
    }
  };
}

async function exchange(
  pool: Pool,
  { timeout_ms }: ExchangeSettings,
  sending: Sending,
): Promise<RawAnswer> {
  const abort = new AbortController();
  const stop = (): void => abort.abort(unreachable('the call was given up'));
  const timer = setTimeout(() => {
    abort.abort(unreachable(`there was no whole answer within ${timeout_ms} ms`));
  }, timeout_ms);
  const { signal } = sending.request;
  if (signal?.aborted) stop();
  signal?.addEventListener('abort', stop);
  try {
    const answer = await pool.request({
      method: sending.request.method,
      path: sending.request.path,
      headers: headersOf(sending),
      body: sending.signed.body,
      signal: abort.signal,
    });
    const body = await answer.body.bytes();
    return { status: answer.statusCode, headers: answer.headers, body };
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw certificateFault(cause) ?? unreachable(describe(cause), cause);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

function headersOf({ request, signed, token }: Sending): Record<string, string> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  if (token) {
    headers.authorization = signedAuthorization(token, signed);
    headers[PROOF_HEADERS.nonce] = signed.nonce;
    headers[PROOF_HEADERS.time] = signed.time;
  }
  return headers;
}

function requireStatus({ status, body }: RawAnswer): void {
  if (status === 200) return;
  const code = errorCodeIn(body);
  throw unreachable(`it answered with status ${status}${code ? ` and ${code}` : ''}`);
}

/** Only a code of our own table is repeated: until it is proved the answer is anybody's. */
function errorCodeIn(body: Uint8Array): string | undefined {
  const parsed = parseJson(body);
  const error = parsed.ok ? (parsed.value as { error?: { code?: unknown } } | null)?.error : null;
  return typeof error?.code === 'string' && Object.hasOwn(ERRORS, error.code)
    ? error.code
    : undefined;
}

function requireProof(
  token: HeldToken,
  request: SignedRequest,
  { status, headers, body }: RawAnswer,
): void {
  const proof = headers[PROOF_HEADERS.proof];
  if (typeof proof !== 'string') {
    throw new PortcullisError('DECISION_POINT_UNPROVED', 'the answer carries no proof');
  }
  if (!equalSecrets(answerProof(token, request, { status, body }), proof)) {
    const message = 'the proof of the answer is not for this request, or not made with our token';
    throw new PortcullisError('DECISION_POINT_UNPROVED', message);
  }
}

function readAnswer({ headers, body }: RawAnswer, size_bytes_max: number): unknown {
  if (!JSON_TYPE.test(String(headers['content-type']))) {
    throw unreachable('its answer is not of the type application/json');
  }
  const parsed = parseJson(body, { ...JSON_LIMITS, size_bytes_max });
  if (!parsed.ok) throw unreachable(`its answer is not taken as JSON (${parsed.fault.code})`);
  return parsed.value;
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'it broke the connection off',
  ENOENT: 'there is no socket',
  EPIPE: 'it broke the connection off',
  ENOTFOUND: 'its host name is unknown',
  UND_ERR_CONNECT_TIMEOUT: 'it took no connection in time',
  UND_ERR_RES_EXCEEDED_MAX_SIZE: 'its answer is larger than the limit',
  UND_ERR_SOCKET: 'it broke the connection off',
};

function describe(cause: unknown): string {
  const { code } = cause as { code?: unknown };
  return CAUSES[String(code)] ?? 'what came back was not an answer';
}

/** A decision point that gives no decision, with the reason. */
export function unreachable(reason: string, cause?: unknown): PortcullisError {
  const message = `the decision point gave no decision: ${reason}`;
  return new PortcullisError('DECISION_POINT_UNREACHABLE', message, { cause });
}
