/**
 * Signed requests that were taken, so that none counts twice. A request is taken within a short
 * time of its signing only, and for that time it is remembered. What was signed before this process
 * began may have been taken by the one before it, and is refused.
 *
 * The memory has a limit for each token, so that one caller cannot use up that of the others. Over
 * it the oldest second is forgotten, and from then on nothing signed so early is taken: a caller
 * that signs what it sends at once goes on, and no replay is let in.
 */
import type { Clock } from '../contract/ambient.ts';

export interface SignatureLimits {
  /** Furthest that the time of a signature may be from the clock, either way. */
  signature_age_seconds_max: number;
  /** Most signed requests that are remembered for a token. */
  signed_requests_max: number;
}

/** A request whose proof was found right. */
interface ProvedRequest {
  token: string;
  time_ms: number;
  proof: string;
}

/** What is remembered of a token. */
interface Memory {
  /** Proofs by the second in which they were made. */
  proofs: Map<number, Set<string>>;
  size: number;
  /** What was signed before may have been forgotten. */
  since_ms: number;
}

export class SignedRequests {
  readonly #limits: SignatureLimits;
  readonly #clock: Clock;
  readonly #started_ms: number;
  readonly #memories = new Map<string, Memory>();
  #swept_ms = 0;

  constructor(limits: SignatureLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#started_ms = clock.now_ms();
  }

  /** How many are remembered, of all tokens. */
  get size(): number {
    return [...this.#memories.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Remembers the request; gives the reason where it is not to be taken. */
  take({ token, time_ms, proof }: ProvedRequest): string | undefined {
    const { signature_age_seconds_max, signed_requests_max } = this.#limits;
    const now_ms = this.#clock.now_ms();
    if (Math.abs(now_ms - time_ms) > signature_age_seconds_max * 1_000) {
      return `the request was signed more than ${signature_age_seconds_max} seconds from now`;
    }
    this.#sweep(now_ms);
    const memory = this.#memoryOf(token);
    if (time_ms < memory.since_ms) return 'the request was signed before what is remembered';
    if (!remember(memory, time_ms, proof)) return 'the request was taken before';
    while (memory.size > signed_requests_max) forgetOldest(memory);
    return undefined;
  }

  #memoryOf(token: string): Memory {
    const known = this.#memories.get(token);
    if (known) return known;
    const memory = { proofs: new Map(), size: 0, since_ms: this.#started_ms };
    this.#memories.set(token, memory);
    return memory;
  }

  /** Once a second, drops what the age alone refuses. */
  #sweep(now_ms: number): void {
    if (Math.abs(now_ms - this.#swept_ms) < 1_000) return;
    this.#swept_ms = now_ms;
    const oldest_ms = now_ms - this.#limits.signature_age_seconds_max * 1_000;
    for (const [token, memory] of this.#memories) {
      for (const second of memory.proofs.keys()) {
        if ((second + 1) * 1_000 <= oldest_ms) forget(memory, second);
      }
      if (memory.size === 0 && memory.since_ms <= oldest_ms) this.#memories.delete(token);
    }
  }
}

/** Whether the proof is new. */
function remember(memory: Memory, time_ms: number, proof: string): boolean {
  const second = Math.floor(time_ms / 1_000);
  const proofs = memory.proofs.get(second) ?? new Set();
  if (proofs.has(proof)) return false;
  memory.proofs.set(second, proofs.add(proof));
  memory.size += 1;
  return true;
}

function forgetOldest(memory: Memory): void {
  const second = Math.min(...memory.proofs.keys());
  forget(memory, second);
  memory.since_ms = (second + 1) * 1_000;
}

function forget(memory: Memory, second: number): void {
  memory.size -= memory.proofs.get(second)?.size ?? 0;
  memory.proofs.delete(second);
}
