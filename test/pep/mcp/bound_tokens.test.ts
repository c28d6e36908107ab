/** A token that is bound to a certificate, over real TLS: only who holds the key comes in. */
import { once } from 'node:events';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { authority, type Issued } from '../../support/certificates.ts';
import { callOf } from '../support/http.ts';
import { CLIENT_ID, closeAll, guardedByTokens, type OauthRig } from '../support/oauth.ts';
import { LINES } from '../support/servers.ts';

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  await closeAll();
});

const ca = authority();
const own = ca.issue({ hosts: ['127.0.0.1'], usage: 'server' });
const mine = ca.issue({ common_name: 'cid-agent', usage: 'client' });
const other = ca.issue({ common_name: 'cid-other', usage: 'client' });
const stranger = authority('nobody we know').issue({ common_name: 'cid-agent', usage: 'client' });

/** The same guard, at a socket that asks clients for their certificates. */
async function overTls({ handler }: OauthRig): Promise<number> {
  const tls = { key: own.key, cert: own.cert, ca: ca.cert, requestCert: true };
  const server = createServer({ ...tls, rejectUnauthorized: false }, (req, res) => {
    void handler(req, res);
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}

async function call(port: number, token: string, holder?: Issued): Promise<number | undefined> {
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/mcp',
    method: 'POST',
    agent: false,
    ca: ca.cert,
    ...(holder && { key: holder.key, cert: holder.cert }),
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${token}`,
      'x-forwarded-client-cert': mine.cert.replaceAll('\n', ''),
    },
  });
  sent.end(JSON.stringify(callOf('balance')));
  const [response] = (await once(sent, 'response')) as [{ statusCode?: number; resume(): void }];
  response.resume();
  return response.statusCode;
}

test.each(LINES)('a bound token is taken from whoever holds its key, SDK %i.x', async (line) => {
  const rig = await guardedByTokens(line);
  const port = await overTls(rig);
  const tokenOf = ({ thumbprint }: Issued) =>
    rig.issuer.token({
      client_id: CLIENT_ID,
      resource: rig.url,
      scopes: ['payments'],
      user: 'alice',
      claims: { cnf: { 'x5t#S256': thumbprint } },
    });
  const token = await tokenOf(mine);
  expect(await call(port, token, mine)).toBe(200);
  expect(rig.journal.calls).toHaveLength(1);
  expect([await call(port, token, other), await call(port, token)]).toEqual([401, 401]);
  // It proves the key, and nobody vouches for the certificate.
  expect(await call(port, await tokenOf(stranger), stranger)).toBe(401);
  expect(rig.journal.calls).toHaveLength(1);
  const codes = rig.parts.log.lines.map(({ fields }) => fields?.['code']);
  expect(codes).toEqual(['BINDING_UNPROVED', 'BINDING_UNPROVED', 'BINDING_UNPROVED']);
});
