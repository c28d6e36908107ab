import { expect, test } from '@jest/globals';
import { allOf, anyOf } from '../../../src/identity/combined/source.ts';
import type { IdentitySource, TrustedContext } from '../../../src/identity/types.ts';
import { describeSource } from '../shared_suite.ts';

type Session = NonNullable<TrustedContext['session']>;
type Attributes = NonNullable<TrustedContext['subject']['properties']>;

/** A source that proves this to whoever comes with a connection. */
function says(
  name: string,
  properties: Attributes = {},
  context: Partial<TrustedContext> = {},
  id = 'user:alice',
): IdentitySource {
  return ({ connection }, report) => {
    if (!connection) {
      report?.(`no ${name}`);
      return undefined;
    }
    const evidence = [{ source: name }];
    return {
      subject: { type: 'identity', id, properties: { ...properties, evidence } },
      ...context,
    };
  };
}

const nobody: IdentitySource = (_extra, report) => {
  report?.('no third');
  return undefined;
};
const silent: IdentitySource = () => undefined;
const HERE = { connection: {} };
const BOTH = [{ source: 'one' }, { source: 'two' }];

const one = says('one', { tenant: 'acme', groups: ['a'] }, { agent: { id: 'cid-1' } });
const two = says('two', { tenant: 'acme', actor_type: 'human' }, { surface: 'desk' });
const united: TrustedContext = {
  subject: {
    type: 'identity',
    id: 'user:alice',
    properties: { tenant: 'acme', groups: ['a'], actor_type: 'human', evidence: BOTH },
  },
  agent: { id: 'cid-1' },
  surface: 'desk',
};

const contradicting = (
  [
    ['another subject', {}, {}, 'user:bob', 'subject'],
    ['another tenant', { tenant: 'globex' }, {}, undefined, 'tenant'],
    ['other groups', { groups: ['a', 'admins'] }, {}, undefined, 'groups'],
    ['another agent', {}, { agent: { id: 'cid-2' } }, undefined, 'agent'],
  ] as const
).map(([what, properties, context, id, member]) => ({
  what,
  other: says('two', properties as Attributes, context, id),
  reason: `two sources contradict each other about \`${member}\``,
}));

const cases = (combine: typeof anyOf) => ({
  source: combine(one, two),
  proved: [{ what: 'what both prove, together', extra: HERE, context: united }],
  unproved: [
    { what: 'nobody', extra: {}, reason: 'no one; no two' },
    ...contradicting.map(({ what, other, reason }) => ({
      what,
      source: combine(one, other),
      extra: HERE,
      reason,
    })),
    { what: 'no source', source: combine(), extra: HERE, reason: '' },
    {
      what: 'a source that says nothing',
      source: combine(silent),
      extra: HERE,
      reason: 'a source gave no reason',
    },
  ],
});

describeSource('one', cases(anyOf));
describeSource('two', cases(allOf));

test('any of them is enough for one, all of them must prove for the other', () => {
  const { subject } = one(HERE)!;
  expect(anyOf(nobody, one)(HERE)?.subject).toEqual(subject);
  const told: string[] = [];
  expect(allOf(one, nobody)(HERE, (reason) => told.push(reason))).toBeUndefined();
  expect(told).toEqual(['no third']);
});

test('a third source contradicts what the first two prove together', () => {
  const third = says('three', { actor_type: 'automation' });
  expect(anyOf(one, two, third)(HERE)).toBeUndefined();
});

test.each<[Session | undefined, Session | undefined, Session | undefined]>([
  [undefined, undefined, undefined],
  [{ state: 'active' }, undefined, { state: 'active' }],
  [undefined, { state: 'expired' }, { state: 'expired' }],
  [{ state: 'active' }, { state: 'step_up' }, { state: 'step_up' }],
  [{ state: 'expired' }, { state: 'step_up' }, { state: 'expired' }],
  [
    { state: 'active', expires_at: '2027-01-01T00:00:01Z' },
    { state: 'active', expires_at: '2027-01-01T00:00:00.5Z' },
    { state: 'active', expires_at: '2027-01-01T00:00:00.5Z' },
  ],
  [
    { state: 'active', expires_at: '2027-01-01T00:00:01Z' },
    { state: 'step_up' },
    { state: 'step_up', expires_at: '2027-01-01T00:00:01Z' },
  ],
])('of sessions %j and %j the stricter counts', (first, second, strict) => {
  const sources = [first, second].map((session, at) =>
    says(String(at), {}, session ? { session } : {}),
  );
  expect(anyOf(...sources)(HERE)?.session).toEqual(strict);
});
