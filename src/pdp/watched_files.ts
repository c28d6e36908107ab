/** What files say at this moment: they are read again when one of them changes. */
import { statSync } from 'node:fs';
import type { Clock } from '../contract/ambient.ts';

/** How long a change may go unseen. */
const LOOK_INTERVAL_MS = 1_000;

export interface Watched<T> {
  paths: readonly string[];
  /** Reads and judges the files; throws where they cannot be used. */
  read: () => T;
  clock: Clock;
  /** Told after each change; returns what counts while the files cannot be used. */
  refused: (error: unknown, before: T) => T;
  accepted: (now: T) => void;
}

/**
 * Gives what the files say; looks at them at most once a second, as it is asked. Throws what `read`
 * throws where they cannot be used from the beginning.
 */
export function watchFiles<T>({ paths, read, clock, refused, accepted }: Watched<T>): () => T {
  let version = versionOf(paths);
  let found = read();
  let looked_at_ms = clock.now_ms();
  return () => {
    const now_ms = clock.now_ms();
    if (Math.abs(now_ms - looked_at_ms) < LOOK_INTERVAL_MS) return found;
    looked_at_ms = now_ms;
    const seen = versionOf(paths);
    if (seen === version) return found;
    version = seen;
    try {
      found = read();
    } catch (error) {
      found = refused(error, found);
      return found;
    }
    accepted(found);
    return found;
  };
}

/** Changes whenever a file is written, replaced, or has its permissions changed. */
function versionOf(paths: readonly string[]): string {
  return paths.map(versionOfOne).join('\n');
}

function versionOfOne(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join(' ');
  } catch {
    return 'absent';
  }
}
