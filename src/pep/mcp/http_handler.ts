/** `createMcpHandler` of 2.x, with a guard in every server that it builds. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Entrance } from '../gate.ts';
import { listenOver, type ListenParts } from './http_listen.ts';
import type { Endpoint, Given, ServerFactory } from './http_types.ts';
import { misused } from './lines.ts';
import { pastObjections, withoutLooks } from './objections.ts';
import { loadSdk2, type CreateHandler } from './sdk2.ts';
import { guardServer, type Open } from './server.ts';

/** `legacy`: what the entry does with requests of the legacy era; it serves them by default. */
export async function handlerEndpoint(
  factory: ServerFactory,
  open: Open,
  gate: ListenParts,
  given_entry: unknown,
  options: { legacy?: 'reject' } = {},
): Promise<Endpoint> {
  const { create, made_here } = await loadEntry(given_entry);
  const entrances = new AsyncLocalStorage<Entrance>();
  const handler = create(async (context) => {
    const server = await factory(context);
    if (!made_here(server)) throw otherCopy();
    const entrance = entrances.getStore();
    if (entrance?.objected) withoutLooks(server);
    return guardServer(server, (wire, line) => open(wire, line, entrance), 'http');
  }, options);
  return {
    async fetch(request, given, message) {
      if (message?.kind === 'request' && message.method === 'subscriptions/listen') {
        const serve = (trimmed: Given) => handler.fetch(request, trimmed);
        return listenOver(gate, request, given, message, serve);
      }
      return pastObjections(message, (entrance) =>
        entrances.run(entrance, () => handler.fetch(request, given)),
      );
    },
    close: () => handler.close(),
  };
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
  const { createMcpHandler, McpServer, Server } = await loadSdk2();
  return {
    create: createMcpHandler,
    made_here: (server) => server instanceof McpServer || server instanceof Server,
  };
}

function otherCopy(): Error {
  return misused(
    'the factory builds servers with another copy of `@modelcontextprotocol/server`: give the' +
      ' `createMcpHandler` of that copy to `guard.http` as well',
  );
}
