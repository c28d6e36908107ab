/** The clock and the chance of this process, for all that are handed theirs. */
import type { Clock, Random } from '../contract/ambient.ts';

export const CLOCK: Clock = { now_ms: () => Date.now() };
export const RANDOM: Random = { id: () => crypto.randomUUID() };
