/** 2.x with sessions: clients of the legacy era have one, modern requests go to the entry. */
import { handlerEndpoint } from './http_handler.ts';
import type { ListenParts } from './http_listen.ts';
import { Sessions } from './http_sessions.ts';
import type { Endpoint, ServerFactory } from './http_types.ts';
import { loadSdk2 } from './sdk2.ts';
import type { Open } from './server.ts';

export async function dualEndpoint(
  factory: ServerFactory,
  open: Open,
  gate: ListenParts,
  given_entry: unknown,
): Promise<Endpoint> {
  const { isLegacyRequest, WebStandardStreamableHTTPServerTransport } = await loadSdk2();
  const modern = await handlerEndpoint(factory, open, gate, given_entry, { legacy: 'reject' });
  const legacy = new Sessions(factory, open, gate.parts, WebStandardStreamableHTTPServerTransport);
  return {
    async fetch(request, given, message) {
      const is_legacy = await isLegacyRequest(request, given.parsedBody);
      return (is_legacy ? legacy : modern).fetch(request, given, message);
    },
    async close() {
      await legacy.close();
      await modern.close();
    },
  };
}
