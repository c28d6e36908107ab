/**
 * The one way from the wire to an endpoint and back, the same for every route and both listeners.
 * What a request must be is checked in the order of `admit`; whatever fails is refused here.
 */
import type { IncomingMessage } from 'node:http';
import type { Clock } from '../contract/ambient.ts';
import { ERRORS, PortcullisError, type ErrorCode } from '../errors.ts';
import type { DecisionCore } from '../decision/types.ts';
import type { Logger } from '../telemetry/logger.ts';
import { admit, proofOf, type Admission, type Call, type Wire } from './admission.ts';
import { NOBODY } from './authentication.ts';
import { parseBody } from './body.ts';
import { departureOf } from './departure.ts';
import { Drain } from './drain.ts';
import {
  refusal,
  type Answer,
  type EvidenceReading,
  type Exchange,
  type Route,
} from './exchange.ts';
import { SignedRequests, type SignatureLimits } from './signed_requests.ts';

export interface EdgeParts extends SignatureLimits, Omit<Admission, 'taken'> {
  clock: Clock;
  core: DecisionCore;
  evidence: EvidenceReading;
  log: Logger;
  /** Requests of callers that are decided at a time; one more is refused as `OVERLOADED`. */
  requests_in_flight_max: number;
  /** The same of those that read evidence, which take nothing from who asks for decisions. */
  evidence_requests_in_flight_max: number;
}

const NO_BODY = new Uint8Array();
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;
const UNKNOWN = 'the service has no such route';
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
  OVERLOADED: 503,
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
    inFlight: limitInFlight(parts.requests_in_flight_max, parts.log),
    readInFlight: limitInFlight(parts.evidence_requests_in_flight_max, parts.log),
    taken: new SignedRequests(parts, parts.clock),
  };
  const drain = new Drain();
  const answer = (call: Call, given: Answer): void => {
    send(call, given, drain.endsWith(call.request));
  };
  return {
    async serve(route, wire) {
      if (!drain.take(wire.request)) return;
      const call: Call = { ...wire, body: NO_BODY, caller: NOBODY };
      try {
        answer(call, await answerCall(route, call, state));
      } catch (error) {
        answer(call, refuseError(error, call, parts.log));
      }
    },
    refuse(wire, allowed) {
      if (!drain.take(wire.request)) return;
      const refused = allowed.length === 0 ? unknownRoute() : wrongMethod(allowed);
      answer({ ...wire, body: NO_BODY, caller: NOBODY }, refused);
    },
    drain: () => drain.close(),
  };
}

/** Runs what decides, or refuses it at once where too many others are running. */
type InFlight = (run: () => Promise<Answer> | Answer) => Promise<Answer>;

function limitInFlight(most: number, log: Logger): InFlight {
  let running = 0;
  let isTold = false;
  return async (run) => {
    if (running >= most) {
      if (!isTold) log.warn('requests over the limit are refused', { most });
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
interface EdgeState extends EdgeParts, Admission {
  inFlight: InFlight;
  readInFlight: InFlight;
}

async function answerCall(route: Route, call: Call, state: EdgeState): Promise<Answer> {
  const refused = await admit(route, call, state);
  if (refused) return refused;
  const exchange: Exchange = {
    body: route.method === 'POST' ? parseBody(call.body, state.body_bytes_max) : undefined,
    path: pathOf(call.request),
    query: queryOf(call.request),
    caller: call.caller,
    base_url: baseUrl(call),
    signal: departureOf(call.request.socket),
    core: state.core,
    evidence: state.evidence,
  };
  const run = (): Promise<Answer> | Answer => route.handler(exchange);
  if (route.scope === null) return run();
  return route.scope === 'evidence' ? state.readInFlight(run) : state.inFlight(run);
}

/** A target in absolute form names the host before its path. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/, '');
}

function queryOf({ url = '' }: IncomingMessage): URLSearchParams {
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at));
}

/** The Host was compared with a list on TCP; on a socket it is anything and is not repeated. */
function baseUrl({ request, channel }: Call): string {
  const scheme = channel.certificateOf ? 'https' : 'http';
  return `${scheme}://${channel.hosts ? request.headers.host?.toLowerCase() : 'localhost'}`;
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
  const isValue = 'body' in answer;
  const content = isValue ? JSON.stringify(answer.body) : answer.content;
  response.writeHead(answer.status, {
    'Content-Type': isValue ? 'application/json' : answer.type,
    'Content-Length': Buffer.byteLength(content),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...(last ? { Connection: 'close' } : {}),
    ...answer.headers,
    ...echoedRequestId(call.request),
    ...proofOf(call, answer.status, content),
  });
  response.end(content);
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
