/** One request of a client from its arrival to its answer, and the table of those in flight. */
import type { TrustedContext } from '../identity/types.ts';
import { metaOf, type ClientClaims } from './evaluation.ts';
import type { Answer, Id, Request } from './message.ts';
import type { Era } from './methods.ts';
import type { MessageExtra } from './transport.ts';

/** What the server answered: read, and as it came. */
export interface ServerAnswer {
  body: Answer['body'];
  raw: object;
}

export interface Arrival {
  request: Request;
  era: Era;
  extra: MessageExtra | undefined;
  claims: ClientClaims;
  /** Undefined: nobody is proved. */
  trusted: TrustedContext | undefined;
}

export class Exchange {
  readonly arrival: Arrival;
  /** The result will be masked, so that nothing else about the call may be told. */
  masked = false;
  /** Settles when the answer has left, or none will. */
  done: Promise<void> = Promise.resolve();
  readonly #controller = new AbortController();
  #settle: ((answer: ServerAnswer | undefined) => void) | undefined;

  constructor(arrival: Arrival) {
    this.arrival = arrival;
  }

  get id(): Id {
    return this.arrival.request.id;
  }

  /** Aborted when the client no longer wants the answer, or is gone. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#controller.signal.aborted;
  }

  /** The server has the request and has not answered it. */
  get forwarded(): boolean {
    return this.#settle !== undefined;
  }

  /** The answer of the server, to whom `send` gives the request; undefined once cancelled. */
  forward(send: () => void): Promise<ServerAnswer | undefined> {
    if (this.cancelled) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#settle = resolve;
      send();
    });
  }

  /** Takes the answer of the server. */
  settle(answer: ServerAnswer | undefined): void {
    this.#settle?.(answer);
    this.#settle = undefined;
  }

  cancel(): void {
    this.#controller.abort();
    this.settle(undefined);
  }
}

/** Most cancelled requests that are remembered; cancelling more has no effect, as MCP allows. */
const ABANDONED_MAX = 1024;

/** The unanswered requests of one connection. */
export class Exchanges {
  readonly #open = new Map<Id, Exchange>();
  /** Ids that the server may still answer, though nobody waits. */
  readonly #abandoned = new Set<Id>();
  readonly #tokens = new Map<Id, Set<Exchange>>();

  get size(): number {
    return this.#open.size;
  }

  get(id: unknown): Exchange | undefined {
    return this.#open.get(id as Id);
  }

  /** An answer under this id could belong to a request that came before. */
  isTaken(id: Id): boolean {
    return this.#open.has(id) || this.#abandoned.has(id);
  }

  add(exchange: Exchange): void {
    this.#open.set(exchange.id, exchange);
    const token = progressToken(exchange);
    if (token === undefined) return;
    const sharing = this.#tokens.get(token) ?? new Set();
    this.#tokens.set(token, sharing.add(exchange));
  }

  remove(exchange: Exchange): void {
    if (this.#open.get(exchange.id) === exchange) this.#open.delete(exchange.id);
    const token = progressToken(exchange);
    const sharing = token === undefined ? undefined : this.#tokens.get(token);
    if (token === undefined || !sharing) return;
    sharing.delete(exchange);
    if (sharing.size === 0) this.#tokens.delete(token);
  }

  /**
   * Cancels a request; false where it stays open. If the server has it, its id is not free again
   * until it was answered: a late answer would else be told under the decision on another request.
   */
  abandon(exchange: Exchange): boolean {
    if (exchange.forwarded) {
      if (this.#abandoned.size >= ABANDONED_MAX) return false;
      this.#abandoned.add(exchange.id);
    }
    this.remove(exchange);
    exchange.cancel();
    return true;
  }

  /** The server answered a request that nobody waits for. */
  release(id: Id): void {
    this.#abandoned.delete(id);
  }

  /** Those that asked for progress under a token: more than one where a client repeats itself. */
  sharing(token: unknown): readonly Exchange[] {
    return [...(this.#tokens.get(token as Id) ?? [])];
  }

  anyMasked(): boolean {
    return [...this.#open.values()].some((exchange) => exchange.masked);
  }

  /** Nobody waits any more. */
  cancelAll(): void {
    for (const exchange of this.#open.values()) exchange.cancel();
    this.#open.clear();
    this.#abandoned.clear();
    this.#tokens.clear();
  }
}

function progressToken({ arrival }: Exchange): Id | undefined {
  const token = metaOf(arrival.request)['progressToken'];
  return typeof token === 'string' || typeof token === 'number' ? token : undefined;
}
