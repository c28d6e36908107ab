/** The HTTP transport of 1.x, loaded only where a server of 1.x is served. */
import type { Transport } from '../transport.ts';
import type { Given } from './http_types.ts';
import { misused } from './lines.ts';

/** `WebStandardStreamableHTTPServerTransport` as far as it is used. */
export interface HttpTransport extends Transport {
  handleRequest(request: Request, given: Given): Promise<Response>;
}

export interface HttpTransportOptions {
  /** Undefined: no sessions. */
  sessionIdGenerator: (() => string) | undefined;
  onsessioninitialized?: (id: string) => void;
}

export type HttpTransportClass = new (options: HttpTransportOptions) => HttpTransport;

export async function loadHttpTransport(): Promise<HttpTransportClass> {
  try {
    const sdk = await import('@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js');
    return sdk.WebStandardStreamableHTTPServerTransport as unknown as HttpTransportClass;
  } catch (cause) {
    throw misused('`@modelcontextprotocol/sdk` cannot be loaded: install it here as well', cause);
  }
}
