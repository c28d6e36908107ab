/** Removes what is kept longer than it may be: at once, and then once an hour. */
import type { Clock } from '../contract/ambient.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Redactions } from './redaction.ts';

/** Does something again and again until it is told to stop. */
export type Every = (interval_ms: number, work: () => void) => () => void;

/** Keeps no process alive. */
const byTimer: Every = (interval_ms, work) => {
  const timer = setInterval(work, interval_ms).unref();
  return () => clearInterval(timer);
};

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export interface RetentionParts {
  redactions: Redactions;
  kept_days: number;
  clock: Clock;
  log: Logger;
  every?: Every | undefined;
}

/** Returns the way to stop; what is at work then is waited for by the log. */
export function startRetention({
  redactions,
  kept_days,
  clock,
  log,
  every = byTimer,
}: RetentionParts): () => void {
  let is_stopped = false;
  const sweep = (): void => {
    redactions.expire(clock.now_ms(), kept_days * DAY_MS).catch((error: unknown) => {
      if (!is_stopped) log.error('sealed members outlive their time', { error });
    });
  };
  sweep();
  const stop = every(HOUR_MS, sweep);
  return () => {
    is_stopped = true;
    stop();
  };
}
