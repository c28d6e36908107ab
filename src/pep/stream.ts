/**
 * What a server may tell a client beside its answers. A notification that cannot be told apart from
 * one about a masked call is withheld as that one would be.
 */
import { servedCall } from './call_context.ts';
import type { Exchange, Exchanges } from './exchange.ts';

export class Stream {
  readonly #connection: object;
  readonly #exchanges: Exchanges;
  /**
   * A masked call was cancelled while it ran. Its end is never seen, so from then on only messages
   * with a known call pass.
   */
  #tainted = false;

  constructor(connection: object, exchanges: Exchanges) {
    this.#connection = connection;
    this.#exchanges = exchanges;
  }

  taint(): void {
    this.#tainted = true;
  }

  /** Progress of a call passes where nothing of the call is masked. */
  progressPasses(exchange: Exchange): boolean {
    return !exchange.masked && !this.#inMasked();
  }

  /** A log line passes if it belongs to a call that is not masked, or if no call is. */
  logPasses(related: Exchange | undefined): boolean {
    if (this.#inMasked()) return false;
    if (!this.#tainted && !this.#exchanges.anyMasked()) return true;
    if (servedCall(this.#connection) !== undefined) return true;
    return related !== undefined && !related.masked;
  }

  #inMasked(): boolean {
    return servedCall(this.#connection)?.masked === true;
  }
}
