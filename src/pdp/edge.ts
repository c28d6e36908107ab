/**
 * The one way from the wire to an endpoint and back, the same for every route and both listeners.
 * What a request must be is checked in the order of `admit`; whatever fails is refused here.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../contract/ambient.ts';
import {
  answerProof,
  isNonce,
  PROOF_HEADERS,
  signingTime,
  type SignedRequest,
} from '../contract/proof.ts';
import { ERRORS, PortcullisError, type ErrorCode } from '../errors.ts';
import type { Caller, DecisionCore } from '../decision/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import {
  callerOf,
  findCredential,
  isProved,
  NOBODY,
  SOCKET_CALLER,
  type Credential,
  type TokenSource,
} from './authentication.ts';
import { announcesJson, parseBody, readBody } from './body.ts';
import { departureOf } from './departure.ts';
import { refusal, type Answer, type Exchange, type Route } from './exchange.ts';
import { SignedRequests, type SignatureLimits } from './signed_requests.ts';

export interface EdgeParts extends SignatureLimits {
  clock: Clock;
  core: DecisionCore;
  tokens: TokenSource;
  log: Logger;
  body_bytes_max: number;
}

/** What is known of the listener that a request came through. */
export interface Channel {
  kind: 'tcp' | 'socket';
  /** Values of `Host` that are served, in lower case; null on a socket, whose path is its name. */
  hosts: ReadonlySet<string> | null;
}

/** A request and the way to answer it. */
export interface Wire {
  request: IncomingMessage;
  response: ServerResponse;
  channel: Channel;
}

/** One request on its way; only a credential that is proved stands here. */
interface Call extends Wire {
  credential?: Credential | undefined;
  body: Uint8Array;
}

const NO_BODY = new Uint8Array();
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const UNKNOWN = 'the service has no such route';
const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="portcullis"' };
const INTERNAL_MESSAGE = 'the request was refused for a reason that the log of the service tells';

/** Statuses of the errors that endpoints throw; every other code is a 500. */
export const STATUS: Partial<Readonly<Record<ErrorCode, number>>> = {
  WIRE_INVALID: 400,
  REQUEST_INVALID: 400,
  UNAUTHENTICATED: 403,
  REQUEST_TOO_LARGE: 413,
  POLICY_ABSENT: 503,
  EVIDENCE_UNWRITABLE: 503,
};

export interface Edge {
  /** Answers a request by the route, or refuses it. Never rejects. */
  serve(route: Route, wire: Wire): Promise<void>;
  /** Answers a request that no route takes; `allowed` are the methods of its path. */
  refuse(wire: Wire, allowed: readonly string[]): void;
  /** From now on each answer is the last one of its connection. */
  drain(): void;
}

export function createEdge(parts: EdgeParts): Edge {
  let draining = false;
  const taken = new SignedRequests(parts, parts.clock);
  return {
    async serve(route, wire) {
      const call: Call = { ...wire, body: NO_BODY };
      try {
        send(call, await admit(route, call, parts, taken), draining);
      } catch (error) {
        send(call, refuseError(error, call, parts.log), draining);
      }
    },
    refuse(wire, allowed) {
      const answer = allowed.length === 0 ? unknownRoute() : wrongMethod(allowed);
      send({ ...wire, body: NO_BODY }, answer, draining);
    },
    drain() {
      draining = true;
    },
  };
}

async function admit(
  route: Route,
  call: Call,
  parts: EdgeParts,
  taken: SignedRequests,
): Promise<Answer> {
  const fault = findWireFault(route, call);
  if (fault) return fault;
  const credential = findCredential(call.request.headers.authorization, parts.tokens.current());
  const unfit = findCallerFault(route, call, credential);
  if (unfit) return unfit;
  if (route.method === 'POST') {
    call.body = await readBody(call.request, parts.body_bytes_max);
  }
  if (credential && !isProved(credential, signedRequest(call))) return unauthenticated();
  const stale = credential && findSignatureFault(credential, call, taken);
  if (stale) return stale;
  call.credential = credential;
  return route.handler({
    body: route.method === 'POST' ? parseBody(call.body, parts.body_bytes_max) : undefined,
    caller: callerBehind(call),
    base_url: baseUrl(call),
    signal: departureOf(call.request.socket),
    core: parts.core,
  } satisfies Exchange);
}

/** A browser page must not reach us: it sends an Origin, or a Host that is not ours (rebinding). */
function findWireFault(route: Route, { request, channel }: Call): Answer | undefined {
  const { host, origin } = request.headers;
  if (origin !== undefined) {
    return refusal(403, 'WIRE_INVALID', 'requests of web pages are not served');
  }
  if (channel.hosts && !channel.hosts.has(host?.toLowerCase() ?? '')) {
    return refusal(400, 'WIRE_INVALID', 'the host is not one that this service is known by');
  }
  if (route.method === 'POST' && !announcesJson(request)) {
    return refusal(400, 'WIRE_INVALID', 'the body must be application/json in UTF-8');
  }
  return undefined;
}

/** Known before the body is read, so that a stranger cannot make us hold one. */
function findCallerFault(
  route: Route,
  { channel }: Call,
  credential: Credential | undefined,
): Answer | undefined {
  if (route.scope === null || channel.kind === 'socket') return undefined;
  if (!credential) return unauthenticated();
  if (credential.token.scopes.includes(route.scope)) return undefined;
  return refusal(403, 'UNAUTHENTICATED', `the caller lacks the scope \`${route.scope}\``);
}

/** Only a proof that is right is remembered, so that strangers cannot fill the memory. */
function findSignatureFault(
  { token, proof }: Credential,
  { request }: Call,
  taken: SignedRequests,
): Answer | undefined {
  if (proof === undefined) return undefined;
  const fault = taken.take({
    token: token.token,
    time_ms: signingTime(request.headers[PROOF_HEADERS.time]),
    proof,
  });
  if (fault === undefined) return undefined;
  return refusal(401, 'SIGNATURE_REFUSED', fault, { headers: CHALLENGE });
}

function callerBehind({ channel, credential }: Call): Caller {
  if (channel.kind === 'socket') return SOCKET_CALLER;
  return credential ? callerOf(credential) : NOBODY;
}

/** The Host was compared with a list on TCP; on a socket it is anything and is not repeated. */
function baseUrl({ request, channel }: Call): string {
  return `http://${channel.hosts ? request.headers.host?.toLowerCase() : 'localhost'}`;
}

function signedRequest({ request, body }: Call): SignedRequest {
  return {
    nonce: String(request.headers[PROOF_HEADERS.nonce]),
    time: String(request.headers[PROOF_HEADERS.time]),
    method: request.method ?? '',
    target: request.url ?? '',
    body,
  };
}

function unauthenticated(): Answer {
  const message = 'a valid bearer token is needed';
  return refusal(401, 'UNAUTHENTICATED', message, { headers: CHALLENGE });
}

function unknownRoute(): Answer {
  return refusal(404, 'WIRE_INVALID', UNKNOWN);
}

function wrongMethod(allowed: readonly string[]): Answer {
  const headers = { Allow: allowed.join(', ') };
  return refusal(405, 'WIRE_INVALID', `the route takes ${headers.Allow}`, { headers });
}

/** The caller gets the fault of its own request, or a fixed sentence; the log gets the detail. */
function refuseError(error: unknown, call: Call, log: Logger): Answer {
  const known = error instanceof PortcullisError ? error : undefined;
  const status = (known && STATUS[known.code]) ?? 500;
  if (known && status < 500) {
    return refusal(status, known.code, known.message, { pointer: known.pointer });
  }
  const isGone = departureOf(call.request.socket).aborted;
  if (isGone && known?.code === 'DECISION_POINT_UNREACHABLE') {
    log.info('a caller left before its answer', { request_id: requestId(call.request) });
    return refusal(500, 'INTERNAL', INTERNAL_MESSAGE);
  }
  log.error('a request got no decision', {
    code: known?.code ?? 'INTERNAL',
    error,
    request_id: requestId(call.request),
  });
  if (!known || status === 500) return refusal(500, 'INTERNAL', INTERNAL_MESSAGE);
  const headers = { 'Retry-After': '1' };
  return refusal(status, known.code, ERRORS[known.code].meaning, { headers });
}

function send(call: Call, answer: Answer, last: boolean): void {
  const { response } = call;
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(last ? { Connection: 'close' } : {}),
    ...answer.headers,
    ...echoedRequestId(call.request),
    ...proofOf(call, answer.status, text),
  });
  response.end(text);
}

/** AuthZEN Authorization API 1.0, section 10.1.3: an `X-Request-ID` is repeated. */
function echoedRequestId(request: IncomingMessage): Record<string, string> {
  const id = requestId(request);
  return id === undefined ? {} : { 'X-Request-ID': id };
}

function requestId({ headers }: IncomingMessage): string | undefined {
  const id = headers['x-request-id'];
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : undefined;
}

function proofOf(call: Call, status: number, body: string): Record<string, string> {
  if (!call.credential || !isNonce(call.request.headers[PROOF_HEADERS.nonce])) return {};
  const { token } = call.credential.token;
  return { [PROOF_HEADERS.proof]: answerProof(token, signedRequest(call), { status, body }) };
}
