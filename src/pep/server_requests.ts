/** What the server asked its client and the client has not answered. */
import type { Id } from './message.ts';

export class ServerRequests {
  readonly #items_max: number;
  readonly #open = new Set<Id>();

  constructor(items_max: number) {
    this.#items_max = items_max;
  }

  /** Remembers a request that is passed on; false where there are too many. */
  open(id: Id): boolean {
    if (this.#open.size >= this.#items_max) return false;
    this.#open.add(id);
    return true;
  }

  /** True for the first answer, or the withdrawal, of a request that was passed on. */
  settle(id: unknown): boolean {
    return this.#open.delete(id as Id);
  }

  clear(): void {
    this.#open.clear();
  }
}
