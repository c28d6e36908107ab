/** Tokens of a real authorization server: of a client, of a user, exchanged, and of new keys. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Authenticator } from '../../../src/identity/authenticator.ts';
import { fromJwt } from '../../../src/identity/jwt/authenticator.ts';
import type { TrustedContext } from '../../../src/identity/types.ts';
import {
  startAuthorizationServer,
  type AuthorizationServer,
} from '../../support/authorization_server.ts';

const RESOURCE = 'https://mcp.example.com/mcp';

let issuer: AuthorizationServer;
beforeAll(async () => {
  const clients = ['cid-desk', 'planner', 'runner'];
  issuer = await startAuthorizationServer({ clients, scopes: ['payments'] });
});
afterAll(() => issuer.close());

function verifier(): Authenticator {
  const settings = { issuer: issuer.issuer, jwks_url: issuer.jwks_url, jwks_cooldown_ms: 10 };
  const mapping = { groups: 'groups', actor_type: 'kind', actor_types: ['robot=automation'] };
  return fromJwt({ ...settings, resource: { url: RESOURCE } }, mapping);
}

/** Who it is, or why it is nobody. */
async function whoIs(token: string, own = verifier()): Promise<TrustedContext | string> {
  const found = await own.authenticate({ authorization: `Bearer ${token}` });
  if (!found.ok) return found.code;
  let why = '';
  return own.identity({ authInfo: found.authInfo }, (reason) => (why = reason)) ?? why;
}

const ofAlice = (claims: Record<string, unknown> = {}) =>
  issuer.token({ resource: RESOURCE, user: 'alice', claims });

test('a client that acts for nobody is itself', async () => {
  const token = await issuer.token({ resource: RESOURCE, client_id: 'runner' });
  expect(await whoIs(token)).toMatchObject({
    subject: { id: 'user:runner' },
    agent: { id: 'runner', verified: true },
  });
});

test('a user has the groups and the type that the issuer says', async () => {
  expect(await whoIs(await ofAlice({ groups: ['tellers'], kind: 'robot' }))).toMatchObject({
    subject: { id: 'user:alice', properties: { groups: ['tellers'], actor_type: 'automation' } },
    agent: { id: 'cid-desk', verified: true },
  });
});

test('each exchange puts one more actor before those that acted', async () => {
  const once = { client_id: 'planner', resource: RESOURCE, subject_token: await ofAlice() };
  const first = await issuer.exchange(once);
  const twice = { client_id: 'runner', resource: RESOURCE, subject_token: first };
  expect(await whoIs(await issuer.exchange(twice))).toMatchObject({
    subject: {
      id: 'user:alice',
      properties: { delegation: [{ id: 'runner' }, { id: 'planner' }] },
    },
    agent: { id: 'runner', verified: true },
  });
});

test('one whom the user did not name acts for nobody', async () => {
  const subject_token = await ofAlice({ may_act: { sub: 'planner' } });
  const exchange = (client_id: string) =>
    issuer.exchange({ client_id, resource: RESOURCE, subject_token });
  expect(await whoIs(await exchange('planner'))).toMatchObject({ subject: { id: 'user:alice' } });
  expect(await whoIs(await exchange('runner'))).toBe('the claim `may_act` names another actor');
});

test('a token for another resource of the same issuer is none', async () => {
  const resource = 'https://other.example.com/mcp';
  expect(await whoIs(await issuer.token({ resource, user: 'alice' }))).toBe('AUDIENCE_WRONG');
});

test('keys change while tokens are verified, with and without an overlap', async () => {
  const own = fromJwt({
    issuer: issuer.issuer,
    jwks_url: issuer.jwks_url,
    jwks_cooldown_ms: 10,
    jwks_fresh_seconds_max: 1,
    resource: { url: RESOURCE },
  });
  const before = await ofAlice();
  expect(await whoIs(before, own)).toMatchObject({ subject: { id: 'user:alice' } });
  issuer.rotate({ keep: true });
  await untilTaken(await ofAlice(), own);
  expect(await whoIs(before, own)).toMatchObject({ subject: { id: 'user:alice' } });
  issuer.rotate();
  await untilTaken(await ofAlice(), own);
  expect(await whoIs(before, own)).toBe('KEY_UNKNOWN');
});

/** The keys are asked for at most once in so many milliseconds. */
async function untilTaken(token: string, own: Authenticator): Promise<void> {
  while ((await whoIs(token, own)) === 'KEY_UNKNOWN') {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
