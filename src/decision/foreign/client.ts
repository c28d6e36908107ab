/**
 * Asks a decision point that is not ours, on TCP or on a Unix socket. Whatever is not a whole
 * answer with status 200 and I-JSON in it is an error: `BACKEND_UNREACHABLE` where nobody decides
 * now, and `BACKEND_ANSWER_INVALID` where this very request gets no decision.
 */
import { isIP } from 'node:net';
import type { Random } from '../../contract/ambient.ts';
import { JSON_LIMITS, parseJson } from '../../contract/json.ts';
import { PortcullisError } from '../../errors.ts';
import { openConnection, type HttpAnswer, type TlsFiles } from '../http/connection.ts';

export interface ForeignSettings {
  /** `http` is taken on the loopback only: who asks whom, and the token, are nobody else's. */
  address: { socket: string } | { url: string };
  /** For one request, from its start to the last byte of its answer. */
  timeout_ms: number;
  request_bytes_max: number;
  response_bytes_max: number;
  connections_max: number;
}

/** Both are asked for again, so that they are renewed without a restart. */
export interface ForeignCredentials {
  /** Bearer token of each request (RFC 6750). Throws where there should be one and is none. */
  token?: (() => string) | undefined;
  tls?: (() => TlsFiles) | undefined;
}

export interface ForeignRequest {
  /** Whole, from the first `/` on; it may hold a query. */
  path: string;
  /** Posted as JSON; absent for a GET. */
  body?: object;
  /** Statuses that are about this request and not about the server. */
  refusals?: readonly number[];
}

export interface ForeignClient {
  /** Path of the address, without a `/` at its end; empty for most. */
  readonly base: string;
  /**
   * The parsed body of a 200. Rejects with `BACKEND_UNREACHABLE` or `BACKEND_ANSWER_INVALID`, and
   * with `REQUEST_TOO_LARGE` before anything is sent.
   */
  send(request: ForeignRequest): Promise<unknown>;
  close(): Promise<void>;
}

const JSON_TYPE = /^application\/json[ \t]*(;|$)/i;

/** Opens no connection yet. Throws `CONFIGURATION_INVALID` where the address is none. */
export function openForeignClient(
  settings: ForeignSettings,
  { token, tls }: ForeignCredentials,
  random: Random,
): ForeignClient {
  const { address, request_bytes_max, response_bytes_max } = settings;
  const { base, ...where } =
    'url' in address ? readForeignUrl(address.url) : { ...address, base: '' };
  const connection = openConnection(
    {
      ...settings,
      answer_bytes_max: response_bytes_max,
      address: 'origin' in where ? { ...where, ...(tls && { tls }) } : where,
    },
    { unreachable, untrusted, unproved },
  );
  return {
    base,
    async send({ path, body, refusals }) {
      const text = body === undefined ? '' : JSON.stringify(body);
      demandSize(text, request_bytes_max);
      const request_id = random.id();
      const answer = await connection.send({
        method: body === undefined ? 'GET' : 'POST',
        path,
        headers: {
          accept: 'application/json',
          'x-request-id': request_id,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token && { authorization: `Bearer ${givenBy(token)}` }),
        },
        body: text,
      });
      requireStatus(answer, refusals);
      requireEcho(answer, request_id);
      return readJson(answer, response_bytes_max);
    },
    close: connection.close,
  };
}

/** Who has no token is nobody there. */
function givenBy(token: () => string): string {
  try {
    return token();
  } catch (cause) {
    const why = cause instanceof PortcullisError ? `: ${cause.message}` : '';
    throw unreachable(`there is no token for it${why}`, cause);
  }
}

/**
 * The origin of an address and the path before all others. Throws `CONFIGURATION_INVALID` where it
 * is no such address, or would send requests in the open.
 */
export function readForeignUrl(
  url: string,
  setting = 'policy.remote.url',
): { origin: string; base: string } {
  const parsed = URL.parse(url);
  if (!parsed || !['http:', 'https:'].includes(parsed.protocol) || /[?#@\s]/.test(url)) {
    throw badUrl(setting, 'is not of the form https://host:port/path');
  }
  if (parsed.protocol === 'http:' && !isLoopback(parsed.hostname)) {
    throw badUrl(setting, 'must begin with https, unless it is on this machine (127.0.0.1, [::1])');
  }
  return { origin: parsed.origin, base: parsed.pathname.replace(/\/$/, '') };
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname === '[::1]') return true;
  return isIP(hostname) === 4 && hostname.startsWith('127.');
}

function badUrl(setting: string, fault: string): PortcullisError {
  const pointer = `/${setting.replaceAll('.', '/')}`;
  return new PortcullisError('CONFIGURATION_INVALID', `\`${setting}\` ${fault}`, { pointer });
}

function demandSize(text: string, request_bytes_max: number): void {
  if (Buffer.byteLength(text) <= request_bytes_max) return;
  const message = `the input of the policy is larger than ${request_bytes_max} bytes`;
  throw new PortcullisError('REQUEST_TOO_LARGE', message);
}

function requireStatus({ status }: HttpAnswer, refusals: readonly number[] | undefined): void {
  if (status === 200) return;
  if (refusals?.includes(status)) throw invalidAnswer(`it answered with status ${status}`);
  throw unreachable(`it answered with status ${status}`);
}

/** Not all tell it, though AuthZEN says so (Authorization API 1.0, section 10.1.4). */
function requireEcho({ headers }: HttpAnswer, request_id: string): void {
  const echo = headers['x-request-id'];
  if (echo === undefined || echo === request_id) return;
  throw invalidAnswer('its answer is to another request');
}

function readJson({ headers, body }: HttpAnswer, size_bytes_max: number): unknown {
  if (!JSON_TYPE.test(String(headers['content-type']))) {
    throw invalidAnswer('its answer is not of the type application/json');
  }
  const parsed = parseJson(body, { ...JSON_LIMITS, size_bytes_max });
  if (!parsed.ok) throw invalidAnswer(`its answer is not taken as JSON (${parsed.fault.code})`);
  return parsed.value;
}

function unreachable(reason: string, cause?: unknown): PortcullisError {
  const message = `the policy server gave no decision: ${reason}`;
  return new PortcullisError('BACKEND_UNREACHABLE', message, { cause });
}

function unproved(_code: string, cause: unknown): PortcullisError {
  return unreachable('its certificate is not taken', cause);
}

function untrusted(fault: string): PortcullisError {
  return unreachable(`the folder of its socket is not to be trusted: ${fault}`);
}

/** The server answered, and not with a decision for this request. */
export function invalidAnswer(reason: string): PortcullisError {
  const message = `the policy server gave no decision: ${reason}`;
  return new PortcullisError('BACKEND_ANSWER_INVALID', message);
}
