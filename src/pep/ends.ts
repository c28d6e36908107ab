/** The two ends of a connection, and what is open between them. */
import { Exchanges, type Arrival } from './exchange.ts';
import { OwnRequests } from './own_requests.ts';
import { ServerRequests } from './server_requests.ts';
import type { GuardParts } from './settings.ts';
import { Stream } from './stream.ts';
import { Subscriptions } from './subscriptions.ts';
import type { MessageExtra, SendOptions } from './transport.ts';

export interface Wire {
  toClient(message: object, options?: SendOptions): Promise<void>;
  toServer(message: object, extra?: MessageExtra): void;
}

export class Ends {
  readonly exchanges: Exchanges;
  readonly stream: Stream;
  /** What the guard asked the server. */
  readonly own: OwnRequests;
  /** What the server asked the client. */
  readonly asked: ServerRequests;
  /** What the client wants to hear of. */
  readonly subscriptions: Subscriptions;
  /** The last request of the client: whom the server asks where it serves no call. */
  caller: Arrival | undefined;
  readonly #wire: Wire;
  readonly #log: GuardParts['log'];
  #closed = false;

  constructor({ settings, random, log }: GuardParts, wire: Wire) {
    this.exchanges = new Exchanges(settings.cancelled_timeout_ms);
    this.stream = new Stream(this);
    this.own = new OwnRequests(random, settings.catalogue_timeout_ms);
    this.asked = new ServerRequests(settings.requests_in_flight_max);
    this.subscriptions = new Subscriptions(settings.subscriptions_max);
    this.#wire = wire;
    this.#log = log;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Never rejects: a client that is gone hears nothing. */
  async toClient(message: object, options?: SendOptions): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#wire.toClient(message, options);
    } catch (error) {
      this.#log.warn('a message did not reach the client', { error });
    }
  }

  toServer(message: object, extra?: MessageExtra): void {
    if (!this.#closed) this.#wire.toServer(message, extra);
  }

  /** Nobody is there any more: nothing is answered, and nothing is kept. */
  close(): void {
    this.#closed = true;
    this.exchanges.cancelAll();
    this.own.close();
    this.asked.clear();
    this.subscriptions.clear();
  }
}
