/** Files that their operator may change while they are used. */
import { type BigIntStats, statSync } from 'node:fs';
import type { Clock } from './ambient.ts';

/** How long a change may go unseen. */
const LOOK_INTERVAL_MS = 1_000;

/** Changes whenever a file is written, replaced, or has its permissions changed. */
export function versionOf({ ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs, ctimeNs].join(' ');
}

/**
 * Gives what was read of files, and reads them again where one changed: it looks at most once a
 * second, as it is asked. `read` gets what it gave the time before; what it throws goes to whoever
 * asks, each time until it can read.
 */
export function readAsTheyChange<T extends object>(
  paths: readonly string[],
  clock: Clock,
  read: (before: T | undefined) => T,
): () => T {
  let versions: string | undefined;
  let looked_at_ms = Number.NEGATIVE_INFINITY;
  let found: T | undefined;
  return () => {
    const now_ms = clock.now_ms();
    if (found && Math.abs(now_ms - looked_at_ms) < LOOK_INTERVAL_MS) return found;
    const seen = paths.map(versionAt).join('\n');
    looked_at_ms = now_ms;
    if (found && seen === versions) return found;
    const before = found;
    // What was read before does not count while reading fails.
    found = undefined;
    found = read(before);
    versions = seen;
    return found;
  };
}

function versionAt(path: string): string {
  try {
    return versionOf(statSync(path, { bigint: true }));
  } catch {
    return 'absent';
  }
}
