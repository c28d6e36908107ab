/** Sessions of 1.x: a server for each, bound to the principal that began it. */
import type { IdentitySource } from '../../identity/types.ts';
import { failure, RPC } from '../answers.ts';
import type { Wire } from '../ends.ts';
import type { Id, Message } from '../message.ts';
import { NOBODY, principalOf } from '../principal.ts';
import type { GuardParts } from '../settings.ts';
import { turnAway } from './http_body.ts';
import type { Endpoint, Given, ServerFactory } from './http_types.ts';
import { detect, type Connectable } from './lines.ts';
import { loadHttpTransport, type HttpTransport, type HttpTransportClass } from './sdk1.ts';
import { guardServer, type Open } from './server.ts';

interface Session {
  transport: HttpTransport;
  server: Connectable;
  principal: string;
  used_at_ms: number;
}

export async function sessionEndpoint(
  factory: ServerFactory,
  open: Open,
  parts: GuardParts,
): Promise<Endpoint> {
  return new Sessions(factory, open, parts, await loadHttpTransport());
}

class Sessions implements Endpoint {
  readonly #factory: ServerFactory;
  readonly #open: Open;
  readonly #parts: GuardParts;
  readonly #HttpTransport: HttpTransportClass;
  readonly #sessions = new Map<string, Session>();
  /** Places that are kept for sessions about to begin. */
  readonly #beginning = new Set<object>();

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
    if (id !== null) return this.#resume(id, principal, request, given);
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
  async #resume(id: string, principal: string, request: Request, given: Given): Promise<Response> {
    const session = this.#sessions.get(id);
    if (session?.principal !== principal) {
      return turnAway(404, failure(undefined, SESSION_NOT_FOUND, 'Session not found'));
    }
    session.used_at_ms = this.#parts.clock.now_ms();
    return session.transport.handleRequest(request, given);
  }

  async #begin(
    principal: string,
    request: Request,
    given: Given,
    id: Id,
    begun: () => void,
  ): Promise<Response> {
    const context = { era: 'legacy', authInfo: given.authInfo, requestInfo: request } as const;
    const open: Open = (wire, line) =>
      this.#open(
        endingWhenRefused(wire, id, () => end()),
        line,
      );
    const { low: server } = detect(guardServer(await this.#factory(context), open, 'http'));
    const end = () => {
      server.close().catch(() => undefined);
    };
    const transport = new this.#HttpTransport({
      sessionIdGenerator: () => this.#parts.random.id(),
      onsessioninitialized: (session_id) => {
        const used_at_ms = this.#parts.clock.now_ms();
        this.#sessions.set(session_id, { transport, server, principal, used_at_ms });
        begun();
      },
    });
    transport.onclose = () => {
      this.#sessions.delete(transport.sessionId ?? '');
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
