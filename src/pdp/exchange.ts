/** The shapes that pass between the edge of the service and its endpoints. */
import type { ErrorResponse } from '../contract/types.gen.ts';
import type { ErrorCode } from '../errors.ts';
import type { Caller, DecisionCore, Scope } from '../decision/types.ts';
import type { RecordReading } from '../evidence/index/reading.ts';
import type { EvidenceTree, RedactableLog } from '../evidence/types.ts';

/** A request that has passed the edge. */
export interface Exchange {
  /** The parsed body; undefined for a GET. */
  body: unknown;
  /** As it was sent, without what stands behind it. */
  path: string;
  /** What stands behind the path. */
  query: URLSearchParams;
  /** Proved by the edge; on public routes it is nobody, with no scopes. */
  caller: Caller;
  /** Base of the addresses to name in an answer, such as `http://127.0.0.1:8181`. */
  base_url: string;
  /** Aborted when the caller has gone. */
  signal: AbortSignal;
  core: DecisionCore;
  evidence: EvidenceReading;
}

/** What is told of the evidence log, how much of it at a time, and what takes from it. */
export interface EvidenceReading {
  tree: EvidenceTree;
  records: RecordReading;
  redactions: RedactableLog;
  page_records_max: number;
  page_bytes_max: number;
}

interface Head {
  status: number;
  headers?: Readonly<Record<string, string>>;
}

/** A value, which is sent as JSON; or what is to be sent as it is, with its media type. */
export type Answer = ValueAnswer | ContentAnswer;

export interface ValueAnswer extends Head {
  body: object;
}

export interface ContentAnswer extends Head {
  type: string;
  content: string | Uint8Array;
}

export type Handler = (exchange: Exchange) => Promise<Answer> | Answer;

export interface Route {
  method: 'GET' | 'POST';
  /** `{name}` stands for one step of it, and `{path}` for all that follow. */
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
): ValueAnswer {
  const pointer = more.pointer === undefined ? {} : { pointer: more.pointer };
  const body: ErrorResponse = { error: { code, message, ...pointer } };
  return more.headers ? { status, body, headers: more.headers } : { status, body };
}
