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
import { parseBody, readBody } from './body.ts';
import { departureOf } from './departure.ts';
import { Drain } from './drain.ts';
import { refusal, type Answer, type Exchange, type Route } from './exchange.ts';
import { SignedRequests, type SignatureLimits } from './signed_requests.ts';
import { findWireFault, type Channel } from './wire.ts';

export interface EdgeParts extends SignatureLimits {
  clock: Clock;
  core: DecisionCore;
  tokens: TokenSource;
  log: Logger;
  body_bytes_max: number;
  /** Requests of callers that are decided at a time; one more is refused as `OVERLOADED`. */
  requests_in_flight_max: number;
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
  BACKEND_UNREACHABLE: 503,
  EVIDENCE_UNWRITABLE: 503,
};

export interface Edge {
  /** Answers a request by the route, or refuses it. Never rejects. */
  serve(route: Route, wire: Wire): Promise<void>;
  /** Answers a request that no route takes; `allowed` are the methods of its path. */
  refuse(wire: Wire, allowed: readonly string[]): void;
  /** From now on a connection ends with the answers to what was taken from it. */
  drain(): void;
}

export function createEdge(parts: EdgeParts): Edge {
  const state: EdgeState = {
    ...parts,
    inFlight: limitInFlight(parts),
    taken: new SignedRequests(parts, parts.clock),
  };
  const drain = new Drain();
  const answer = (call: Call, given: Answer): void => {
    send(call, given, drain.endsWith(call.request));
  };
  return {
    async serve(route, wire) {
      if (!drain.take(wire.request)) return;
      const call: Call = { ...wire, body: NO_BODY };
      try {
        answer(call, await answerCall(route, call, state));
      } catch (error) {
        answer(call, refuseError(error, call, parts.log));
      }
    },
    refuse(wire, allowed) {
      if (!drain.take(wire.request)) return;
      const refused = allowed.length === 0 ? unknownRoute() : wrongMethod(allowed);
      answer({ ...wire, body: NO_BODY }, refused);
    },
    drain: () => drain.close(),
  };
}

/** Runs what decides, or refuses it at once where too many others are running. */
type InFlight = (run: () => Promise<Answer> | Answer) => Promise<Answer>;

function limitInFlight({ requests_in_flight_max, log }: EdgeParts): InFlight {
  let running = 0;
  let isTold = false;
  return async (run) => {
    if (running >= requests_in_flight_max) {
      if (!isTold) log.warn('requests over the limit are refused', { requests_in_flight_max });
      isTold = true;
      return retryLater('OVERLOADED');
    }
    running += 1;
    try {
      return await run();
    } finally {
      running -= 1;
      if (running === 0) isTold = false;
    }
  };
}

/** The parts, and what they are told of each request. */
interface EdgeState extends EdgeParts {
  inFlight: InFlight;
  taken: SignedRequests;
}

async function answerCall(route: Route, call: Call, state: EdgeState): Promise<Answer> {
  const refused = await admit(route, call, state);
  if (refused) return refused;
  const exchange: Exchange = {
    body: route.method === 'POST' ? parseBody(call.body, state.body_bytes_max) : undefined,
    caller: callerBehind(call),
    base_url: baseUrl(call),
    signal: departureOf(call.request.socket),
    core: state.core,
  };
  const run = (): Promise<Answer> | Answer => route.handler(exchange);
  return route.scope === null ? run() : state.inFlight(run);
}

/** Reads the body and proves the caller, or says why not. */
async function admit(route: Route, call: Call, state: EdgeState): Promise<Answer | undefined> {
  const fault = findWireFault(route, call.request, call.channel);
  if (fault) return fault;
  const credential = findCredential(call.request.headers.authorization, state.tokens.current());
  const unfit = findCallerFault(route, call, credential);
  if (unfit) return unfit;
  if (route.method === 'POST') {
    call.body = await readBody(call.request, state.body_bytes_max);
  }
  if (credential && !isProved(credential, signedRequest(call))) return unauthenticated();
  const stale = credential && findSignatureFault(credential, call, state.taken);
  if (stale) return stale;
  call.credential = credential;
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
  return retryLater(known.code);
}

function retryLater(code: ErrorCode): Answer {
  return refusal(503, code, ERRORS[code].meaning, { headers: { 'Retry-After': '1' } });
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
