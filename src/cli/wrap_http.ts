/** `portcullis wrap --upstream URL`: a server over HTTP that nobody changed, behind a guard. */
import { createServer } from 'node:http';
import type { Configuration } from '../config/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { HttpGateway } from '../gateway/http/gateway.ts';
import type { Connection } from '../pep/connection.ts';
import type { Wire } from '../pep/ends.ts';
import type { GuardParts } from '../pep/settings.ts';
import { findCredential } from '../pdp/authentication.ts';
import { listenTcp, loopbackHosts } from '../pdp/listen.ts';
import { ensureTokenFile, watchedTokens } from '../pdp/token_file.ts';
import { CLOCK } from './ambient.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** What the listener found of a caller, for the identity source. */
const PROVED = Object.freeze({ proved: true });

/** Serves until the stack is disposed of; yields where. Rejects with LISTEN_FAILED. */
export async function serveHttp(
  upstream: string,
  { wrap }: Configuration,
  guard: GuardParts,
  variables: Variables,
  open: (parts: GuardParts, wire: Wire) => Connection,
  opened: AsyncDisposableStack,
): Promise<{ url: string; token_file: string }> {
  ensureTokenFile(wrap.token_file);
  const tokens = watchedTokens(wrap.token_file, CLOCK, guard.log);
  const hosts = new Set(wrap.hosts.map((host) => host.toLowerCase()));
  const own: GuardParts = {
    ...guard,
    // Whoever holds a token stands where the launcher of a server over stdio does.
    identity: ({ authInfo }, report) =>
      authInfo === PROVED ? guard.identity({}, report) : undefined,
  };
  const gateway = new HttpGateway({
    open: (wire) => open(own, wire),
    upstream: {
      url: upstream,
      headers: headersOf(wrap.upstream_headers, variables),
      message_bytes_max: wrap.message_bytes_max,
    },
    guard: own,
    hosts,
    authenticate: (authorization) => {
      const found = findCredential(authorization, tokens.current());
      return found && found.proof === undefined ? PROVED : undefined;
    },
  });
  const server = createServer((req, res) => void gateway.handle(req, res));
  opened.defer(async () => {
    gateway.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const port = await listenTcp(server, wrap.listen);
  for (const host of loopbackHosts(port)) hosts.add(host);
  const [host] = /^.*(?=:)/.exec(wrap.listen) ?? [''];
  return { url: `http://${host}:${port}/mcp`, token_file: wrap.token_file };
}

/** What the protocol itself says in headers, and what belongs to a connection. */
const OWN = /^(accept|connection|content-.*|cookie|host|last-event-id|mcp-.*|transfer-encoding)$/i;

function headersOf(named: readonly string[], variables: Variables): Record<string, string> {
  return Object.fromEntries(
    named.map((each) => {
      const [name = '', variable = ''] = each.split('=');
      const value = variables[variable];
      if (OWN.test(name)) throw refused(`the header \`${name}\` is the protocol's own`);
      if (value === undefined || value === '' || /[^\x20-\x7e]/.test(value)) {
        throw refused(`the variable \`${variable}\` holds no value of a header`);
      }
      return [name, value];
    }),
  );
}

function refused(message: string): PortcullisError {
  return new PortcullisError('CONFIGURATION_INVALID', message, {
    pointer: '/wrap/upstream_headers',
  });
}
