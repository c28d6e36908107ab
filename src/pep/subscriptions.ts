/** The resources of which one client wants to hear, and as whom it may. */
import type { Asker } from './evaluation.ts';

export class Subscriptions {
  readonly #items_max: number;
  readonly #open = new Map<string, Asker>();

  constructor(items_max: number) {
    this.#items_max = items_max;
  }

  /** The oldest makes room: a client that asks for too much hears less, and nobody else does. */
  add(uri: string, asker: Asker): void {
    this.#open.delete(uri);
    const [oldest] = this.#open.keys();
    if (this.#open.size >= this.#items_max && oldest !== undefined) this.#open.delete(oldest);
    this.#open.set(uri, asker);
  }

  remove(uri: string): void {
    this.#open.delete(uri);
  }

  /**
   * Who subscribed to a resource, or to one that holds it: a server may tell of a part of what was
   * asked for (MCP 2025-11-25, resources, subscriptions).
   */
  asker(uri: string): Asker | undefined {
    const exact = this.#open.get(uri);
    if (exact) return exact;
    for (const [whole, asker] of this.#open) {
      if (uri.startsWith(whole.endsWith('/') ? whole : `${whole}/`)) return asker;
    }
    return undefined;
  }

  clear(): void {
    this.#open.clear();
  }
}
