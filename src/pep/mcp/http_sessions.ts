/** Sessions of the legacy era: a server for each, bound to the principal that began it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IdentitySource } from '../../identity/types.ts';
import { failure, RPC, type ServerLine } from '../answers.ts';
import type { Wire } from '../ends.ts';
import type { Entrance } from '../gate.ts';
import type { Id, Message } from '../message.ts';
import { NOBODY, principalOf } from '../principal.ts';
import type { GuardParts } from '../settings.ts';
import { turnAway } from './http_body.ts';
import { serveOnce } from './http_stateless.ts';
import type { Endpoint, FactoryContext, Given, ServerFactory } from './http_types.ts';
import { detect, type Connectable } from './lines.ts';
import { pastObjections, withoutLooks } from './objections.ts';
import type { HttpTransport, HttpTransportClass } from './sdk1.ts';
import { guardServer, type Open } from './server.ts';

interface Session {
  transport: HttpTransport;
  server: Connectable;
  line: ServerLine;
  principal: string;
  used_at_ms: number;
}

export class Sessions implements Endpoint {
  readonly #factory: ServerFactory;
  readonly #open: Open;
  readonly #parts: GuardParts;
  readonly #HttpTransport: HttpTransportClass;
  readonly #sessions = new Map<string, Session>();
  /** Places that are kept for sessions about to begin. */
  readonly #beginning = new Set<object>();
  /** How the message of a request came through the transport, which 2.x lets object first. */
  readonly #entrances = new AsyncLocalStorage<Entrance>();

  constructor(
    factory: ServerFactory,
    open: Open,
    parts: GuardParts,
    HttpTransport: HttpTransportClass,
  ) {
    this.#factory = factory;
    this.#open = open;
    this.#parts = parts;
    this.#HttpTransport = HttpTransport;
  }

  async fetch(request: Request, given: Given, message: Message | undefined): Promise<Response> {
    const principal = principalOf(this.#identify(request, given));
    const id = request.headers.get('mcp-session-id');
    if (id !== null) return this.#resume(id, principal, request, given, message);
    if (message?.kind !== 'request' || message.method !== 'initialize') {
      return turnAway(400, failure(undefined, RPC.INVALID_REQUEST, 'Mcp-Session-Id is required'));
    }
    this.#makeRoom();
    if (this.#size >= this.#parts.settings.http.sessions_max) {
      return turnAway(503, failure(message.id, RPC.INVALID_REQUEST, 'Too many sessions'));
    }
    const place = {};
    this.#beginning.add(place);
    const begun = () => this.#beginning.delete(place);
    return this.#begin(principal, request, given, message.id, begun).finally(begun);
  }

  get #size(): number {
    return this.#sessions.size + this.#beginning.size;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ server }) => server.close()));
    this.#sessions.clear();
  }

  /** Another principal is told what is told about a session that never was. */
  async #resume(
    id: string,
    principal: string,
    request: Request,
    given: Given,
    message: Message | undefined,
  ): Promise<Response> {
    const session = this.#sessions.get(id);
    if (session?.principal !== principal) {
      return turnAway(404, failure(undefined, SESSION_NOT_FOUND, 'Session not found'));
    }
    session.used_at_ms = this.#parts.clock.now_ms();
    const { transport, line } = session;
    if (line === 1) return transport.handleRequest(request, given);
    return pastObjections(message, (entrance) =>
      entrance.objected
        ? this.#decideAlone(entrance, request, given)
        : this.#entrances.run(entrance, () => transport.handleRequest(request, given)),
    );
  }

  /** The server of the session would object again; the one that is asked here does nothing. */
  async #decideAlone(entrance: Entrance, request: Request, given: Given): Promise<Response> {
    const server = await this.#factory(contextOf(request, given));
    withoutLooks(server);
    const open: Open = (wire, line) => this.#open(wire, line, entrance);
    return serveOnce(server, open, this.#HttpTransport, request, given);
  }

  async #begin(
    principal: string,
    request: Request,
    given: Given,
    id: Id,
    begun: () => void,
  ): Promise<Response> {
    const open: Open = (wire, own) =>
      this.#open(
        endingWhenRefused(wire, id, () => end()),
        own,
      );
    const built = await this.#factory(contextOf(request, given));
    const { low, high, line } = detect(guardServer(built, open, 'http'));
    // What an `McpServer` has its transport ask, a `Server` has not.
    const server = high ?? low;
    const end = () => {
      server.close().catch(() => undefined);
    };
    const transport = new this.#HttpTransport({
      sessionIdGenerator: () => this.#parts.random.id(),
      onsessioninitialized: (session_id) => {
        const used_at_ms = this.#parts.clock.now_ms();
        this.#sessions.set(session_id, { transport, server, line, principal, used_at_ms });
        begun();
      },
    });
    transport.onclose = () => {
      this.#sessions.delete(transport.sessionId ?? '');
    };
    // Stays in force beside the guard, which sees the same messages.
    transport.onmessage = () => {
      const entrance = this.#entrances.getStore();
      if (entrance) entrance.arrived = true;
    };
    await server.connect(transport);
    try {
      return await transport.handleRequest(request, given);
    } finally {
      // The transport turned the request away, so that no session began.
      if (transport.sessionId === undefined) await server.close();
    }
  }

  /** Idle sessions make room, and then those of nobody, who may do nothing in them. */
  #makeRoom(): void {
    const { clock, settings } = this.#parts;
    const { session_idle_ms, sessions_max } = settings.http;
    const since_ms = clock.now_ms() - session_idle_ms;
    this.#closeAll(({ used_at_ms }) => used_at_ms < since_ms);
    if (this.#size >= sessions_max) this.#closeAll(({ principal }) => principal === NOBODY);
  }

  #closeAll(which: (session: Session) => boolean): void {
    for (const session of this.#sessions.values()) {
      if (which(session)) session.server.close().catch(() => undefined);
    }
  }

  #identify(request: Request, { authInfo }: Given): ReturnType<IdentitySource> {
    return this.#parts.identity({ authInfo, requestInfo: request });
  }
}

function contextOf(requestInfo: Request, { authInfo }: Given): FactoryContext {
  return { era: 'legacy', authInfo, requestInfo };
}

/** Where `initialize` is answered with an error no session began, whatever the transport holds. */
function endingWhenRefused(wire: Wire, id: Id, end: () => void): Wire {
  let answered = false;
  return {
    ...wire,
    async toClient(sent: { id?: unknown; error?: unknown }, options) {
      await wire.toClient(sent, options);
      if (answered || sent.id !== id) return;
      answered = true;
      if (sent.error !== undefined) end();
    },
  };
}

/** What the SDK answers for a session that it does not know (MCP 2025-11-25, transports). */
const SESSION_NOT_FOUND = -32001;
