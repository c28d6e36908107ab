/** Official clients of both lines, who find the authorization server by what the guard tells. */
import {
  Client as Client2,
  ClientCredentialsProvider as Credentials2,
  StreamableHTTPClientTransport as Http2,
} from '@modelcontextprotocol/client';
import { ClientCredentialsProvider as Credentials1 } from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterEach, describe, expect, test } from '@jest/globals';
import { CLIENT_ID, closeAll, guardedByTokens, type OauthRig } from '../support/oauth.ts';
import { LINES } from '../support/servers.ts';

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await closeAll();
});

type AnyClient = Pick<Client2, 'listTools' | 'callTool' | 'close'>;

const CLIENTS: Record<string, (rig: OauthRig) => Promise<AnyClient>> = {
  'of 1.x': async ({ url, issuer }) => {
    const client = new Client1({ name: 'c', version: '1' });
    // It asks for the scopes that it was configured with, whatever a challenge says (1.32).
    const authProvider = new Credentials1({ ...credentials(issuer.issuer), scope: 'payments' });
    await client.connect(new Http1(new URL(url), { authProvider }));
    return client as unknown as AnyClient;
  },
  'of 2.x, legacy': (rig) => client2(rig, 'legacy'),
  'of 2.x, modern': (rig) => client2(rig, { pin: '2026-07-28' }),
};

const credentials = (expectedIssuer: string) => ({
  clientId: CLIENT_ID,
  clientSecret: `secret-${CLIENT_ID}`,
  expectedIssuer,
});

async function client2(
  { url, issuer }: OauthRig,
  mode: 'legacy' | { pin: string },
): Promise<AnyClient> {
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  const authProvider = new Credentials2(credentials(issuer.issuer));
  await client.connect(new Http2(new URL(url), { authProvider }));
  return client;
}

const ROWS = LINES.flatMap((line) =>
  Object.keys(CLIENTS)
    .filter((name) => line === 2 || !name.endsWith('modern'))
    .flatMap((name) => [false, true].map((sessions) => ({ line, name, sessions }))),
);

describe.each(ROWS)('a client $name before a server of $line.x, sessions $sessions', (row) => {
  const begin = async () => {
    const rig = await guardedByTokens(row.line, { sessions: row.sessions });
    const client = await (CLIENTS[row.name] as (typeof CLIENTS)[string])(rig);
    opened.push(client);
    return { rig, client };
  };

  test('finds the issuer by the challenge, and has what policy allows', async () => {
    const { rig, client } = await begin();
    const asked = rig.heard.map(({ method, url }) => `${method} ${url}`);
    expect(asked.slice(0, 2)).toEqual([
      'POST /mcp',
      'GET /.well-known/oauth-protected-resource/mcp',
    ]);
    expect((await client.listTools()).tools.map(({ name }) => name)).not.toContain('secret');
    expect(await client.callTool({ name: 'balance', arguments: {} })).toMatchObject({
      structuredContent: { amount: 12 },
    });
    const [{ subject, context } = {}] = rig.parts.decisionPoint.decisions;
    expect(subject?.id).toBe(`user:${CLIENT_ID}`);
    expect(subject?.properties?.evidence).toEqual([
      { source: 'jwt', issuer: rig.issuer.issuer, claims: ['sub'] },
    ]);
    expect(context?.agent).toMatchObject({ id: CLIENT_ID, verified: true });
  });

  test('is told of a hidden tool what is told of one that does not exist', async () => {
    const { rig, client } = await begin();
    const told = async (name: string) =>
      client
        .callTool({ name, arguments: {} })
        .then(JSON.stringify, (error: Error) => error.message)
        .then((text) => text.replaceAll(name, 'it'));
    expect(await told('secret')).toBe(await told('unheard'));
    expect(rig.journal.calls).toEqual([]);
  });

  if (row.name === 'of 1.x') return;

  test('logs in more strongly where policy demands it, and then has its call', async () => {
    const { rig, client } = await begin();
    const call = { name: 'transfer', arguments: { amount: 1, to: 'a-2' } };
    expect(await client.callTool(call)).toMatchObject({ content: [{ text: 'transferred' }] });
    expect(rig.journal.calls.map(({ name }) => name)).toEqual(['transfer']);
    const logins = rig.parts.decisionPoint.decisions.map(
      ({ subject }) => subject.properties?.assurance?.acr,
    );
    expect(logins).toEqual([undefined, 'high']);
  });
});

test.each(LINES)('a user of a 1.x client is sent to log in, server %i.x', async (line) => {
  const rig = await guardedByTokens(line);
  const scopes = ['payments'];
  const access_token = await rig.issuer.token({
    client_id: CLIENT_ID,
    resource: rig.url,
    user: 'alice',
    scopes,
  });
  const sent: URL[] = [];
  const authProvider = {
    redirectUrl: 'http://127.0.0.1:1/back',
    clientMetadata: { redirect_uris: ['http://127.0.0.1:1/back'] },
    clientInformation: () => ({ client_id: CLIENT_ID }),
    tokens: () => ({ access_token, token_type: 'Bearer' }),
    saveTokens: () => undefined,
    redirectToAuthorization: (url: URL) => void sent.push(url),
    saveCodeVerifier: () => undefined,
    codeVerifier: () => '',
  };
  const client = new Client1({ name: 'c', version: '1' });
  opened.push(client);
  await client.connect(new Http1(new URL(rig.url), { authProvider }));
  const call = { name: 'transfer', arguments: { amount: 1, to: 'a-2' } };
  await expect(client.callTool(call)).rejects.toThrow('Unauthorized');
  expect(sent.map(({ origin, searchParams }) => [origin, ...searchParams.getAll('scope')])).toEqual(
    [[rig.issuer.issuer, 'payments payments:high']],
  );
  expect(sent[0]?.searchParams.get('resource')).toBe(rig.url);
  expect(rig.journal.calls).toEqual([]);
});

test('a key that the issuer changed while clients were there is found', async () => {
  const rig = await guardedByTokens(1);
  const client = await (CLIENTS['of 1.x'] as (typeof CLIENTS)[string])(rig);
  opened.push(client);
  await client.callTool({ name: 'balance', arguments: {} });
  rig.issuer.rotate();
  const again = await (CLIENTS['of 1.x'] as (typeof CLIENTS)[string])(rig);
  opened.push(again);
  expect(await again.callTool({ name: 'balance', arguments: {} })).toMatchObject({
    structuredContent: { amount: 12 },
  });
});
