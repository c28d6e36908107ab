/** Guards a server at its transport, whichever way it is connected. */
import type { ServerLine } from '../answers.ts';
import type { Connection } from '../connection.ts';
import type { Wire } from '../ends.ts';
import type { Entrance } from '../gate.ts';
import { GuardedTransport } from '../guarded_transport.ts';
import type { Transport } from '../transport.ts';
import { detect, has, misused, type Connectable } from './lines.ts';

/** Opens the guard of one connection. */
export type Open = (wire: Wire, line: ServerLine, entrance?: Entrance) => Connection;

/** `http`: the other seam of 2.x over HTTP is in place. */
export type Placement = 'alone' | 'http';

const guarded = new WeakSet<object>();

/**
 * Makes every connection of the server a guarded one, and gives the server back. Throws
 * GUARD_MISUSED where it is connected or guarded already; connecting rejects with it where another
 * seam is missing.
 */
export function guardServer<S extends object>(
  server: S,
  open: Open,
  placement: Placement = 'alone',
  opened: Promise<void> = Promise.resolve(),
): S {
  const { line, low, high } = detect(server);
  if (low.transport !== undefined) {
    throw misused('the server is connected already: guard it before it connects');
  }
  if (guarded.has(low)) throw misused('the server is guarded already: guard it once');
  guarded.add(low);
  const wrap = (transport: Transport) => guardTransport(transport, line, open, placement);
  replaceConnect(low, wrap, opened);
  if (high) replaceConnect(high, wrap, opened);
  return server;
}

/** `connect` of an `McpServer` ends in that of its `Server`: the transport is guarded once. */
export function guardTransport(
  transport: Transport,
  line: ServerLine,
  open: Open,
  placement: Placement,
): Transport {
  if (transport instanceof GuardedTransport) return transport;
  if (!['start', 'send', 'close'].every((member) => has(transport, member))) {
    throw misused('what the server is to be connected to is no transport');
  }
  if (has(transport, 'deliver')) {
    throw misused(
      '`serveStdio` answers some messages before the server sees them: leave the server as it is,' +
        ' and call `serveStdio(factory, { transport: guard.wire(new StdioServerTransport()) })`',
    );
  }
  if (placement === 'alone' && has(transport, 'handleMessage')) {
    throw misused(
      '`createMcpHandler` answers some messages before the server sees them: leave the server as' +
        ' it is, and mount `guard.http(factory)` in its place',
    );
  }
  if (placement === 'alone' && has(transport, 'handleRequest')) {
    throw misused(
      'a Streamable HTTP transport opens the stream of a session, and ends it, for whoever knows' +
        ' its id: leave the server as it is, and mount `guard.http(factory)` in its place, on 1.x' +
        ' with `{ sessions: true }` to keep sessions',
    );
  }
  return new GuardedTransport(transport, (wire) => open(wire, line));
}

function replaceConnect(
  target: Connectable,
  wrap: (transport: Transport) => Transport,
  opened: Promise<void>,
): void {
  const connect = target.connect.bind(target);
  const value = async (transport: Transport) => {
    await opened;
    return connect(wrap(transport));
  };
  Object.defineProperty(target, 'connect', { value, configurable: false, writable: false });
}
