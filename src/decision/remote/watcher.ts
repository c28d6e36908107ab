/**
 * Notices that the policy, the data or the readiness of a decision point changed: by asking for the
 * status at an interval while somebody listens, and at once where an answer names another policy.
 */
import type { Status } from '../../contract/types.gen.ts';

export interface Watcher {
  /** Compares a status with the last one, and tells the listeners where it differs. */
  observe(status: Status): void;
  /** Compares the policy that an answer names with the last one. */
  observePolicy(digest: string | undefined): void;
  add(listener: (status: Status) => void): () => void;
  close(): void;
}

const SILENT: Status = { ready: false, problem: 'the decision point does not answer' };

/** `ask` fetches the status and has it observed; where it rejects, nothing is ready. */
export function createWatcher(ask: () => Promise<unknown>, interval_ms: number): Watcher {
  const listeners = new Set<(status: Status) => void>();
  let seen: Status | undefined;
  let timer: NodeJS.Timeout | undefined;
  let asking = false;

  function observe(status: Status): void {
    const changed = seen !== undefined && fingerprint(seen) !== fingerprint(status);
    seen = status;
    if (changed) for (const listener of [...listeners]) listener(status);
  }

  async function look(): Promise<void> {
    if (asking) return;
    asking = true;
    await ask().catch(() => observe(SILENT));
    asking = false;
  }

  return {
    observe,
    observePolicy(digest) {
      if (digest !== undefined && listeners.size > 0 && digest !== seen?.policy?.digest)
        void look();
    },
    add(listener) {
      listeners.add(listener);
      timer ??= setInterval(() => void look(), interval_ms).unref();
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    close() {
      listeners.clear();
      clearInterval(timer);
    },
  };
}

/** A watcher for each tenant that somebody watches, and one for whoever has none. */
export class Watchers {
  readonly #create: (tenant: string | undefined) => Watcher;
  readonly #watched = new Map<string | undefined, { watcher: Watcher; listening: Set<object> }>();

  constructor(create: (tenant: string | undefined) => Watcher) {
    this.#create = create;
    this.#watch(undefined);
  }

  /** Undefined where nobody watches a tenant. */
  of(tenant: string | undefined): Watcher | undefined {
    return this.#watched.get(tenant)?.watcher;
  }

  add(listener: (status: Status) => void, tenant: string | undefined): () => void {
    const watched = this.#watched.get(tenant) ?? this.#watch(tenant);
    const { watcher, listening } = watched;
    const place = {};
    listening.add(place);
    const stop = watcher.add(listener);
    return () => {
      stop();
      const isLast = listening.delete(place) && listening.size === 0;
      if (isLast && tenant !== undefined) this.#watched.delete(tenant);
    };
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
  }

  #watch(tenant: string | undefined) {
    const watched = { watcher: this.#create(tenant), listening: new Set<object>() };
    this.#watched.set(tenant, watched);
    return watched;
  }
}

/** What a PEP acts on; the age of a policy is no change of it. */
function fingerprint({ ready, policy, arguments_projection }: Status): string {
  return [ready, policy?.digest, arguments_projection?.digest].join(' ');
}
