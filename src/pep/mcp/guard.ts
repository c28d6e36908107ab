/** What a server author holds: `guard(server)`, `guard.http(factory)`, `guard.wire(transport)`. */
import { Connection, shareOf, type Shared } from '../connection.ts';
import { PolicyWatches } from '../policy_watch.ts';
import type { GuardParts } from '../settings.ts';
import type { Transport } from '../transport.ts';
import { Connections } from './connections.ts';
import { guardHttp, type HttpGuard, type HttpOptions } from './http.ts';
import type { ServerFactory } from './http_types.ts';
import { guardServer, guardTransport, type Open } from './server.ts';

export interface Guard {
  /**
   * Guards an `McpServer` or `Server` of either line and gives it back:
   * `await guard(server).connect(transport)`. Throws GUARD_MISUSED.
   */
  <S extends object>(server: S): S;
  /** A handler for Streamable HTTP: `app.all('/mcp', guard.http(() => buildServer()))`. */
  http(factory: ServerFactory, options?: HttpOptions): HttpGuard;
  /**
   * Guards a wire: `serveStdio(factory, { transport: guard.wire(transport) })`. Throws
   * GUARD_MISUSED.
   */
  wire<T extends object>(transport: T): T;
  /** Whether a policy is active. */
  ready(): Promise<boolean>;
  /**
   * Tells what is still to be told of refusals, and stops listening for changes of policy;
   * connections stay guarded. Resolves when a decision point
   * in this process has signed and left its evidence.
   */
  close(): Promise<void>;
}

/**
 * The decision point belongs to whoever made it, and is not closed here. A server that is guarded
 * connects once it is `opened`, and fails to where that fails.
 */
export function createGuard(parts: GuardParts, opened: Promise<void> = Promise.resolve()): Guard {
  const { decisionPoint, settings, log } = parts;
  const watches = new PolicyWatches(decisionPoint, settings, log);
  const shares: Shared[] = [];
  const share = (): Shared => {
    const shared = shareOf(parts, watches);
    shares.push(shared);
    return shared;
  };
  const opener =
    (shared = share(), own = parts): Open =>
    (wire, line, entrance) =>
      new Connection(own, shared, line, wire, entrance);
  const guard = <S extends object>(server: S): S => guardServer(server, opener(), 'alone', opened);
  return Object.assign(guard, {
    http(factory: ServerFactory, options: HttpOptions = {}): HttpGuard {
      const connections = new Connections();
      const { identity: proof = parts.identity } = options;
      // Code may bring another mapping, but not do away with the check that is configured.
      const [source, authenticator] =
        typeof proof === 'function' ? [proof, parts.authenticator] : [proof.identity, proof];
      const own = { ...parts, identity: connections.knownTo(source), authenticator };
      const shared = share();
      const gate = { parts: own, connections, ...shared };
      return guardHttp(factory, gate, opener(shared, own), options);
    },
    // Only 2.x has an entry that takes a wire transport.
    wire<T extends object>(transport: T): T {
      const wired = guardTransport(transport as unknown as Transport, 2, opener(), 'alone');
      return wired as unknown as T;
    },
    async ready(): Promise<boolean> {
      return (await watches.of(undefined).ask()) !== undefined;
    },
    async close(): Promise<void> {
      for (const { refusals } of shares) refusals.close();
      watches.close();
    },
  });
}
