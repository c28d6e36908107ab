/**
 * Hands the facts of a connection past the SDK to the identity source. What the SDK hands on of a
 * request are its headers; so the facts follow the request through its promises instead, where
 * nothing that a client sends can take their place.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ConnectionFacts, IdentitySource } from '../../identity/types.ts';

/** The connections of one endpoint; another guard in this process does not see them. */
export class Connections {
  readonly #serving = new AsyncLocalStorage<ConnectionFacts | undefined>();

  /** Serves a request that came by this connection; undefined = nothing is known of it. */
  serve<T>(connection: ConnectionFacts | undefined, serve: () => T): T {
    return this.#serving.run(connection, serve);
  }

  /** The source, told of the connection by which the request came that is being served. */
  knownTo(source: IdentitySource): IdentitySource {
    return (extra, report) => source({ ...extra, connection: this.#serving.getStore() }, report);
  }
}
