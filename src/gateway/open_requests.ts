/** What a client asked and was not answered yet, by its ids. */
import type { Id, Message } from '../pep/message.ts';

export class OpenRequests {
  readonly #methods = new Map<unknown, string>();
  #wake: (() => void)[] = [];

  get ids(): Id[] {
    return [...this.#methods.keys()] as Id[];
  }

  /** Takes note of a message of the client. */
  receive(message: Message): void {
    if (message.kind === 'request') this.#methods.set(message.id, message.method);
    const { kind, method, params } = message as Extract<Message, { kind: 'notification' }>;
    if (kind === 'notification' && method === 'notifications/cancelled') {
      this.settle(params['requestId']);
    }
  }

  /** The method of the request that is no longer open; undefined where it was not. */
  settle(id: unknown): string | undefined {
    const method = this.#methods.get(id);
    this.#methods.delete(id);
    if (this.#methods.size === 0) for (const wake of this.#wake.splice(0)) wake();
    return method;
  }

  /** Resolves when nobody waits for an answer. */
  idle(): Promise<void> {
    if (this.#methods.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#wake.push(resolve));
  }
}
