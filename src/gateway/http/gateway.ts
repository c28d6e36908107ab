/**
 * Streamable HTTP for clients of either era, before a server that is reached over Streamable HTTP.
 * A legacy session is a connection of its own to the server, bound to who began it; a modern
 * request is one by itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure, invalidRequest, RPC } from '../../pep/answers.ts';
import { NOBODY, principalOf } from '../../pep/principal.ts';
import { eraOf } from '../../pep/evaluation.ts';
import { admit, turnAway, type Admitted } from '../../pep/mcp/http_body.ts';
import { metadataFor, withStepUp } from '../../pep/mcp/http_caller.ts';
import { sendWebResponse, toWebRequest } from '../../pep/mcp/http_node.ts';
import type { Given } from '../../pep/mcp/http_types.ts';
import type { GuardParts } from '../../pep/settings.ts';
import { Connected, type ConnectedParts } from './connected.ts';
import { acceptsAnswer, headFault, mirrorFault } from './head.ts';
import { Reply } from './reply.ts';
import { Sessions, type Session } from './sessions.ts';

export interface HttpGatewayParts extends Omit<ConnectedParts, 'log'> {
  guard: Pick<GuardParts, 'identity' | 'authenticator' | 'settings' | 'clock' | 'random' | 'log'>;
  /** Names that this listener is known by, with their ports, in lower case. */
  hosts: ReadonlySet<string>;
  /** What comes with the request, with a proof of its caller; else how it is turned away. */
  authenticate: (request: Request, given: Given) => Promise<Given | Response>;
}

/** MCP 2025-11-25, transports, as the SDK answers it. */
const SESSION_NOT_FOUND = -32001;

export class HttpGateway {
  readonly #parts: HttpGatewayParts;
  readonly #connected: ConnectedParts;
  readonly #sessions: Sessions;
  /** Modern requests that are not answered yet. */
  readonly #single = new Set<Connected>();

  constructor(parts: HttpGatewayParts) {
    const { open, upstream, guard } = parts;
    this.#parts = parts;
    this.#connected = { open, upstream, log: guard.log };
    this.#sessions = new Sessions(guard.settings.http, guard.clock);
  }

  /** Answers one request. Never rejects. */
  async handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { log } = this.#parts.guard;
    try {
      await sendWebResponse(await this.#answer(req, res), res);
    } catch (error) {
      log.error('a request could not be served', { error });
      res.destroy();
    }
  }

  close(): void {
    this.#sessions.close();
    for (const connected of this.#single) connected.close();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<Response> {
    const fault = headFault(req, this.#parts.hosts);
    if (fault !== undefined) return refused(403, fault);
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    const { guard, authenticate } = this.#parts;
    const web = toWebRequest(req, gone.signal, guard.settings.http.body_bytes_max);
    if (!web) return refused(400, 'The request cannot be read');
    const { request } = web;
    const metadata = metadataFor(guard, request);
    if (metadata) return metadata;
    const given = await authenticate(request, web);
    if (given instanceof Response) return given;
    if (!METHODS.has(request.method)) return refused(405, 'Method not allowed', ALLOWED);
    if (!acceptsAnswer(request.method, request.headers)) {
      return refused(406, 'The client must accept application/json and text/event-stream');
    }
    if (request.method === 'POST') {
      return withStepUp(guard, given.authInfo, await this.#post(request, given));
    }
    return this.#resume(request, given, (session) => aside(request, session, this.#sessions));
  }

  async #post(request: Request, given: Given): Promise<Response> {
    const limit = this.#parts.guard.settings.http.body_bytes_max;
    const admitted = await admit(request, given, limit);
    if (admitted instanceof Response) return admitted;
    const { message } = admitted;
    const fault = mirrorFault(message, request.headers);
    if (fault) return turnAway(400, fault);
    if (message.kind === 'request' && eraOf(message) === 'modern') {
      return this.#ask(request, given, admitted);
    }
    if (message.kind === 'request' && message.method === 'initialize') {
      return this.#begin(request, given, admitted);
    }
    return this.#resume(request, given, ({ connected }) =>
      tell(connected, admitted, extraOf(request, given)),
    );
  }

  /** A modern request; its client ends it by going away. */
  #ask(request: Request, given: Given, { message, body }: Admitted): Response | Promise<Response> {
    if (this.#single.size >= this.#parts.guard.settings.requests_in_flight_max) {
      return turnAway(503, failure(undefined, RPC.INTERNAL_ERROR, 'Too many requests'));
    }
    const connected = new Connected(this.#connected, () => undefined, parametersOf(request));
    this.#single.add(connected);
    const end = (): void => {
      this.#single.delete(connected);
      connected.close();
    };
    const reply = new Reply({ left: end, finished: end });
    request.signal.addEventListener('abort', end, { once: true });
    connected.receive(body, message, extraOf(request, given), reply);
    return reply.response;
  }

  #begin(
    request: Request,
    given: Given,
    { message, body }: Admitted,
  ): Response | Promise<Response> {
    const { id } = message as { id: string };
    const principal = this.#principalOf(request, given);
    if (!this.#sessions.makeRoom(({ principal: whose }) => whose === NOBODY)) {
      return turnAway(503, failure(id, RPC.INVALID_REQUEST, 'Too many sessions'));
    }
    const session_id = this.#parts.guard.random.id();
    const connected = new Connected(this.#connected, () => this.#sessions.end(session_id));
    this.#sessions.begin(session_id, { connected, principal });
    const reply = new Reply({
      headers: { 'mcp-session-id': session_id },
      finished: (answer) => {
        if ('error' in answer) this.#sessions.end(session_id);
      },
    });
    connected.receive(body, message, extraOf(request, given), reply);
    return reply.response;
  }

  /** Another principal is told what is told about a session that never was. */
  #resume(
    request: Request,
    given: Given,
    serve: (session: Session) => Response | Promise<Response>,
  ): Response | Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return refused(400, 'Mcp-Session-Id is required');
    const session = this.#sessions.find(id, this.#principalOf(request, given));
    if (session) return serve(session);
    return turnAway(404, failure(undefined, SESSION_NOT_FOUND, 'Session not found'));
  }

  #principalOf(request: Request, { authInfo }: Given): string {
    return principalOf(this.#parts.guard.identity({ authInfo, requestInfo: request }));
  }
}

const METHODS: ReadonlySet<string> = new Set(['POST', 'GET', 'DELETE']);
const ALLOWED = { allow: [...METHODS].join(', ') };

/** A message within a session. */
function tell(
  connected: Connected,
  { message, body }: Admitted,
  extra: object,
): Response | Promise<Response> {
  if (message.kind !== 'request') {
    connected.receive(body, message, { ...extra });
    return new Response(null, { status: 202 });
  }
  // Two open requests under one id would make their answers interchangeable.
  if (connected.awaits(message.id)) return turnAway(400, invalidRequest(message.id, '/id'));
  const reply = new Reply();
  connected.receive(body, message, { ...extra }, reply);
  return reply.response;
}

/** The stream beside the answers of a session, or its end. */
function aside(
  request: Request,
  { connected, id }: Session,
  sessions: Sessions,
): Response | Promise<Response> {
  if (request.method === 'DELETE') {
    sessions.end(id);
    return new Response(null, { status: 200 });
  }
  const reply = new Reply();
  if (connected.listen(reply)) return reply.response;
  return refused(409, 'The session has a stream already');
}

function extraOf(
  request: Request,
  { authInfo }: Given,
): { authInfo: unknown; requestInfo: Request } {
  return { authInfo, requestInfo: request };
}

/** Headers that mirror arguments, which the server compares with the body (MCP 2026-07-28). */
function parametersOf({ headers }: Request): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => name.startsWith('mcp-param-')));
}

function refused(status: number, reason: string, headers: Record<string, string> = {}): Response {
  const response = turnAway(status, failure(undefined, RPC.INVALID_REQUEST, reason));
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}
