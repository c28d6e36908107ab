import { expect, test } from '@jest/globals';
import {
  fromServerSession,
  type ServerSession,
} from '../../../src/identity/server_session/source.ts';
import { CANARY, describeSource } from '../shared_suite.ts';

const NOW_MS = Date.UTC(2027, 0, 1, 12);
const clock = { now_ms: () => NOW_MS };
const ALICE = { id: 'user:alice@example.com', actor_type: 'human', groups: ['tellers'] } as const;
const later = new Date(NOW_MS + 1_000);

const STORE: Record<string, ServerSession> = {
  active: { subject: { ...ALICE, groups: ['tellers'] }, state: 'active', expires_at: later },
  endless: { subject: { id: ALICE.id }, state: 'active' },
  over: { subject: { id: ALICE.id }, state: 'active', expires_at: new Date(NOW_MS) },
  ended: { subject: { id: ALICE.id }, state: 'expired', expires_at: later },
  weak: { subject: { id: ALICE.id, tenant: 'acme' }, state: 'step_up', agent: { id: 'cid-1' } },
  nobody: { subject: { id: '' }, state: 'active' },
  broken: { subject: { id: ALICE.id }, state: 'maybe' as 'active' },
  timeless: { subject: { id: ALICE.id }, state: 'active', expires_at: new Date(Number.NaN) },
};

const idOf = (authInfo: unknown): string =>
  typeof authInfo === 'object' && authInfo !== null && Object.hasOwn(authInfo, 'session')
    ? (authInfo as { session: string }).session
    : '';
const source = fromServerSession((authInfo) => STORE[idOf(authInfo)], clock);
const by = (session: string) => ({
  authInfo: { session, token: `${CANARY}-token` },
  requestInfo: {},
});
const properties = {
  evidence: [{ source: 'server_session', claims: ['subject', 'state', 'expires_at'] }],
};
const subjectOf = (more: object = {}) => ({
  type: 'identity' as const,
  id: ALICE.id,
  properties: { ...more, ...properties },
});

describeSource('server_session', {
  source,
  proved: [
    {
      what: 'who an active session is of',
      extra: by('active'),
      context: {
        subject: subjectOf({ actor_type: 'human', groups: ['tellers'] }),
        session: { state: 'active', expires_at: later.toISOString() },
      },
    },
    {
      what: 'one without an end',
      extra: by('endless'),
      context: { subject: subjectOf(), session: { state: 'active' } },
    },
    {
      what: 'an end that has come, whatever the store says',
      extra: by('over'),
      context: {
        subject: subjectOf(),
        session: { state: 'expired', expires_at: '2027-01-01T12:00:00.000Z' },
      },
    },
    {
      what: 'one that was ended before its time',
      extra: by('ended'),
      context: {
        subject: subjectOf(),
        session: { state: 'expired', expires_at: later.toISOString() },
      },
    },
    {
      what: 'one that needs a stronger login, of a client',
      extra: by('weak'),
      context: {
        subject: subjectOf({ tenant: 'acme' }),
        agent: { id: 'cid-1', verified: true },
        session: { state: 'step_up' },
      },
    },
  ],
  unproved: [
    { what: 'no authentication', extra: {}, reason: 'the host authenticated nobody' },
    { what: 'no session', extra: by('unknown'), reason: 'there is no session' },
    { what: 'a session of nobody', extra: by('nobody'), reason: 'the session has no subject' },
    {
      what: 'a state that there is not',
      extra: by('broken'),
      reason: 'the identity breaks its schema at `/context/session/state` (enum)',
    },
    { what: 'an end that is no time', extra: by('timeless'), reason: 'the identity source failed' },
    {
      what: 'a store that fails',
      source: fromServerSession(() => {
        throw new Error(CANARY);
      }),
      extra: by('active'),
      reason: 'the identity source failed',
    },
  ],
});

test('the state is never that of a connection: the lookup is shown none (R17)', () => {
  const shown: unknown[][] = [];
  const watching = fromServerSession((...given) => {
    shown.push(given);
    return STORE['active'];
  }, clock);
  const { authInfo } = by('active');
  const connections = [{}, { socket_path: '/a' }, undefined];
  const found = connections.map((connection, at) =>
    watching({ authInfo, connection, requestInfo: { headers: { 'mcp-session-id': `s-${at}` } } }),
  );
  expect(found).toEqual([found[0], found[0], found[0]]);
  expect(shown).toEqual([[authInfo], [authInfo], [authInfo]]);
});
