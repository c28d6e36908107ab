/** What the server asked its client and the client has not answered. */
import type { Id, JsonObject } from './message.ts';

interface Open {
  /** Aborted when the server no longer wants the answer, or nobody is there. */
  readonly controller: AbortController;
  /** What the server wants to hear of progress under, if it wants to. */
  readonly progress_token: Id | undefined;
  /** The client was told of it. */
  told: boolean;
}

export class ServerRequests {
  readonly #items_max: number;
  readonly #open = new Map<Id, Open>();
  /** Addresses that the client was sent to, by the id under which the server speaks of them. */
  readonly #elicitations = new Set<string>();

  constructor(items_max: number) {
    this.#items_max = items_max;
  }

  /**
   * Takes a request whose answer is awaited; undefined where there are too many, or one under this
   * id, since their answers would be interchangeable. The signal is aborted where it is withdrawn.
   */
  open(id: Id, progress_token?: Id): AbortSignal | undefined {
    if (this.#open.size >= this.#items_max || this.#open.has(id)) return undefined;
    const controller = new AbortController();
    this.#open.set(id, { controller, progress_token, told: false });
    return controller.signal;
  }

  /** The client is told of it now, and may answer. */
  tell(id: Id): void {
    const open = this.#open.get(id);
    if (open) open.told = true;
  }

  /** True for the first answer, or the withdrawal, of a request that the client was told of. */
  settle(id: unknown): boolean {
    const open = this.#open.get(id as Id);
    if (open === undefined) return false;
    this.#open.delete(id as Id);
    open.controller.abort();
    return open.told;
  }

  /** True for the first answer of the client; one to what it was not told of ends nothing. */
  answer(id: Id): boolean {
    return this.#open.get(id)?.told === true && this.settle(id);
  }

  /**
   * What the server is told of the progress of its request, under its own token. The client knows
   * it by the id of the request, which no other has at the same time.
   */
  progress({ progressToken, progress, total, message }: JsonObject): JsonObject | undefined {
    const open = this.#open.get(progressToken as Id);
    if (!open?.told || open.progress_token === undefined) return undefined;
    return { progressToken: open.progress_token, progress, total, message };
  }

  /** The client is sent to an address; of too many the oldest is forgotten. */
  send(elicitation_id: string): void {
    this.#elicitations.delete(elicitation_id);
    const [oldest] = this.#elicitations;
    if (this.#elicitations.size >= this.#items_max && oldest !== undefined) {
      this.#elicitations.delete(oldest);
    }
    this.#elicitations.add(elicitation_id);
  }

  /** True once for an address that the client was sent to. */
  complete(elicitation_id: unknown): boolean {
    return this.#elicitations.delete(elicitation_id as string);
  }

  clear(): void {
    for (const { controller } of this.#open.values()) controller.abort();
    this.#open.clear();
    this.#elicitations.clear();
  }
}
