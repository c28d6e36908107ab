/** What the parts of the HTTP guard pass to each other. */
import type { ConnectionFacts } from '../../identity/types.ts';
import type { Message } from '../message.ts';

/** What a factory may know; 1.x factories ignore it. */
export interface FactoryContext {
  era: 'legacy' | 'modern';
  authInfo?: unknown;
  requestInfo?: Request;
}

/** Builds a server for a session or for one request; never the same one twice. */
export type ServerFactory = (context: FactoryContext) => object | Promise<object>;

/** What comes with a request. */
export interface Given {
  authInfo?: unknown;
  /** The body as the host parsed it. */
  parsedBody?: unknown;
  /** The bytes of the body where the request does not hold them. */
  source?: AsyncIterable<Uint8Array> | undefined;
  /** Of the socket that it came by, as `connectionFactsOf` reads them. */
  connection?: ConnectionFacts | undefined;
}

/** Serves admitted requests of one line. */
export interface Endpoint {
  fetch(request: Request, given: Given, message: Message | undefined): Promise<Response>;
  close(): Promise<void>;
}
