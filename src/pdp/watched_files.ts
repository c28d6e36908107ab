/** What files say at this moment, of which somebody is told. */
import type { Clock } from '../contract/ambient.ts';
import { readAsTheyChange } from '../contract/changing_files.ts';

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
export function watchFiles<T extends object>(watched: Watched<T>): () => T {
  const { paths, read, clock, refused, accepted } = watched;
  const current = readAsTheyChange<T>(paths, clock, (before) => {
    if (before === undefined) return read();
    let now: T;
    try {
      now = read();
    } catch (error) {
      return refused(error, before);
    }
    accepted(now);
    return now;
  });
  current();
  return current;
}
