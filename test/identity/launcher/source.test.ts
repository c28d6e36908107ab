import { describe, expect, test } from '@jest/globals';
import { fromLauncher, type LauncherSettings } from '../../../src/identity/launcher/source.ts';
import { fromOsUser } from '../../../src/identity/os_user/source.ts';
import type { IdentitySource } from '../../../src/identity/types.ts';
import { authInfoOf, describeSource } from '../shared_suite.ts';

const SETTINGS: LauncherSettings = {
  subject: {
    id: 'user:alice@example.com',
    actor_type: 'human',
    groups: ['tellers'],
    tenant: null,
  },
  agent: { id: 'planner' },
  surface: 'ide',
  environment: { deployment: 'production', risk: null },
};
const alice = fromOsUser({ userInfo: () => ({ username: 'alice' }), hostname: () => 'laptop' });
const ON_HTTP = 'a local source proves nobody on HTTP';
const nobody: IdentitySource = () => undefined;

describeSource('launcher', {
  source: fromLauncher(SETTINGS),
  proved: [
    {
      what: 'the configured subject and place',
      extra: {},
      context: {
        subject: {
          type: 'identity',
          id: 'user:alice@example.com',
          properties: {
            actor_type: 'human',
            groups: ['tellers'],
            evidence: [{ source: 'launcher', claims: ['id', 'actor_type', 'groups'] }],
          },
        },
        agent: { id: 'planner', verified: true },
        surface: 'ide',
        environment: { deployment: 'production' },
      },
    },
  ],
  unproved: [
    {
      what: 'a request with credentials of HTTP',
      extra: { authInfo: authInfoOf({ sub: 'bob' }) },
      reason: ON_HTTP,
    },
    {
      what: 'a request over HTTP without credentials',
      extra: { requestInfo: { headers: {} } },
      reason: ON_HTTP,
    },
    {
      what: 'a local user whom the system does not name',
      source: fromLauncher({ subject: { id: null } }, nobody),
      extra: {},
      reason: 'the operating system names no local user',
    },
  ],
});

describe('without an id', () => {
  test('the local user acts, with the attributes that only the configuration states', () => {
    const subject = { id: null, actor_type: 'human' as const, groups: ['staff'] };
    expect(fromLauncher({ subject, agent: { id: null } }, alice)({})).toEqual({
      subject: {
        type: 'identity',
        id: 'os:alice@laptop',
        properties: {
          actor_type: 'human',
          groups: ['staff'],
          evidence: [
            { source: 'os_user', claims: ['username', 'hostname'] },
            { source: 'launcher', claims: ['actor_type', 'groups'] },
          ],
        },
      },
    });
  });

  test('nothing is guessed: no actor type, no groups, no agent, no place', () => {
    expect(fromLauncher({ subject: {} }, alice)({})).toEqual({
      subject: {
        type: 'identity',
        id: 'os:alice@laptop',
        properties: { evidence: [{ source: 'os_user', claims: ['username', 'hostname'] }] },
      },
    });
  });
});

test('settings that change afterwards change nothing', () => {
  const settings = structuredClone(SETTINGS);
  const source = fromLauncher(settings);
  settings.subject.groups?.push('administrators');
  expect(source({})?.subject.properties?.groups).toEqual(['tellers']);
});

test.each<[string, object, string]>([
  ['an empty id', { subject: { id: '' } }, '/subject/id'],
  ['an id of another type', { subject: { id: 7 } }, '/subject/id'],
  ['an unknown actor type', { subject: { actor_type: 'robot' } }, '/subject/properties/actor_type'],
  ['groups as text', { subject: { groups: 'tellers' } }, '/subject/properties/groups'],
  ['an unknown attribute', { subject: { admin: true } }, '/subject/properties/admin'],
  ['an empty agent', { subject: {}, agent: { id: '' } }, '/context/agent/id'],
  [
    'an unknown place',
    { subject: {}, environment: { planet: 'x' } },
    '/context/environment/planet',
  ],
])('%s is refused at the start', (_what, settings, pointer) => {
  expect(() => fromLauncher(settings as LauncherSettings)).toThrow(
    expect.objectContaining({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining(`\`${pointer}\``),
    }),
  );
});
