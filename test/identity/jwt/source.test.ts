/** A verified token as an identity source, from the text of the token to the trusted context. */
import { describe, expect, test } from '@jest/globals';
import type { Authentication } from '../../../src/identity/authenticator.ts';
import { fromJwt } from '../../../src/identity/jwt/authenticator.ts';
import { CANARY, describeSource } from '../shared_suite.ts';
import {
  CLAIMS,
  ISSUER,
  NOW_S,
  RESOURCE,
  authenticator,
  clock,
  mint,
  newKey,
  overFile,
  verifiedOf,
} from './support.ts';

const MAPPING = { groups: 'groups', tenant: 'org', actor_type: 'kind' };
const key = await newKey('ES256', 'k1');
const at = overFile([key.jwk], { token_bytes_max: 1_048_576 }, MAPPING);

/** What a token with these claims becomes for the source. */
async function extraOf(claims: object): Promise<{ authInfo: unknown }> {
  const found: Authentication = await at.ask(await mint(key, { org: 'bank', ...claims }));
  if (!found.ok) throw new Error(found.code);
  return { authInfo: found.authInfo };
}

const PROVED = await extraOf({
  groups: ['tellers'],
  kind: 'human',
  acr: 'high',
  amr: ['otp'],
  auth_time: NOW_S - 60,
  act: { sub: 'planner' },
  scope: 'payments',
  email: CANARY,
});

function actChain(depth: number): object {
  return depth === 1 ? { sub: 'agent-1' } : { sub: `agent-${depth}`, act: actChain(depth - 1) };
}

describeSource('jwt', {
  source: at.own.identity,
  proved: [
    {
      what: 'a user with an agent that acts for her',
      extra: PROVED,
      context: {
        subject: {
          type: 'identity',
          id: 'user:alice@example.com',
          properties: {
            actor_type: 'human',
            groups: ['tellers'],
            tenant: 'bank',
            assurance: {
              acr: 'high',
              amr: ['otp'],
              authenticated_at: '2025-11-13T02:12:20.000Z',
            },
            delegation: [{ id: 'planner' }],
            evidence: [
              {
                source: 'jwt',
                issuer: ISSUER,
                claims: ['sub', 'groups', 'org', 'kind', 'acr', 'amr', 'auth_time', 'act'],
              },
            ],
          },
        },
        agent: { id: 'cid-1', verified: true },
        session: { state: 'active', expires_at: '2025-11-13T02:18:20.000Z' },
      },
    },
  ],
  unproved: [
    ...(await Promise.all(
      [
        ['no tenant', { org: undefined }, 'the tenant is absent'],
        ['a deep chain of actors', { act: actChain(9) }, 'the claim `act` is too deep'],
        [
          'groups in the ten-thousands',
          { groups: Array.from({ length: 20_001 }, (_, i) => `g${i}`) },
          'the identity breaks its schema at `/subject/properties/groups` (maxItems)',
        ],
        [
          'two names of the client',
          { azp: CANARY },
          'the claim `azp` contradicts what the host says',
        ],
      ].map(async ([what, claims, reason]) => ({
        what: what as string,
        extra: await extraOf(claims as object),
        reason: reason as string,
      })),
    )),
    { what: 'a token that nobody verified', extra: {}, reason: 'the host authenticated nobody' },
  ],
});

test('20,000 groups are taken', async () => {
  const groups = Array.from({ length: 20_000 }, (_, i) => `g${i}`);
  const found = at.own.identity(await extraOf({ groups }));
  expect(found?.subject.properties?.groups).toEqual(groups);
});

test('what is handed on of a token is frozen, and new for each request', async () => {
  const token = await mint(key, { org: 'bank' });
  const [one, other] = [await at.ask(token), await at.ask(token)] as { authInfo: object }[];
  expect(one?.authInfo).toEqual(verifiedOf({ ...CLAIMS, org: 'bank' }));
  expect(one?.authInfo).not.toBe(other?.authInfo);
  expect(Object.isFrozen(one?.authInfo)).toBe(true);
});

describe('the settings', () => {
  const jwks_url = 'https://login.example.com/jwks';

  test.each<[string, object, string]>([
    ['an unknown member', { issuers: [ISSUER] }, '/issuers'],
    ['no issuer', { issuer: undefined }, '/issuer'],
    ['an issuer that is no URL', { issuer: 'login' }, '/issuer'],
    ['an issuer without protection', { issuer: 'http://login.example.com' }, '/issuer'],
    ['no resource', { resource: {} }, '/url'],
    ['a resource that is no URL', { resource: { url: 'mcp' } }, '/url'],
    ['a resource with a fragment', { resource: { url: `${RESOURCE}#x` } }, '/url'],
    ['a scope that is none', { resource: { url: RESOURCE, scopes: ['a b'] } }, '/scopes/0'],
    ['a limit that is none', { token_bytes_max: 0 }, '/token_bytes_max'],
    ['types that are one text', { types: 'JWT' }, '/types'],
  ])('with %s are refused at the start', (_what, options, pointer) => {
    expect(() => authenticator({ jwks_url, ...options })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer }),
    );
  });

  test('need no more than an issuer, its keys and a resource', () => {
    const own = fromJwt({ issuer: ISSUER, jwks_url, resource: { url: RESOURCE } }, {}, clock);
    expect(own.resource.metadata()).toEqual({
      resource: RESOURCE,
      authorization_servers: [ISSUER],
      bearer_methods_supported: ['header'],
    });
  });
});
