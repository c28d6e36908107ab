/** What the guard asks the server on its own account. No answer to it ever reaches a client. */
import type { Random } from '../contract/ambient.ts';
import { PortcullisError } from '../errors.ts';
import type { Answer, Id, JsonObject } from './message.ts';

export class OwnRequests {
  readonly #random: Random;
  readonly #timeout_ms: number;
  readonly #waiting = new Map<Id, (body: Answer['body'] | undefined) => void>();

  constructor(random: Random, timeout_ms: number) {
    this.#random = random;
    this.#timeout_ms = timeout_ms;
  }

  /**
   * Asks through `send`. The id cannot be guessed, so that no client can meet or cancel it. Rejects
   * where no answer comes in time.
   */
  ask(
    method: string,
    params: JsonObject,
    send: (message: object) => void,
  ): Promise<Answer['body']> {
    const id = `portcullis:${this.#random.id()}`;
    return new Promise((resolve, reject) => {
      const settle = (body: Answer['body'] | undefined) => {
        clearTimeout(late);
        this.#waiting.delete(id);
        if (body) resolve(body);
        else reject(new PortcullisError('INTERNAL', 'the server did not answer the guard'));
      };
      const late = setTimeout(() => settle(undefined), this.#timeout_ms);
      this.#waiting.set(id, settle);
      send({ jsonrpc: '2.0', id, method, params });
    });
  }

  /** Takes an answer of the server; false where it answers somebody else. */
  take({ id, body }: Answer): boolean {
    const settle = this.#waiting.get(id);
    settle?.(body);
    return settle !== undefined;
  }

  close(): void {
    for (const settle of this.#waiting.values()) settle(undefined);
  }
}
