/** The tokens of a real authorization server before a wrapped server, and before the example. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { closeAll, dualEra, serve } from '../gateway/support/http.ts';
import { privateFolder } from '../pdp/fixture.ts';
import {
  CLIENT,
  startAuthorizationServer,
  type AuthorizationServer,
} from '../support/authorization_server.ts';
import { runWith } from './fixture.ts';
import { Host, ROOT, policyOf, wrapArguments } from './wrap_fixture.ts';

/** The client at the desk of the example. */
const DESK = 'cid-teller-desk';

let folder: ReturnType<typeof privateFolder>;
let issuer: AuthorizationServer;
const hosts: Host[] = [];
const children: ChildProcessWithoutNullStreams[] = [];
const clients: Client[] = [];
beforeEach(async () => {
  folder = privateFolder();
  issuer = await startAuthorizationServer({ clients: [CLIENT, DESK] });
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const { process, exited } of hosts.splice(0)) {
    process.kill('SIGKILL');
    await exited;
  }
  for (const child of children.splice(0)) {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
  await issuer.close();
  await closeAll();
  folder.remove();
});

async function connected(url: string, token: string): Promise<Client> {
  const client = new Client({ name: 'c', version: '1' });
  clients.push(client);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

async function toolsOf(client: Client): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name);
}

describe('a wrapper that takes the tokens of an issuer', () => {
  const RESOURCE = 'https://payments.example.com/mcp';
  const settings = (): Record<string, string> => ({
    PORTCULLIS_GUARD_IDENTITY_JWT_ISSUER: issuer.issuer,
    PORTCULLIS_GUARD_IDENTITY_JWT_JWKS_URL: issuer.jwks_url,
    PORTCULLIS_GUARD_IDENTITY_RESOURCE_URL: RESOURCE,
    PORTCULLIS_GUARD_IDENTITY_GROUPS: 'groups',
  });
  const policy = () => {
    const { registry, grants } = policyOf({ balance: {}, transfer: {} }, 'payments');
    const surfaces = { desk: { clients: [CLIENT], risk_max: 'low' } };
    const ofTellers = grants.map((grant) => ({ ...grant, to: { group: 'tellers' } }));
    return { registry, grants: ofTellers, surfaces };
  };
  const start = async () => {
    const upstream = await serve(dualEra());
    const own = wrapArguments(folder.path, policy(), 'payments');
    const argv = [...own, '--upstream', upstream.url, '--listen', '127.0.0.1:0'];
    const host = new Host(argv, settings());
    hosts.push(host);
    const [, url = ''] = /^guards \S+ on (\S+), tokens of \S+$/.exec(await host.line()) ?? [];
    return { url, host, upstream };
  };

  test('serves each caller what policy allows the one whom the token names', async () => {
    const { url, upstream } = await start();
    const token = (user: string, groups: string[]) =>
      issuer.token({ resource: RESOURCE, user, claims: { groups } });
    const alice = await connected(url, await token('alice', ['tellers']));
    const dana = await connected(url, await token('dana', []));
    expect([await toolsOf(alice), await toolsOf(dana)]).toEqual([['balance', 'transfer'], []]);
    expect(await alice.callTool({ name: 'balance' })).toMatchObject({
      structuredContent: { amount: 12 },
    });
    await expect(dana.callTool({ name: 'balance' })).rejects.toThrow('Tool balance not found');
    const sent = upstream.heard.map(({ headers }) => headers.authorization);
    expect(new Set(sent)).toEqual(new Set([undefined]));
  });

  test('tells all others where tokens come from, and the operator why', async () => {
    const { url, host } = await start();
    const metadata = 'https://payments.example.com/.well-known/oauth-protected-resource/mcp';
    const foreign = await issuer.token({ resource: 'https://other.example.com', user: 'alice' });
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${foreign}` },
    });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      401,
      `Bearer error="invalid_token", resource_metadata="${metadata}"`,
    ]);
    const told = await fetch(url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'));
    expect(await told.json()).toMatchObject({ authorization_servers: [issuer.issuer] });
    host.process.kill('SIGTERM');
    await host.exited;
    expect(host.stderr).toContain('AUDIENCE_WRONG');
    expect(host.stderr).not.toContain(foreign.split('.')[2]);
  });

  test('does not start with half of the settings', async () => {
    const { PORTCULLIS_GUARD_IDENTITY_RESOURCE_URL: _url, ...half } = settings();
    const own = wrapArguments(folder.path, policy(), 'payments');
    const argv = [...own, '--upstream', 'http://127.0.0.1:1'];
    const { code, stderr } = await runWith({ ...process.env, ...half }, ...argv);
    expect([code, stderr]).toEqual([2, expect.stringContaining('`guard.identity.resource.url`')]);
  });
});

test('the example serves whom its tokens name, with the policy of the example', async () => {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['--conditions=portcullis-source', 'examples/payments-server/http.ts', port, issuer.issuer],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        PORTCULLIS_STATE: join(folder.path, 'state'),
        PORTCULLIS_GUARD_SERVER: 'payments',
        PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
        PORTCULLIS_DECISION_POINT_EMBEDDED: 'true',
        PORTCULLIS_POLICY_BUNDLE: join(ROOT, 'bundles/payments.tar.gz'),
        PORTCULLIS_LOG_LEVEL: 'error',
      },
    },
  );
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const url = `http://127.0.0.1:${port}/mcp`;
  expect(line).toBe(`${url} takes the tokens of ${issuer.issuer}`);
  const claims = { groups: ['tellers'], actor_type: 'human' };
  const desk = { client_id: DESK, resource: url, user: 'alice@example.com', claims };
  const response = await fetch(url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp'));
  expect(await response.json()).toMatchObject({ resource: url });
  const client = await connected(url, await issuer.token(desk));
  expect(await toolsOf(client)).toContain('balance');
});

/** One that was free just now: the resource of a token names it. */
async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}
