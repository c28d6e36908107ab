import { hostname, userInfo } from 'node:os';
import { expect, test } from '@jest/globals';
import { fromOsUser, type OperatingSystem } from '../../../src/identity/os_user/source.ts';
import { describeSource } from '../shared_suite.ts';

const evidence = [{ source: 'os_user', claims: ['username', 'hostname'] }];
const system = (username: unknown, host: unknown = 'laptop') =>
  fromOsUser({ userInfo: () => ({ username }), hostname: () => host } as OperatingSystem);

describeSource('os_user', {
  source: system('alice'),
  proved: [
    {
      what: 'the local user',
      extra: {},
      context: { subject: { type: 'identity', id: 'os:alice@laptop', properties: { evidence } } },
    },
  ],
  unproved: [
    {
      what: 'a request over HTTP',
      extra: { requestInfo: { headers: {} } },
      reason: 'a local source proves nobody on HTTP',
    },
    {
      what: 'a user id without an entry',
      source: fromOsUser({
        userInfo: () => {
          throw new Error('uv_os_get_passwd returned ENOENT');
        },
        hostname: () => 'laptop',
      }),
      extra: {},
      reason: 'the identity source failed',
    },
    ...[
      { what: 'no name', source: system('') },
      { what: 'no host name', source: system('alice', '') },
      { what: 'a name with a line break', source: system('alice\nroot') },
      { what: 'a name that is no text', source: system(0) },
    ].map((each) => ({ ...each, extra: {}, reason: 'the local user or host has no name' })),
    {
      what: 'a name beyond all limits',
      source: system('a'.repeat(600)),
      extra: {},
      reason: 'the identity breaks its schema at `/subject/id` (maxLength)',
    },
  ],
});

test('the system itself names the user of this process', () => {
  expect(fromOsUser()({})?.subject.id).toBe(`os:${userInfo().username}@${hostname()}`);
});
