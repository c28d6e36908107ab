/** What 2.x serves HTTP with, loaded only where a server of 2.x is served. */
import type { FactoryContext, Given } from './http_types.ts';
import { misused } from './lines.ts';
import type { HttpTransportClass } from './sdk1.ts';

/** `createMcpHandler` as far as it is used. */
export type CreateHandler = (
  factory: (context: FactoryContext) => Promise<object>,
  options?: { legacy?: 'reject' },
) => {
  fetch(request: Request, given: Given): Promise<Response>;
  close(): Promise<void>;
};

interface Sdk2 {
  createMcpHandler: CreateHandler;
  McpServer: new (...args: never[]) => object;
  Server: new (...args: never[]) => object;
  /** Whether the entry would take the request for one of the legacy era. */
  isLegacyRequest(request: Request, parsedBody: unknown): Promise<boolean>;
  WebStandardStreamableHTTPServerTransport: HttpTransportClass;
}

export async function loadSdk2(): Promise<Sdk2> {
  try {
    return (await import('@modelcontextprotocol/server')) as unknown as Sdk2;
  } catch (cause) {
    throw misused('`@modelcontextprotocol/server` cannot be loaded: install it here', cause);
  }
}
