/** Following a log by its files: what it signed last is cosigned if it kept all that was before. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '../telemetry/logger.ts';
import { openCheckpoint, type TrustedCheckpoint } from '../verify/checkpoint.ts';
import { faultOf, Refuted, type FaultCode, type Verified } from '../verify/fault.ts';
import { readCheckpoint, refuseOlder } from '../verify/log.ts';
import { isConsistent } from '../verify/merkle.ts';
import { NO_WITNESSES } from '../verify/policy.ts';
import { consistencyPath, rootAt } from '../verify/tile_proof.ts';
import type { LogSource } from '../verify/tiles.ts';
import { noteOf, type Cosigned, type Witness } from './witness.ts';

export interface Followed {
  witness: Witness;
  source: LogSource;
}

/**
 * Reads the checkpoint of a log and cosigns it. Yields the cosigned note, which is the known one
 * where the log has not grown, and undefined where another submission came between. Rejects where
 * the log cannot be read.
 */
export async function followOnce(followed: Followed): Promise<Verified<string | undefined>> {
  try {
    return { ok: true, value: await cosignNewest(followed) };
  } catch (error) {
    return { ok: false, fault: faultOf(error) };
  }
}

export interface FollowOptions {
  log: Logger;
  interval_ms: number;
  /** Ends the following. */
  signal: AbortSignal;
  /** Called with each note that was not there before. */
  onCosigned(note: string): void;
}

/** Follows a log until it is told to stop; what fails is logged and tried again. Never rejects. */
export async function follow(followed: Followed, options: FollowOptions): Promise<void> {
  const { interval_ms, signal, log, onCosigned } = options;
  let last: string | undefined;
  while (!signal.aborted) {
    const note = await attempt(followed, log);
    if (note !== undefined && note !== last) onCosigned(note);
    last = note ?? last;
    await pause(interval_ms, undefined, { signal }).catch(() => {});
  }
}

async function attempt(followed: Followed, log: Logger): Promise<string | undefined> {
  try {
    const found = await followOnce(followed);
    if (found.ok) return found.value;
    log.error('the log is not cosigned', { ...found.fault });
  } catch (error) {
    log.warn('the log cannot be followed', { error: (error as Error).message });
  }
  return undefined;
}

async function cosignNewest({ witness, source }: Followed): Promise<string | undefined> {
  const bytes = await readCheckpoint(source);
  const now = openCheckpoint(bytes, { logs: witness.logs, policy: NO_WITNESSES });
  const latest = witness.latest(now.origin);
  if (latest) requireNewer(witness, latest, now);
  if (latest?.size === now.size) return latest.note;
  const old_size = latest?.size ?? 0;
  const path = old_size === 0 ? [] : await consistencyPath(source, old_size, now.size);
  const reply = witness.add({ old_size, path, checkpoint: bytes });
  if (reply.kind === 'conflict') return undefined;
  if (reply.kind === 'cosigned') return reply.note;
  const { code, detail } = reply.fault;
  if (code !== 'CONSISTENCY_UNPROVED' || !latest) throw new Refuted(code, detail);
  const found = await nameInconsistency(source, latest, now, path);
  if (found === 'LOG_REWRITTEN') witness.accuse(found, latest, noteOf(now.text, now.signatures));
  throw new Refuted(found);
}

function requireNewer(witness: Witness, latest: Cosigned, now: TrustedCheckpoint): void {
  try {
    refuseOlder(latest, now);
  } catch (error) {
    const { code } = faultOf(error);
    witness.accuse(code, latest, noteOf(now.text, now.signatures));
    throw error;
  }
}

/**
 * Whether the log signed a tree with another beginning, which its tiles then show, or whether the
 * tiles are not those of what it signed.
 */
async function nameInconsistency(
  source: LogSource,
  latest: Cosigned,
  now: TrustedCheckpoint,
  path: readonly Buffer[],
): Promise<FaultCode> {
  const { size } = latest;
  const root = await rootAt(source, size, now.size);
  return isConsistent({ size, root }, now, path) ? 'LOG_REWRITTEN' : 'TILE_FALSE';
}
