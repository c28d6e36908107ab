/**
 * `createMcpHandler` of 2.x, with a guard in every server that it builds. The handler itself looks
 * at a message before the server sees it (headers that mirror arguments, scope challenges), and
 * what it says then would tell that a hidden tool exists. A message that it answers so is sent in
 * again past those looks, to be decided on and not executed: only one who may know of the tool is
 * told the objection, and everybody else what the guard says.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Entrance } from '../gate.ts';
import { listenOver, type ListenParts } from './http_listen.ts';
import type { Endpoint, FactoryContext, Given, ServerFactory } from './http_types.ts';
import { detect, misused } from './lines.ts';
import { guardServer, type Open } from './server.ts';

/** The entry of 2.x as far as it is used. */
type CreateHandler = (factory: (context: FactoryContext) => Promise<object>) => {
  fetch(request: Request, given: Given): Promise<Response>;
  close(): Promise<void>;
  notify?: Readonly<Record<'toolsChanged' | 'promptsChanged' | 'resourcesChanged', () => void>>;
};

export async function handlerEndpoint(
  factory: ServerFactory,
  open: Open,
  gate: ListenParts,
  given_entry: unknown,
): Promise<Endpoint> {
  const { create, made_here } = await loadEntry(given_entry);
  const entrances = new AsyncLocalStorage<Entrance>();
  const handler = create(async (context) => {
    const server = await factory(context);
    if (!made_here(server)) throw otherCopy();
    const entrance = entrances.getStore();
    if (entrance?.objected) withoutLooks(server);
    return guardServer(server, (wire, line) => open(wire, line, entrance), 'http');
  });
  // Another policy may show other things to whoever listens.
  const unwatch = gate.watch.onChange(() => {
    if (!gate.watch.ready) return;
    handler.notify?.toolsChanged();
    handler.notify?.promptsChanged();
    handler.notify?.resourcesChanged();
  });
  return {
    async fetch(request, given, message) {
      if (message?.kind === 'request' && message.method === 'subscriptions/listen') {
        const serve = (trimmed: Given) => handler.fetch(request, trimmed);
        return listenOver(gate, request, given, message, serve);
      }
      const enter = (entrance: Entrance) =>
        entrances.run(entrance, () => handler.fetch(request, given));
      const first = { arrived: false, objected: false, known: false };
      const response = await enter(first);
      if (first.arrived || message?.kind !== 'request') return response;
      const second = { arrived: false, objected: true, known: false };
      const decided = await whole(await enter(second));
      return second.known ? response : decided;
    },
    close: () => {
      unwatch();
      return handler.close();
    },
  };
}

/** What an `McpServer` of 2.x is asked before it is connected to the wire of a message. */
function withoutLooks(server: object): void {
  const { high } = detect(server);
  const nothing = () => undefined;
  if (high) Object.assign(high, { toolInputSchemaJson: nothing, resolveScopeChallenge: nothing });
}

/** Waits for the end of a response, which may begin before anything is decided. */
async function whole(response: Response): Promise<Response> {
  return new Response(await response.arrayBuffer(), response);
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
