import { describe, expect, test } from '@jest/globals';
import type { AuthInfoMapping } from '../../../src/identity/auth_info/mapping.ts';
import { fromAuthInfo } from '../../../src/identity/auth_info/source.ts';
import { authInfoOf } from '../shared_suite.ts';

describe('the mapping', () => {
  test.each<[string, AuthInfoMapping, object, object]>([
    ['groups in one text', { groups: 'scope' }, { scope: ' a b  c' }, { groups: ['a', 'b', 'c'] }],
    ['an empty text of groups', { groups: 'scope' }, { scope: '' }, { groups: [] }],
    ['groups that are absent', { groups: 'scope' }, {}, {}],
    [
      'a place in the claims',
      { groups: '/realm_access/roles' },
      { realm_access: { roles: ['x'] } },
      { groups: ['x'] },
    ],
    [
      'a name with a slash',
      { groups: 'https://e.g/groups' },
      { 'https://e.g/groups': ['x'] },
      { groups: ['x'] },
    ],
    ['a name of the prototype', { groups: 'constructor' }, {}, {}],
    ['a place in the prototype', { tenant: null, groups: '/constructor/name' }, {}, {}],
    ['a setting that is null', { groups: null }, { groups: ['x'] }, {}],
  ])('reads %s', (_what, mapping, claims, attributes) => {
    const authInfo = authInfoOf({ sub: 'alice', ...claims });
    const { evidence, ...properties } = fromAuthInfo(mapping)({ authInfo })!.subject.properties!;
    expect(evidence).toHaveLength(1);
    expect(properties).toEqual(attributes);
  });

  test('takes another claim and another prefix for the subject', () => {
    const own = fromAuthInfo({ subject_claim: 'oid', subject_prefix: 'entra:' });
    expect(own({ authInfo: authInfoOf({ oid: '42', sub: 'x' }) })?.subject.id).toBe('entra:42');
  });

  test('takes an address only where it is verified', () => {
    const own = fromAuthInfo({ subject_claim: 'email' });
    const id = (email_verified: unknown) =>
      own({ authInfo: authInfoOf({ email: 'alice@example.com', email_verified }) })?.subject.id;
    expect(id(true)).toBe('user:alice@example.com');
    expect([id(false), id('true'), id(undefined)]).toEqual([undefined, undefined, undefined]);
  });

  test.each<[string, object, string]>([
    ['an unknown member', { role: 'x' }, '/role'],
    ['an empty claim', { groups: '' }, '/groups'],
    ['a broken pointer', { groups: '/a~2' }, '/groups'],
    ['a claim of another type', { tenant: ['x'] }, '/tenant'],
    ['no claim for the subject', { subject_claim: null }, '/subject_claim'],
    ['a prefix that is no prefix', { subject_prefix: 'user' }, '/subject_prefix'],
  ])('with %s is refused at the start', (_what, mapping, pointer) => {
    expect(() => fromAuthInfo(mapping as AuthInfoMapping)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer }),
    );
  });
});
