/** One request of a client from its arrival to its answer, and the table of those in flight. */
import type { TrustedContext } from '../identity/types.ts';
import type { ClientOffers } from './client_offers.ts';
import { progressTokenOf, type ClientClaims } from './evaluation.ts';
import type { Filter } from './listen.ts';
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
  /** What the client may be asked for in return. */
  offers: ClientOffers;
}

export class Exchange {
  readonly arrival: Arrival;
  /** The id towards the server. It is never used again, so that no late answer can be mistaken. */
  readonly server_id: number;
  /** The result will be masked, so that nothing else about the call may be told. */
  masked = false;
  /** The server may answer with a task, as the client said (2026-07-28). */
  takes_tasks = false;
  /** What it listens for, where it is a subscription. */
  listening: Filter | undefined;
  /** Runs while it still counts although nobody waits for it. */
  release_timer: NodeJS.Timeout | undefined;
  /** Settles when the answer has left, or none will. */
  done: Promise<void> = Promise.resolve();
  readonly #controller = new AbortController();
  #sent = false;
  #settle: ((answer: ServerAnswer | undefined) => void) | undefined;

  constructor(arrival: Arrival, server_id: number) {
    this.arrival = arrival;
    this.server_id = server_id;
  }

  get id(): Id {
    return this.arrival.request.id;
  }

  /** What the client wants to hear of its progress under, if it wants to. */
  get progress_token(): Id | undefined {
    return progressTokenOf(this.arrival.request);
  }

  /** Aborted when the client no longer wants the answer, or is gone. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get cancelled(): boolean {
    return this.#controller.signal.aborted;
  }

  /** The server was given the request, so it may have had its effect. */
  get sent(): boolean {
    return this.#sent;
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
      this.#sent = true;
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

/** The requests of one connection that the server may be at work on. */
export class Exchanges {
  /** Those that a client waits for, by its id. */
  readonly #open = new Map<Id, Exchange>();
  /** All, by the id towards the server. */
  readonly #all = new Map<Id, Exchange>();
  readonly #cancelled_timeout_ms: number;
  #last_id = 0;

  /**
   * A cancelled request counts so long as one that the server works on, unless it is answered: a
   * server that stopped its work says nothing (MCP, cancellation).
   */
  constructor(cancelled_timeout_ms: number) {
    this.#cancelled_timeout_ms = cancelled_timeout_ms;
  }

  /** Counts what was cancelled too, as long as the server may be at work on it. */
  get size(): number {
    return this.#all.size;
  }

  /** An id towards the server; never 0, which a server may take for none. */
  nextId(): number {
    this.#last_id += 1;
    return this.#last_id;
  }

  get(id: unknown): Exchange | undefined {
    return this.#open.get(id as Id);
  }

  /** The subscriptions that a client keeps open. */
  listening(): Exchange[] {
    return [...this.#open.values()].filter(({ listening }) => listening !== undefined);
  }

  /** The request that the server knows under an id, until it is answered or cancelled. */
  running(server_id: unknown): Exchange | undefined {
    const exchange = this.#all.get(server_id as Id);
    return exchange?.forwarded ? exchange : undefined;
  }

  add(exchange: Exchange): void {
    this.#open.set(exchange.id, exchange);
    this.#all.set(exchange.server_id, exchange);
  }

  remove(exchange: Exchange): void {
    if (this.#open.get(exchange.id) === exchange) this.#open.delete(exchange.id);
    if (exchange.release_timer === undefined) this.#all.delete(exchange.server_id);
  }

  /** Nobody waits for it any more; where the server has it, it counts on for a time. */
  abandon(exchange: Exchange): void {
    if (exchange.forwarded) {
      const release = (): void => this.release(exchange.server_id);
      exchange.release_timer = setTimeout(release, this.#cancelled_timeout_ms).unref();
    }
    this.remove(exchange);
    exchange.cancel();
  }

  /** The server is done with a request that nobody waits for. */
  release(server_id: Id): void {
    const exchange = this.#all.get(server_id);
    if (exchange?.release_timer === undefined) return;
    clearTimeout(exchange.release_timer);
    this.#all.delete(server_id);
  }

  /** Nobody waits any more. */
  cancelAll(): void {
    for (const exchange of this.#open.values()) exchange.cancel();
    for (const { release_timer } of this.#all.values()) clearTimeout(release_timer);
    this.#open.clear();
    this.#all.clear();
  }
}
