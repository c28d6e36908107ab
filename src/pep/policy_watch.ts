/**
 * What the guard knows of the decision point, for each tenant that it serves: whether a policy is
 * active, and which arguments its rules read. Nothing is answered before it said that it is ready
 * (ruling R18).
 */
import type { DecisionPoint } from '../contract/decision_point.ts';
import type { Status } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import type { Logger } from '../telemetry/logger.ts';
import { withinDeadline } from './deadline.ts';

export interface WatchSettings {
  /** Longest wait for one answer of the decision point. */
  decision_timeout_ms: number;
  /** Most tenants that are watched at a time; the one that was not asked for longest makes room. */
  tenants_max: number;
}

/** One watch for each tenant: no tenant is told of another's policy, nor sent what it reads. */
export class PolicyWatches {
  readonly #decisionPoint: DecisionPoint;
  readonly #settings: WatchSettings;
  readonly #log: Logger;
  /** By tenant, the one that was not asked for longest first. */
  readonly #watches = new Map<string | undefined, PolicyWatch>();
  readonly #listeners = new Set<(changed: PolicyWatch) => void>();

  constructor(decisionPoint: DecisionPoint, settings: WatchSettings, log: Logger) {
    this.#decisionPoint = decisionPoint;
    this.#settings = settings;
    this.#log = log;
  }

  /** The watch of a tenant, or of those who have none. */
  of(tenant: string | undefined): PolicyWatch {
    const watch = this.#watches.get(tenant) ?? this.#begin(tenant);
    this.#watches.delete(tenant);
    this.#watches.set(tenant, watch);
    return watch;
  }

  /** Calls `listener` with each watch whose policy changed; returns the way to stop. */
  onChange(listener: (changed: PolicyWatch) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
    this.#listeners.clear();
  }

  #begin(tenant: string | undefined): PolicyWatch {
    const [oldest] = this.#watches;
    if (oldest && this.#watches.size >= this.#settings.tenants_max) {
      oldest[1].close();
      this.#watches.delete(oldest[0]);
    }
    const { decision_timeout_ms } = this.#settings;
    const watch = new PolicyWatch(this.#decisionPoint, decision_timeout_ms, this.#log, tenant);
    watch.onChange(() => {
      for (const listener of [...this.#listeners]) listener(watch);
    });
    return watch;
  }
}

export class PolicyWatch {
  readonly #decisionPoint: DecisionPoint;
  readonly #timeout_ms: number;
  readonly #log: Logger;
  readonly #tenant: string | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #unwatch: () => void;
  #status: Status | undefined;
  #asking: Promise<Status | undefined> | undefined;

  constructor(decisionPoint: DecisionPoint, timeout_ms: number, log: Logger, tenant?: string) {
    this.#decisionPoint = decisionPoint;
    this.#timeout_ms = timeout_ms;
    this.#log = log;
    this.#tenant = tenant;
    this.#unwatch = decisionPoint.watch((status) => this.#learn(status), tenant);
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
      const tenant = this.#tenant;
      const work = (signal: AbortSignal) => this.#decisionPoint.describe({ signal, tenant });
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
