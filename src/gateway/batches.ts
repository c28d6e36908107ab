/** Answers to requests that came in one array, and leave in one (MCP 2025-03-26, JSON-RPC 2.0). */
import type { Id } from '../pep/message.ts';

interface Batch {
  open: Set<unknown>;
  answers: object[];
  send: (answers: readonly object[]) => void;
}

export class Batches {
  readonly #of = new Map<unknown, Batch>();

  /** Gathers the answers to these ids, and sends them when there is none left to wait for. */
  open(ids: readonly Id[], send: Batch['send']): void {
    const batch = { open: new Set<unknown>(ids), answers: [], send };
    for (const id of ids) this.#of.set(id, batch);
  }

  /** Keeps an answer that belongs to a batch; false where it belongs to none. */
  take(id: unknown, answer: object): boolean {
    const batch = this.#of.get(id);
    batch?.answers.push(answer);
    this.drop(id);
    return batch !== undefined;
  }

  /** Nobody answers that any more. */
  drop(id: unknown): void {
    const batch = this.#of.get(id);
    this.#of.delete(id);
    batch?.open.delete(id);
    if (batch?.open.size === 0 && batch.answers.length > 0) batch.send(batch.answers);
  }
}
