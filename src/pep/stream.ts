/**
 * What a server may tell and ask a client beside its answers. A message that cannot be told apart
 * from one about a masked call is withheld as that one would be.
 */
import { servedCall } from './call_context.ts';
import type { Exchange } from './exchange.ts';

export class Stream {
  readonly #connection: object;
  /**
   * A masked call was made. What works on it may speak after its end, and a worker that another
   * call started may speak for it: from then on only messages that name their call pass.
   */
  #tainted = false;

  constructor(connection: object) {
    this.#connection = connection;
  }

  taint(): void {
    this.#tainted = true;
  }

  /** Progress of a call passes where nothing of the call is masked. */
  progressPasses(exchange: Exchange): boolean {
    return !exchange.masked && !this.#inMasked();
  }

  /** A log line or a question passes if the call that it names is not masked, or if none was. */
  passes(named: Exchange | undefined): boolean {
    if (this.#inMasked()) return false;
    return !this.#tainted || (named !== undefined && !named.masked);
  }

  #inMasked(): boolean {
    return servedCall(this.#connection)?.masked === true;
  }
}
