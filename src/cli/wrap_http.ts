/** `portcullis wrap --upstream URL`: a server over HTTP that nobody changed, behind a guard. */
import { createServer } from 'node:http';
import type { Configuration } from '../config/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { HttpGateway, type HttpGatewayParts } from '../gateway/http/gateway.ts';
import type { Connection } from '../pep/connection.ts';
import type { Wire } from '../pep/ends.ts';
import { failure, RPC } from '../pep/answers.ts';
import { turnAway } from '../pep/mcp/http_body.ts';
import { admitCaller } from '../pep/mcp/http_caller.ts';
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
  { wrap, guard: { identity } }: Configuration,
  guard: GuardParts,
  variables: Variables,
  open: (parts: GuardParts, wire: Wire) => Connection,
  opened: AsyncDisposableStack,
): Promise<{ url: string; takes: string }> {
  const door = guard.authenticator ? issuerDoor(guard) : tokenDoor(wrap.token_file, guard);
  const hosts = new Set(wrap.hosts.map((host) => host.toLowerCase()));
  const own: GuardParts = { ...guard, identity: door.identity };
  const gateway = new HttpGateway({
    open: (wire) => open(own, wire),
    upstream: {
      url: upstream,
      headers: headersOf(wrap.upstream_headers, variables),
      message_bytes_max: wrap.message_bytes_max,
    },
    guard: own,
    hosts,
    authenticate: door.authenticate,
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
  const takes = guard.authenticator
    ? `tokens of ${identity.jwt.issuer}`
    : `token in ${wrap.token_file}`;
  return { url: `http://${host}:${port}/mcp`, takes };
}

/** Who may come in, and who that is. */
type Door = Pick<HttpGatewayParts, 'authenticate'> & Pick<GuardParts, 'identity'>;

/** Whoever brings a token that the issuer made for this resource is whom it names. */
function issuerDoor(guard: GuardParts): Door {
  return {
    authenticate: (request, given) => admitCaller(guard, request, given),
    identity: guard.identity,
  };
}

/** Whoever holds a token of the file stands where the launcher of a server over stdio does. */
function tokenDoor(file: string, guard: GuardParts): Door {
  ensureTokenFile(file);
  const tokens = watchedTokens(file, CLOCK, guard.log);
  return {
    authenticate(request, given) {
      const authorization = request.headers.get('authorization') ?? undefined;
      const found = findCredential(authorization, tokens.current());
      const isKnown = found !== undefined && found.proof === undefined;
      if (!isKnown && authorization !== undefined) {
        guard.turnedAway?.count('token', 'TOKEN_UNKNOWN');
      }
      return Promise.resolve(isKnown ? { ...given, authInfo: PROVED } : unknownCaller());
    },
    identity: ({ authInfo }, report) =>
      authInfo === PROVED ? guard.identity({}, report) : undefined,
  };
}

function unknownCaller(): Response {
  const body = failure(undefined, RPC.INVALID_REQUEST, 'A bearer token is needed');
  const response = turnAway(401, body);
  response.headers.set('www-authenticate', 'Bearer realm="portcullis"');
  return response;
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
