/**
 * What a server may tell a client beside its answers. A notification that cannot be told apart from
 * one about a masked call is withheld as that one would be.
 */
import { servedCall } from './call_context.ts';
import type { Exchanges } from './exchange.ts';
import type { Notification } from './message.ts';
import type { SendOptions } from './transport.ts';

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

  /** Progress passes to one who waits for it, and only where all who share the token may see it. */
  progressPasses({ params }: Notification): boolean {
    const sharing = this.#exchanges.sharing(params['progressToken']);
    const running = sharing.filter((exchange) => exchange.forwarded);
    return running.length > 0 && !sharing.some((exchange) => exchange.masked) && !this.#inMasked();
  }

  /** A log line passes if it belongs to a call that is not masked, or if no call is. */
  logPasses(options: SendOptions | undefined): boolean {
    if (this.#inMasked()) return false;
    if (!this.#tainted && !this.#exchanges.anyMasked()) return true;
    if (servedCall(this.#connection) !== undefined) return true;
    const related = this.#exchanges.get(options?.relatedRequestId);
    return related !== undefined && related.forwarded && !related.masked;
  }

  #inMasked(): boolean {
    return servedCall(this.#connection)?.masked === true;
  }
}
