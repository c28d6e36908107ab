/**
 * The payments server over Streamable HTTP, guarded: `node http.ts [port]`. The host authenticates
 * with the SDK's own bearer check; the guard takes the subject from what that check proved.
 */
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import { createMcpExpressApp } from '@modelcontextprotocol/sdk/server/express.js';
import { fromAuthInfo, guard } from 'portcullis';
import { Ledger } from './ledger.ts';
import { issueTokens } from './people.ts';
import { buildServer } from './server.ts';

const LIFETIME_S = 12 * 60 * 60;

const port = Number(process.argv[2] ?? 8282);
const ledger = new Ledger();
const { issued, verifier } = issueTokens(LIFETIME_S);
const identity = fromAuthInfo({ groups: 'groups', actor_type: 'actor_type' });

const app = createMcpExpressApp();
app.all(
  '/mcp',
  requireBearerAuth({ verifier }),
  guard.http(() => buildServer(ledger), { identity }),
);
app.listen(port, '127.0.0.1', () => {
  const lines = issued.map(({ who, token }) => `${who.sub} by ${who.client_id}: ${token}`);
  process.stdout.write(`http://127.0.0.1:${port}/mcp takes these tokens\n${lines.join('\n')}\n`);
});
