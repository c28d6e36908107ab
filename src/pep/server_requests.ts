/** What the server asked its client and the client has not answered. */
import type { Id, JsonObject } from './message.ts';

export class ServerRequests {
  readonly #items_max: number;
  /** Each with the token under which the client may report progress. */
  readonly #open = new Map<Id, unknown>();

  constructor(items_max: number) {
    this.#items_max = items_max;
  }

  /** Remembers a request that is passed on; false where there are too many. */
  open(id: Id, meta: JsonObject): boolean {
    if (this.#open.size >= this.#items_max) return false;
    this.#open.set(id, meta['progressToken']);
    return true;
  }

  /** True for the first answer, or the withdrawal, of a request that was passed on. */
  settle(id: unknown): boolean {
    return this.#open.delete(id as Id);
  }

  /** Whether the server waits for progress under this token. */
  expects(token: unknown): boolean {
    return token !== undefined && [...this.#open.values()].includes(token);
  }

  clear(): void {
    this.#open.clear();
  }
}
