import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fromAuthInfo } from '../../../src/identity/auth_info/source.ts';
import type { AuthInfoMapping } from '../../../src/identity/auth_info/mapping.ts';
import { CANARY, authInfoOf, describeSource } from '../shared_suite.ts';

const NOW_S = 1_763_000_000;
const clock = { now_ms: () => NOW_S * 1000 };
const MAPPING: AuthInfoMapping = {
  groups: 'groups',
  tenant: 'org',
  actor_type: '/realm/actor_type',
};
const source = fromAuthInfo(MAPPING, clock);
const CLAIMS = { sub: 'alice@example.com', org: 'bank' };
const AGENT = { id: 'cid-1', verified: true };

/** The claims with others beside or instead; undefined takes one away. */
function extraOf(claims: object, members: object = {}) {
  return { authInfo: authInfoOf({ ...CLAIMS, ...claims }, members) };
}

function actChain(depth: number): object {
  return depth === 1 ? { sub: 'agent-1' } : { sub: `agent-${depth}`, act: actChain(depth - 1) };
}

describeSource('auth_info', {
  source,
  proved: [
    {
      what: 'the least that a token can say',
      extra: extraOf({}),
      context: {
        subject: {
          type: 'identity',
          id: 'user:alice@example.com',
          properties: {
            tenant: 'bank',
            evidence: [{ source: 'auth_info', claims: ['sub', 'org'] }],
          },
        },
        agent: AGENT,
      },
    },
    {
      what: 'everything that a token can say',
      extra: extraOf(
        {
          iss: 'https://login.example.com',
          groups: ['tellers', 'staff'],
          realm: { actor_type: 'human' },
          acr: 'urn:mace:incommon:iap:silver',
          amr: ['pwd', 'otp'],
          auth_time: NOW_S - 60,
          exp: NOW_S + 300,
          client_id: 'cid-1',
          azp: 'cid-1',
          act: { sub: 'planner', iss: 'https://login.example.com', act: { sub: 'runner' } },
        },
        { expiresAt: NOW_S + 300 },
      ),
      context: {
        subject: {
          type: 'identity',
          id: 'user:alice@example.com',
          properties: {
            actor_type: 'human',
            groups: ['tellers', 'staff'],
            tenant: 'bank',
            assurance: {
              acr: 'urn:mace:incommon:iap:silver',
              amr: ['pwd', 'otp'],
              authenticated_at: '2025-11-13T02:12:20.000Z',
            },
            delegation: [{ id: 'planner' }, { id: 'runner' }],
            evidence: [
              {
                source: 'auth_info',
                issuer: 'https://login.example.com',
                claims: [
                  'sub',
                  'groups',
                  'org',
                  '/realm/actor_type',
                  'acr',
                  'amr',
                  'auth_time',
                  'act',
                ],
              },
            ],
          },
        },
        agent: AGENT,
        session: { state: 'active', expires_at: '2025-11-13T02:18:20.000Z' },
      },
    },
  ],
  unproved: [
    ...[
      ['no subject', { sub: undefined }, 'the claim `sub` is absent'],
      ['an empty subject', { sub: '' }, 'the claim `sub` is no name'],
      ['a null subject', { sub: null }, 'the claim `sub` is no name'],
      ['a subject that is a number', { sub: 7 }, 'the claim `sub` is no name'],
      ['a subject with a line break', { sub: `a\n${CANARY}` }, 'the claim `sub` is no name'],
      ['a subject with half a character', { sub: 'a\ud800' }, 'the claim `sub` is no name'],
      [
        'a subject beyond all limits',
        { sub: CANARY.repeat(60) },
        'the identity breaks its schema at `/subject/id` (maxLength)',
      ],
      ['no tenant', { org: undefined }, 'the tenant is absent'],
      ['a tenant that is a list', { org: ['bank'] }, 'the claim `org` is no name'],
      ['groups that are an object', { groups: {} }, 'the claim `groups` is no list of names'],
      ['groups that are null', { groups: null }, 'the claim `groups` is no list of names'],
      ['a group that is a number', { groups: ['a', 7] }, 'the claim `groups` is no list of names'],
      ['a group without a name', { groups: [''] }, 'the claim `groups` is no list of names'],
      [
        'groups in the ten-thousands',
        { groups: Array.from({ length: 20_001 }, (_, i) => `g${i}`) },
        'the identity breaks its schema at `/subject/properties/groups` (maxItems)',
      ],
      [
        'a group beyond all limits',
        { groups: ['g'.repeat(257)] },
        'the identity breaks its schema at `/subject/properties/groups/0` (maxLength)',
      ],
      [
        'two actor types',
        { realm: { actor_type: ['human'] } },
        'the claim `/realm/actor_type` is no name',
      ],
      ['an assurance that is a number', { acr: 2 }, 'the claim `acr` is no name'],
      ['methods that are an object', { amr: { pwd: 1 } }, 'the claim `amr` is no list of names'],
      [
        'a login in the future',
        { auth_time: NOW_S + 61 },
        'the claim `auth_time` lies in the future',
      ],
      ['a login that is text', { auth_time: '1763000000' }, 'the claim `auth_time` is no time'],
      ['a login that is no number', { auth_time: Number.NaN }, 'the claim `auth_time` is no time'],
      ['an issuer that is an object', { iss: {} }, 'the claim `iss` is no name'],
      ['an actor that is text', { act: 'planner' }, 'the claim `act` is no object'],
      ['an actor without a name', { act: { client_id: 'x' } }, 'the claim `act` names no subject'],
      ['an actor with a number for a name', { act: { sub: 7 } }, 'the claim `sub` is no name'],
      [
        'an actor of another issuer',
        { iss: 'https://a.example', act: { sub: 'planner', iss: 'https://b.example' } },
        'the claim `act` names another issuer',
      ],
      ['nine actors', { act: actChain(9) }, 'the claim `act` is too deep'],
      [
        'another client in the claims',
        { client_id: CANARY },
        'the claim `client_id` contradicts what the host says',
      ],
      [
        'another authorized party',
        { azp: CANARY },
        'the claim `azp` contradicts what the host says',
      ],
      [
        'a reserved name for a subject',
        { sub: undefined, ['__proto__']: { sub: CANARY } },
        'the claim `sub` is absent',
      ],
    ].map(([what, claims, reason]) => ({
      what: what as string,
      extra: extraOf(claims as object),
      reason: reason as string,
    })),
    {
      what: 'an expiry that contradicts the claims',
      extra: extraOf({ exp: NOW_S + 9 }, { expiresAt: NOW_S + 300 }),
      reason: 'the claim `exp` contradicts what the host says',
    },
    ...[-1, Number.NaN, Infinity, 1e15, '2030', null].map((expiresAt) => ({
      what: `an expiry of ${String(expiresAt)}`,
      extra: extraOf({}, { expiresAt }),
      reason: 'the claim `expiresAt` is no time',
    })),
    {
      what: 'no client',
      extra: extraOf({}, { clientId: undefined }),
      reason: '`clientId` is absent',
    },
    {
      what: 'an empty client',
      extra: extraOf({}, { clientId: '' }),
      reason: 'the claim `clientId` is no name',
    },
    {
      what: 'claims that are a list',
      extra: extraOf({}, { extra: [CLAIMS] }),
      reason: '`extra` is no object',
    },
    {
      what: 'no claims',
      extra: extraOf({}, { extra: undefined }),
      reason: 'the claim `sub` is absent',
    },
    { what: 'no authentication', extra: {}, reason: 'the host authenticated nobody' },
    {
      what: 'headers alone',
      extra: { requestInfo: { headers: { authorization: `Bearer ${CANARY}` } } },
      reason: 'the host authenticated nobody',
    },
  ],
});

describe('the session', () => {
  test.each([
    [NOW_S + 1, 'active'],
    [NOW_S, 'expired'],
    [NOW_S - 1, 'expired'],
    [0, 'expired'],
  ])('that ends at %d is %s', (expiresAt, state) => {
    expect(source(extraOf({}, { expiresAt }))?.session?.state).toBe(state);
  });

  test('ends as the claims say where the host is silent', () => {
    expect(source(extraOf({ exp: NOW_S - 1 }))?.session?.state).toBe('expired');
  });
});

test('a login within the tolerance of two clocks is taken', () => {
  const assurance = source(extraOf({ auth_time: NOW_S + 60 }))?.subject.properties?.assurance;
  expect(assurance).toEqual({ authenticated_at: '2025-11-13T02:14:20.000Z' });
});

test('eight actors are taken, the one that acts now first', () => {
  const delegation = source(extraOf({ act: actChain(8) }))?.subject.properties?.delegation;
  expect(delegation?.map(({ id }) => id)).toEqual(
    [8, 7, 6, 5, 4, 3, 2, 1].map((link) => `agent-${link}`),
  );
});

test('the token comes out nowhere', () => {
  const told: string[] = [];
  const seen = [extraOf({}), extraOf({ sub: 1 })].map((extra) =>
    source(extra, (reason) => told.push(reason)),
  );
  expect(JSON.stringify([seen, told])).not.toContain(CANARY);
});

test('whatever claims say, nothing is thrown, and what is proved names the mapped subject', () => {
  const names = ['sub', 'org', 'groups', 'realm', 'acr', 'amr', 'auth_time', 'iss', 'act', 'exp'];
  const claims = fc.dictionary(fc.constantFrom(...names, '__proto__', 'azp'), fc.anything());
  fc.assert(
    fc.property(claims, fc.anything(), (wild, expiresAt) => {
      const { sub } = { ...CLAIMS, ...wild } as { sub?: unknown };
      const id = source(extraOf(wild, { expiresAt }))?.subject.id;
      expect([undefined, typeof sub === 'string' ? `user:${sub}` : undefined]).toContain(id);
    }),
    { numRuns: 1000 },
  );
});
