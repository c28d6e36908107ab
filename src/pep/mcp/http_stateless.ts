/** A server of 1.x for each request: nothing is shared between callers. */
import { failure, RPC } from '../answers.ts';
import { turnAway } from './http_body.ts';
import type { Endpoint, Given, ServerFactory } from './http_types.ts';
import { detect } from './lines.ts';
import { loadHttpTransport, type HttpTransportClass } from './sdk1.ts';
import { guardServer, type Open } from './server.ts';

export async function statelessEndpoint(factory: ServerFactory, open: Open): Promise<Endpoint> {
  const HttpTransport = await loadHttpTransport();
  return {
    async fetch(request: Request, given: Given): Promise<Response> {
      if (request.method !== 'POST') return methodNotAllowed();
      const context = { era: 'legacy', authInfo: given.authInfo, requestInfo: request } as const;
      return serveOnce(await factory(context), open, HttpTransport, request, given);
    },
    async close() {},
  };
}

/** Serves one request of the legacy era with a server that no other request has. */
export async function serveOnce(
  server: object,
  open: Open,
  HttpTransport: HttpTransportClass,
  request: Request,
  given: Given,
): Promise<Response> {
  const { low } = detect(guardServer(server, open, 'http'));
  const transport = new HttpTransport({ sessionIdGenerator: undefined });
  await low.connect(transport);
  try {
    return closingAfter(await transport.handleRequest(request, given), () => low.close());
  } catch (error) {
    await low.close();
    throw error;
  }
}

function methodNotAllowed(): Response {
  const body = failure(undefined, RPC.INVALID_REQUEST, 'Method not allowed');
  const response = turnAway(405, body);
  response.headers.set('Allow', 'POST');
  return response;
}

/** Calls `close` once the body was read to its end, or nobody reads it any more. */
function closingAfter(response: Response, close: () => Promise<void>): Response {
  const end = () => {
    close().catch(() => undefined);
  };
  if (response.body === null) {
    end();
    return response;
  }
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      controller.close();
      end();
    },
    async cancel(reason) {
      end();
      await reader.cancel(reason);
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}
