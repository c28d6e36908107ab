/**
 * `createMcpHandler` of 2.x, with a guard in every server that it builds. The handler itself looks
 * at a call before the server sees it (headers that mirror arguments, scope challenges), and what
 * it says then would tell that a hidden tool exists: such a response is judged before it leaves.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { unknownTool } from '../answers.ts';
import type { Connection } from '../connection.ts';
import type { Message, Request as RpcRequest } from '../message.ts';
import type { Transport } from '../transport.ts';
import type { Endpoint, FactoryContext, Given, ServerFactory } from './http_types.ts';
import { detect, misused } from './lines.ts';
import { guardServer, type Open } from './server.ts';

/** The entry of 2.x as far as it is used. */
type CreateHandler = (factory: (context: FactoryContext) => Promise<object>) => {
  fetch(request: Request, given: Given): Promise<Response>;
  close(): Promise<void>;
};

/** How far one request has come. */
interface Progress {
  built: boolean;
  connected: boolean;
}

export async function handlerEndpoint(
  factory: ServerFactory,
  open: Open,
  given_entry: unknown,
): Promise<Endpoint> {
  const { create, made_here } = await loadEntry(given_entry);
  const progress = new AsyncLocalStorage<Progress>();
  const handler = create(async (context) => {
    const server = await factory(context);
    if (!made_here(server)) throw otherCopy();
    const seen = progress.getStore();
    if (seen) seen.built = true;
    const note: Open = (wire, line) => {
      if (seen) seen.connected = true;
      return open(wire, line);
    };
    return guardServer(server, note, 'http');
  });
  return {
    async fetch(request, given, message) {
      const seen = { built: false, connected: false };
      const response = await progress.run(seen, () => handler.fetch(request, given));
      const call = callOf(message);
      if (!seen.built || seen.connected || call === undefined) return response;
      const context: FactoryContext = { era: 'modern', ...given, requestInfo: request };
      if (await mayKnow(await factory(context), open, call, context)) return response;
      return Response.json(unknownTool(2, call.id, call.name));
    },
    close: () => handler.close(),
  };
}

interface Call {
  id: RpcRequest['id'];
  name: string;
  raw: object;
}

function callOf(message: Message | undefined): Call | undefined {
  if (message?.kind !== 'request' || message.method !== 'tools/call') return undefined;
  const { id, method, params } = message;
  const { name } = params;
  if (typeof name !== 'string') return undefined;
  return { id, name, raw: { jsonrpc: '2.0', id, method, params } };
}

/** Asks a guard that stands on no wire; the call is decided on and not made. */
async function mayKnow(
  server: object,
  open: Open,
  { raw }: Call,
  { authInfo, requestInfo }: FactoryContext,
): Promise<boolean> {
  const connections: Connection[] = [];
  const { low } = detect(
    guardServer(
      server,
      (wire, line) => {
        const connection = open(wire, line);
        connections.push(connection);
        return connection;
      },
      'http',
    ),
  );
  await low.connect(nowhere());
  try {
    const extra = { authInfo, request: requestInfo };
    return (await connections[0]?.mayKnow(raw, extra)) ?? false;
  } finally {
    await low.close();
  }
}

function nowhere(): Transport {
  const transport: Transport = {
    async start() {},
    async send() {},
    async close() {
      transport.onclose?.();
    },
  };
  return transport;
}

interface Entry {
  create: CreateHandler;
  /** Whether the entry will know a server as one of its own. */
  made_here: (server: unknown) => boolean;
}

async function loadEntry(given: unknown): Promise<Entry> {
  if (typeof given === 'function') {
    return { create: given as CreateHandler, made_here: () => true };
  }
  try {
    const { createMcpHandler, McpServer, Server } = await import('@modelcontextprotocol/server');
    return {
      create: createMcpHandler as unknown as CreateHandler,
      made_here: (server) => server instanceof McpServer || server instanceof Server,
    };
  } catch (cause) {
    throw misused('`@modelcontextprotocol/server` cannot be loaded: install it here', cause);
  }
}

function otherCopy(): Error {
  return misused(
    'the factory builds servers with another copy of `@modelcontextprotocol/server`: give the' +
      ' `createMcpHandler` of that copy to `guard.http` as well',
  );
}
