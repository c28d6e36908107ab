/**
 * How long a flush waits for company. Where a flush is slow, one that takes all waiting callers
 * along is worth a moment; where it is fast, or nobody else is about to come, waiting only costs.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Below this a flush is fast, and the next one soon takes whoever came too late. */
const FAST_FLUSH_US = 500;

/** Weight of the newest flush in the moving average. */
const NEWEST = 1 / 8;

export class Linger {
  readonly #elapsed_us: () => number;
  readonly #linger_us_max: number;
  #flush_us = 0;
  #callers = 1;

  constructor(elapsed_us: () => number, linger_us_max: number) {
    this.#elapsed_us = elapsed_us;
    this.#linger_us_max = linger_us_max;
  }

  /** Takes note of a flush: how long it took, and how many callers waited when it ended. */
  observe(flush_us: number, callers: number): void {
    this.#flush_us += (flush_us - this.#flush_us) * NEWEST;
    this.#callers = callers;
  }

  /**
   * Resolves when the next flush should begin: after one turn of the event loop, in which those who
   * were just answered come back, and where flushes are slow when as many wait as did before.
   */
  async gather(waiting: () => number): Promise<void> {
    await nextTurn();
    const until = this.#elapsed_us() + this.#budget_us();
    while (waiting() < this.#callers && this.#elapsed_us() < until) await nextTurn();
  }

  #budget_us(): number {
    if (this.#flush_us < FAST_FLUSH_US) return 0;
    return Math.min(this.#linger_us_max, this.#flush_us / 4);
  }
}
