/**
 * Streamable HTTP for a server of either line: one handler that installs every seam which the line
 * needs, so that nothing answers before the guard.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Authenticator } from '../../identity/authenticator.ts';
import type { IdentitySource } from '../../identity/types.ts';
import { failure, RPC } from '../answers.ts';
import type { GuardParts } from '../settings.ts';
import { admit, turnAway, type Admitted } from './http_body.ts';
import { admitCaller, metadataFor, withStepUp } from './http_caller.ts';
import type { Connections } from './connections.ts';
import { sendWebResponse, toWebRequest } from './http_node.ts';
import { dualEndpoint } from './http_dual.ts';
import { Sessions } from './http_sessions.ts';
import { statelessEndpoint } from './http_stateless.ts';
import { handlerEndpoint } from './http_handler.ts';
import type { ListenParts } from './http_listen.ts';
import type { Endpoint, FactoryContext, Given, ServerFactory } from './http_types.ts';
import { detect } from './lines.ts';
import { loadHttpTransport } from './sdk1.ts';
import type { Open } from './server.ts';

export interface HttpOptions {
  /**
   * Proves the caller: from what the host's own authentication found, or from the token of the
   * request, as `fromJwt` verifies it. Else that of the guard.
   */
  identity?: IdentitySource | Authenticator;
  /**
   * Keep a session for each client, bound to who began it: the server can then ask the client. 2.x
   * has them for clients until 2025-11-25 only. Default: a server for each request.
   */
  sessions?: boolean;
  /** 2.x: `createMcpHandler` of the copy of the SDK that builds the servers. */
  createMcpHandler?: unknown;
}

export interface HttpGuard {
  /** For Express and `node:http`; takes `req.auth` as the host's proof of the caller. */
  (req: IncomingMessage, res: ServerResponse): Promise<void>;
  /** For hosts that speak the web's types. */
  fetch(request: Request, given?: Given): Promise<Response>;
  /** Rejects with GUARD_MISUSED where the factory does not build what can be guarded. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

export function guardHttp(
  factory: ServerFactory,
  gate: DoorParts,
  open: Open,
  options: HttpOptions,
): HttpGuard {
  const { parts } = gate;
  const door = new Door(factory, gate, open, options);
  const ready = door.probe();
  ready.catch((error: unknown) => parts.log.error('the endpoint cannot be guarded', { error }));
  // Hosts call it and do not wait: what it would reject with would end their process.
  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    try {
      const gone = new AbortController();
      res.once('close', () => gone.abort());
      const web = toWebRequest(req, gone.signal, parts.settings.http.body_bytes_max);
      await sendWebResponse(web ? await door.fetch(web.request, web) : unreadable(), res);
    } catch (error) {
      parts.log.error('a response could not be sent', { error });
      res.destroy();
    }
  };
  return Object.assign(handle, {
    fetch: (request: Request, given: Given = {}) => door.fetch(request, given),
    ready,
    close: () => door.close(),
  });
}

function unreadable(): Response {
  return turnAway(400, failure(undefined, RPC.INVALID_REQUEST, 'The request cannot be read'));
}

/** What the door needs to know of a guard. */
export interface DoorParts extends ListenParts {
  connections: Connections;
}

class Door {
  readonly #factory: ServerFactory;
  readonly #parts: GuardParts;
  readonly #gate: DoorParts;
  readonly #open: Open;
  readonly #options: HttpOptions;
  #endpoint: Promise<Endpoint> | undefined;

  constructor(factory: ServerFactory, gate: DoorParts, open: Open, options: HttpOptions) {
    this.#factory = factory;
    this.#parts = gate.parts;
    this.#gate = gate;
    this.#open = open;
    this.#options = options;
  }

  /** Builds one server to see its line. A factory that needs a caller is seen with the first. */
  async probe(): Promise<void> {
    const built = await this.#build({ era: 'legacy' }).catch(() => undefined);
    if (built !== undefined) await this.#endpointFor(built);
  }

  /** Never rejects: what cannot be served is answered with an error. */
  async fetch(request: Request, given: Given): Promise<Response> {
    try {
      return metadataFor(this.#parts, request) ?? (await this.#admit(request, given));
    } catch (error) {
      this.#parts.log.error('a request could not be served', { error });
      return turnAway(500, failure(undefined, RPC.INTERNAL_ERROR, 'Internal error'));
    }
  }

  async #admit(request: Request, asked: Given): Promise<Response> {
    const { connections } = this.#gate;
    const given = await connections.serve(asked.connection, () =>
      admitCaller(this.#parts, request, asked),
    );
    if (given instanceof Response) return given;
    const limit = this.#parts.settings.http.body_bytes_max;
    const admitted = request.method === 'POST' ? await admit(request, given, limit) : undefined;
    if (admitted instanceof Response) return admitted;
    const response = await this.#serve(request, given, admitted);
    if (admitted?.message.kind !== 'request') return response;
    return withStepUp(this.#parts, given.authInfo, response);
  }

  async close(): Promise<void> {
    const endpoint = await this.#endpoint?.catch(() => undefined);
    await endpoint?.close();
  }

  /** The body was read, and is handed on as the value that was admitted. */
  async #serve(
    { url, method, headers, signal }: Request,
    { authInfo, connection }: Given,
    admitted: Admitted | undefined,
  ): Promise<Response> {
    const request = new Request(url, { method, headers, signal });
    // A token that was verified here is for this resource, and goes no further.
    if (this.#parts.authenticator) request.headers.delete('authorization');
    const endpoint = await this.#serving(request, authInfo);
    const known = { authInfo, ...(admitted && { parsedBody: admitted.body }) };
    const { connections } = this.#gate;
    return connections.serve(connection, () => endpoint.fetch(request, known, admitted?.message));
  }

  async #serving(requestInfo: Request, authInfo: unknown): Promise<Endpoint> {
    if (this.#endpoint) return this.#endpoint;
    return this.#endpointFor(await this.#build({ era: 'legacy', authInfo, requestInfo }));
  }

  async #build(context: FactoryContext): Promise<object> {
    return this.#factory(context);
  }

  #endpointFor(built: object): Promise<Endpoint> {
    this.#endpoint ??= this.#choose(built);
    return this.#endpoint;
  }

  async #choose(built: object): Promise<Endpoint> {
    const { line, low } = detect(built);
    await low.close();
    const { createMcpHandler, sessions } = this.#options;
    if (line === 2) {
      return sessions
        ? dualEndpoint(this.#factory, this.#open, this.#gate, createMcpHandler)
        : handlerEndpoint(this.#factory, this.#open, this.#gate, createMcpHandler);
    }
    return sessions
      ? new Sessions(this.#factory, this.#open, this.#parts, await loadHttpTransport())
      : statelessEndpoint(this.#factory, this.#open);
  }
}
