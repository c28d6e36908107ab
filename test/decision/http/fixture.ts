/** A connection whose owner calls what goes wrong by its kind, and servers for it. */
import {
  openConnection,
  type HttpConnection,
  type HttpFaults,
  type HttpRequest,
  type HttpSettings,
} from '../../../src/decision/http/connection.ts';
import { PortcullisError } from '../../../src/errors.ts';
import { Servers } from '../foreign/processes.ts';

export const servers = new Servers();

const FAULTS: HttpFaults = {
  unreachable: (reason, cause) =>
    new PortcullisError('BACKEND_UNREACHABLE', `unreachable: ${reason}`, { cause }),
  untrusted: (fault) => new PortcullisError('BACKEND_UNREACHABLE', `untrusted: ${fault}`),
  unproved: (code, cause) =>
    new PortcullisError('BACKEND_UNREACHABLE', `unproved: ${code}`, { cause }),
};

export const GET: HttpRequest = { method: 'GET', path: '/', headers: {}, body: '' };

/** Patient enough that no limit of time is met unless a test sets one. */
export function opened(
  address: HttpSettings['address'],
  settings: Partial<HttpSettings> = {},
): HttpConnection {
  return servers.keep(
    openConnection(
      {
        address,
        timeout_ms: 60_000,
        answer_bytes_max: 1000,
        connections_max: 1,
        ...settings,
      },
      FAULTS,
    ),
  );
}

/** What a request fails with. */
export async function failureOf(run: Promise<unknown>): Promise<PortcullisError> {
  const failed = await run.then(
    () => 'no failure',
    (error: unknown) => error,
  );
  if (failed instanceof PortcullisError) return failed;
  throw new Error('this is no failure of the owner', { cause: failed });
}
