/** A guarded endpoint on loopback that takes the tokens of a real authorization server. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fromJwt } from '../../../src/identity/jwt/authenticator.ts';
import type { JwtOptions } from '../../../src/identity/jwt/settings.ts';
import type { IdentitySource } from '../../../src/identity/types.ts';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import type { HttpGuard, HttpOptions } from '../../../src/pep/mcp/http.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../support/authorization_server.ts';
import { testParts, type TestParts } from './parts.ts';
import { allow, hide, type Script } from './scripted.ts';
import { buildServer, type Journal, type Line } from './servers.ts';

export const CLIENT_ID = 'cid-agent';
const SCOPES = ['payments', 'payments:high'];

/** `transfer` wants a strong login, and nobody may know of `secret`. */
const SCRIPT: Script = {
  visible: (name) => name !== 'secret',
  decide: ({ resource: { id } }) => {
    if (id === 'secret') return hide();
    const obligations = id === 'transfer' ? [{ type: 'step_up' as const, acr: 'high' }] : [];
    return allow({ obligations });
  },
};

export interface OauthRig {
  url: string;
  parts: TestParts;
  journal: Journal;
  handler: HttpGuard;
  issuer: AuthorizationServer;
  /** The heads that clients sent. */
  heard: IncomingMessage[];
}

const closing: (() => unknown)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

interface RigOptions extends HttpOptions {
  script?: Script;
  jwt?: Partial<JwtOptions>;
  /** Maps what was verified in place of the usual mapping. */
  mapped?: IdentitySource;
  /** What the host lays on a request before the guard. */
  host?: (req: IncomingMessage) => void;
}

/** The scope `payments:high` stands for a strong login. */
export async function guardedByTokens(line: Line, options: RigOptions = {}): Promise<OauthRig> {
  const { script = SCRIPT, jwt, mapped, host, ...http } = options;
  const issuer = await startAuthorizationServer({
    clients: [CLIENT_ID],
    scopes: SCOPES,
    claimsOf: (_client, scopes) => (scopes.includes('payments:high') ? { acr: 'high' } : {}),
  });
  closing.push(() => issuer.close());
  const heard: IncomingMessage[] = [];
  const { url, serve } = await listening(heard);
  const parts = testParts(script);
  const journal: Journal = { calls: [] };
  const verified = fromJwt({
    issuer: issuer.issuer,
    jwks_url: issuer.jwks_url,
    jwks_cooldown_ms: 10,
    resource: {
      url,
      scopes: SCOPES,
      scopes_required: ['payments'],
      step_up_scopes: ['payments:high'],
    },
    ...jwt,
  });
  const identity = mapped ? { ...verified, identity: mapped } : verified;
  const handler = createGuard(parts).http(() => buildServer(line, journal), { identity, ...http });
  closing.push(() => handler.close());
  serve((req, res) => {
    host?.(req);
    void handler(req, res);
  });
  return { url, parts, journal, handler, issuer, heard };
}

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

/** The address is known before what it serves, which names it. */
async function listening(heard: IncomingMessage[]) {
  let handle: Handle = (_req, res) => res.destroy();
  const server = createServer((req, res) => {
    heard.push(req);
    handle(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = server.address() as AddressInfo;
  const serve = (next: Handle): void => {
    handle = next;
  };
  return { url: `http://127.0.0.1:${port}/mcp`, serve };
}
