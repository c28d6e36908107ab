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

/** What a PEP acts on; the age of a policy is no change of it. */
function fingerprint({ ready, policy, arguments_projection }: Status): string {
  return [ready, policy?.digest, arguments_projection?.digest].join(' ');
}
