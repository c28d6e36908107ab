/** The clock and the chance of this process, for all that are handed theirs. */
import { randomBytes } from 'node:crypto';
import type { Clock, Random, RandomBytes } from '../contract/ambient.ts';

export const CLOCK: Clock = { now_ms: () => Date.now() };
export const RANDOM: Random = { id: () => crypto.randomUUID() };
export const RANDOM_BYTES: RandomBytes = (count) => randomBytes(count);
