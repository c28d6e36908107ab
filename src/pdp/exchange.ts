/** The shapes that pass between the edge of the service and its endpoints. */
import type { ErrorResponse } from '../contract/types.gen.ts';
import type { ErrorCode } from '../errors.ts';
import type { RedactableLog } from '../evidence/types.ts';
import type { Caller, DecisionCore, Scope } from '../decision/types.ts';

/** A request that has passed the edge. */
export interface Exchange {
  /** The parsed body; undefined for a GET. */
  body: unknown;
  /** What stands behind the path. */
  query: URLSearchParams;
  /** Proved by the edge; on public routes it is nobody, with no scopes. */
  caller: Caller;
  /** Base of the addresses to name in an answer, such as `http://127.0.0.1:8181`. */
  base_url: string;
  /** Aborted when the caller has gone. */
  signal: AbortSignal;
  core: DecisionCore;
  evidence: RedactableLog;
}

export interface Answer {
  status: number;
  body: object;
  headers?: Readonly<Record<string, string>>;
}

export type Handler = (exchange: Exchange) => Promise<Answer> | Answer;

export interface Route {
  method: 'GET' | 'POST';
  path: string;
  /** What the caller must be allowed to do; null is open to everybody. */
  scope: Scope | null;
  handler: Handler;
}

/** An answer that refuses. `message` holds nothing of the request. */
export function refusal(
  status: number,
  code: ErrorCode,
  message: string,
  more: { pointer?: string | undefined; headers?: Record<string, string> } = {},
): Answer {
  const pointer = more.pointer === undefined ? {} : { pointer: more.pointer };
  const body: ErrorResponse = { error: { code, message, ...pointer } };
  return more.headers ? { status, body, headers: more.headers } : { status, body };
}
