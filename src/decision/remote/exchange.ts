/** One request to a decision point and its proven answer, as `decision/http` exchanges it. */
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
import {
  openConnection,
  type HttpAddress,
  type HttpAnswer,
  type HttpConnection,
  type HttpFaults,
} from '../http/connection.ts';
import { tlsMaterial, type RemoteTls } from './tls.ts';

/**
 * Where a decision point listens. Over TCP it proves itself by a token, which is asked for at each
 * request, or by its certificate, or by both.
 */
export type RemoteAddress = { socket: string } | TcpAddress;

interface TcpAddress {
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
  /** What is wrong with the request itself is told as `OUTCOME_REFUSED`, where it is proved. */
  tells_refusal?: true;
  /** A 404 that is proved resolves with undefined: what was asked for is not there. */
  may_be_absent?: true;
}

export interface Exchanger {
  /**
   * The parsed body of a proven 200; rejects with `DECISION_POINT_…` on everything else that the
   * request does not ask to be told.
   */
  send(request: RemoteRequest): Promise<unknown>;
  close(): Promise<void>;
}

export function openExchanger(settings: ExchangeSettings, random: Random, clock: Clock): Exchanger {
  const connection = connect(settings);
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
      const headers = headersOf({ request, signed, token });
      const answer = await connection.send({ ...request, headers, body: signed.body });
      const code = answer.status === 200 ? undefined : errorCodeIn(answer.body);
      if (request.tells_refusal && isForGood(code)) {
        if (token) requireProof(token, signed, answer);
        throw refused(answer.status, code);
      }
      const is_absent = request.may_be_absent && answer.status === 404;
      if (!is_absent) requireStatus(answer);
      if (token) requireProof(token, signed, answer);
      return is_absent ? undefined : readAnswer(answer, settings.answer_bytes_max);
    },
    close: connection.close,
  };
}

interface Sending {
  request: RemoteRequest;
  signed: SignedRequest & { body: string };
  token: HeldToken | undefined;
}

const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;

const FAULTS: HttpFaults = {
  unreachable,
  untrusted: (fault) =>
    new PortcullisError(
      'DECISION_POINT_UNPROVED',
      `the folder of the decision point's socket is not to be trusted: ${fault}`,
    ),
  unproved: (code, cause) =>
    new PortcullisError(
      'DECISION_POINT_UNPROVED',
      `the certificate of the decision point does not prove its name (${code})`,
      { cause },
    ),
};

function connect({ address, ...limits }: ExchangeSettings): HttpConnection {
  const where = 'url' in address ? tcpAddress(address) : address;
  return openConnection({ ...limits, address: where }, FAULTS);
}

/** Without TLS the token alone proves who answers, so there must be one. */
function tcpAddress({ url, token, tls }: TcpAddress): HttpAddress {
  const origin = readOrigin(url);
  if (origin.startsWith('https:')) return { origin, tls: tlsMaterial(tls) };
  if (token && !tls) return { origin };
  const message = '`decision_point.url` is not of HTTPS, so it takes a token and no certificate';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/decision_point/url' });
}

function readOrigin(url: string): string {
  const parsed = URL.parse(url);
  const plain = parsed && (url === parsed.origin || url === `${parsed.origin}/`);
  if (plain && ['http:', 'https:'].includes(parsed.protocol)) return parsed.origin;
  const message = '`decision_point.url` is not of the form http://host:port';
  throw new PortcullisError('CONFIGURATION_INVALID', message, { pointer: '/decision_point/url' });
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

function requireStatus({ status, body }: HttpAnswer): void {
  if (status === 200) return;
  const code = errorCodeIn(body);
  throw unreachable(`it answered with status ${status}${code ? ` and ${code}` : ''}`);
}

/** Whether the same request would be refused again. */
function isForGood(code: string | undefined): code is string {
  return code === 'REQUEST_INVALID' || code === 'REQUEST_TOO_LARGE';
}

function refused(status: number, code: string): PortcullisError {
  const message = `the decision point answered with status ${status} and ${code}`;
  return new PortcullisError('OUTCOME_REFUSED', message);
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
  { status, headers, body }: HttpAnswer,
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

function readAnswer({ headers, body }: HttpAnswer, size_bytes_max: number): unknown {
  if (!JSON_TYPE.test(String(headers['content-type']))) {
    throw unreachable('its answer is not of the type application/json');
  }
  const parsed = parseJson(body, { ...JSON_LIMITS, size_bytes_max });
  if (!parsed.ok) throw unreachable(`its answer is not taken as JSON (${parsed.fault.code})`);
  return parsed.value;
}

/** A decision point that gives no decision, with the reason. */
export function unreachable(reason: string, cause?: unknown): PortcullisError {
  const message = `the decision point gave no decision: ${reason}`;
  return new PortcullisError('DECISION_POINT_UNREACHABLE', message, { cause });
}
