/**
 * Tells the two lines of the MCP SDK apart by their shape, so that a user needs only the one that
 * the server is built with.
 */
import { PortcullisError } from '../../errors.ts';
import type { ServerLine } from '../answers.ts';
import { isObject } from '../message.ts';
import type { Transport } from '../transport.ts';

/** A server of either line: an `McpServer`, or the `Server` that stands in it. */
export interface Connectable {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

export interface Detected {
  line: ServerLine;
  /** The protocol layer. */
  low: Connectable & { transport?: unknown };
  /** The `McpServer` round it, where there is one. */
  high: Connectable | undefined;
}

/** Throws GUARD_MISUSED for what is no server of a known line. */
export function detect(server: unknown): Detected {
  const low = isServer(server) ? server : isObject(server) ? server['server'] : undefined;
  const line = isServer(low) ? lineOf(low) : undefined;
  if (!isServer(low) || line === undefined) {
    throw misused(
      'what is to be guarded is no `Server` or `McpServer` of `@modelcontextprotocol/sdk` 1.x' +
        ' or `@modelcontextprotocol/server` 2.x',
    );
  }
  return { line, low, high: low === server ? undefined : (server as Connectable) };
}

/** `getClientCapabilities` is what a server has and a client has not. */
function isServer(value: unknown): value is Connectable & { transport?: unknown } {
  return ['connect', 'close', 'setRequestHandler', 'getClientCapabilities'].every((member) =>
    has(value, member),
  );
}

/** 2.x builds a context for its handlers; 1.x streams requests. */
function lineOf(low: object): ServerLine | undefined {
  if (has(low, 'buildContext')) return 2;
  return has(low, 'requestStream') ? 1 : undefined;
}

export function has(value: unknown, member: string): boolean {
  return isObject(value) && typeof value[member] === 'function';
}

export function misused(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('GUARD_MISUSED', message, { cause });
}
