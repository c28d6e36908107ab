/**
 * The payments server over Streamable HTTP, guarded: `node http.ts [port] [issuer]`. Without an
 * issuer the host authenticates with the SDK's own bearer check, and the guard takes the subject
 * from what that check proved. With one, the guard verifies the tokens of that issuer itself.
 */
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { fromAuthInfo, fromJwt, guard } from 'portcullis';
import { Ledger } from './ledger.ts';
import { issueTokens } from './people.ts';
import { buildServer } from './server.ts';

const LIFETIME_S = 12 * 60 * 60;
const CLAIMS = { groups: 'groups', actor_type: 'actor_type' };

const [port = '8282', issuer] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}/mcp`;
const ledger = new Ledger();
const build = () => buildServer(ledger);

const app = createMcpExpressApp();
const takes = issuer === undefined ? takeOwnTokens() : takeTokensOf(issuer);
app.listen(Number(port), '127.0.0.1', () => {
  process.stdout.write(`${url} takes ${takes}\n`);
});

function takeTokensOf(named: string): string {
  const settings = { issuer: named, jwks_url: `${named}/jwks`, resource: { url } };
  const identity = fromJwt(settings, CLAIMS);
  // Where tokens come from is told beside the endpoint.
  app.all(['/mcp', identity.resource.metadata_path], guard.http(build, { identity }));
  return `the tokens of ${named}`;
}

function takeOwnTokens(): string {
  const { issued, verifier } = issueTokens(LIFETIME_S);
  const identity = fromAuthInfo(CLAIMS);
  app.all('/mcp', requireBearerAuth({ verifier }), guard.http(build, { identity }));
  const lines = issued.map(({ who, token }) => `${who.sub} by ${who.client_id}: ${token}`);
  return ['these tokens', ...lines].join('\n');
}
