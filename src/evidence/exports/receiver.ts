/** Receivers on HTTP: what is sent to them, and what their answers mean for a batch. */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock } from '../../contract/ambient.ts';
import type { Delivery } from './types.ts';

/** A receiver at an address, which is handed in: the log knows no network. */
export interface HttpReceiver {
  /**
   * Posts to a path below the address. Any answer that came whole; redirects are not followed.
   * Rejects where there is none.
   */
  post(request: HttpPost): Promise<HttpPosted>;
  close(): Promise<void>;
}

export interface HttpPost {
  path: string;
  headers: Record<string, string>;
  body: Uint8Array;
  signal: AbortSignal;
}

export interface HttpPosted {
  status: number;
  retry_after: string | undefined;
  body: Uint8Array;
}

/** Statuses that are about this batch. All others are about the receiver, and may pass. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);

/** A receiver that wants to be left alone for longer is asked again. */
const RETRY_AFTER_MS_MAX = 3_600_000;

const compress = promisify(gzip);

/** Posts a batch as compressed JSON; `rejectedOf` reads how many records a 2xx left out. */
export async function postJson(
  receiver: HttpReceiver,
  { path, json, signal }: { path: string; json: string; signal: AbortSignal },
  clock: Clock,
  rejectedOf: (body: Uint8Array) => number = () => 0,
): Promise<Delivery> {
  const body = await compress(json);
  const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
  const answer = await receiver.post({ path, headers, body, signal });
  const { status, retry_after } = answer;
  if (status >= 200 && status < 300) {
    return { outcome: 'taken', rejected_records: rejectedOf(answer.body) };
  }
  const reason = `the receiver answered with status ${status}`;
  if (REFUSALS.has(status)) return { outcome: 'refused', reason };
  return { outcome: 'away', reason, after_ms: readRetryAfter(retry_after, clock) };
}

/**
 * Seconds, or a date (RFC 9110, section 10.2.3); 0 for what is neither. One form of dates names no
 * zone, and all of them are in GMT (section 5.6.7).
 */
function readRetryAfter(value: string | undefined, clock: Clock): number {
  if (value === undefined) return 0;
  const wait_ms = /^\d+$/.test(value)
    ? Number(value) * 1000
    : Date.parse(`${value} GMT`) - clock.now_ms();
  return Math.min(Math.max(wait_ms || 0, 0), RETRY_AFTER_MS_MAX);
}
