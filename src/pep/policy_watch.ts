/**
 * What the guard knows of the decision point: whether a policy is active, and which arguments its
 * rules read. Nothing is answered before it said that it is ready (ruling R18).
 */
import type { DecisionPoint } from '../contract/decision_point.ts';
import type { Status } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import type { Logger } from '../telemetry/logger.ts';
import { withinDeadline } from './deadline.ts';

export class PolicyWatch {
  readonly #decisionPoint: DecisionPoint;
  readonly #timeout_ms: number;
  readonly #log: Logger;
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: () => void;
  #status: Status | undefined;
  #asking: Promise<Status | undefined> | undefined;

  constructor(decisionPoint: DecisionPoint, timeout_ms: number, log: Logger) {
    this.#decisionPoint = decisionPoint;
    this.#timeout_ms = timeout_ms;
    this.#log = log;
    this.#unwatch = decisionPoint.watch((status) => this.#learn(status));
  }

  /** The last status if it says that a policy is active. */
  get ready(): Status | undefined {
    return this.#status?.ready === true ? this.#status : undefined;
  }

  /** Asks again; callers at the same time share one question. Never rejects. */
  ask(): Promise<Status | undefined> {
    this.#asking ??= this.#describe().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Calls `listener` when another policy or other data became active; returns the way to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unwatch();
    this.#listeners.clear();
  }

  async #describe(): Promise<Status | undefined> {
    try {
      const work = (signal: AbortSignal) => this.#decisionPoint.describe({ signal });
      this.#keep(await withinDeadline(work, this.#timeout_ms));
    } catch (error) {
      this.#status = undefined;
      this.#log.error('the decision point cannot be asked for its status', { error });
    }
    return this.ready;
  }

  #learn(status: unknown): void {
    this.#keep(status);
    for (const listener of this.#listeners) listener();
  }

  #keep(status: unknown): void {
    const validated = VALIDATORS.status(status);
    this.#status = validated.ok ? validated.value : undefined;
    if (!validated.ok) this.#log.error('the status is malformed', { fault: validated.fault });
    else if (!validated.value.ready) this.#log.warn('the decision point is not ready');
  }
}
