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
    ['an unknown type of actor', { actor_types: ['x=robot'] }, '/actor_types/0'],
    ['a client without a type', { client_actor_types: ['x'] }, '/client_actor_types/0'],
    ['an issuer without a prefix', { issuer_prefixes: ['https://a='] }, '/issuer_prefixes/0'],
  ])('with %s is refused at the start', (_what, mapping, pointer) => {
    expect(() => fromAuthInfo(mapping as AuthInfoMapping)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer }),
    );
  });

  test.each<[string, AuthInfoMapping, object, string | undefined]>([
    ['the value itself', { actor_type: 'kind' }, { kind: 'human' }, 'human'],
    ['a value that is none', { actor_type: 'kind' }, { kind: 'employee' }, undefined],
    ['no claim', { actor_type: 'kind' }, {}, undefined],
    ['a claim that is not mapped', {}, { kind: 'human', actor_type: 'human' }, undefined],
    [
      'a value with a meaning',
      { actor_type: 'kind', actor_types: ['bot=automation', 'employee=human'] },
      { kind: 'employee' },
      'human',
    ],
    [
      'a value without one',
      { actor_type: 'kind', actor_types: ['bot=automation'] },
      { kind: 'human' },
      undefined,
    ],
    [
      'a value that holds the sign',
      { actor_type: 'kind', actor_types: ['a=b=service_account'] },
      { kind: 'a=b' },
      'service_account',
    ],
    ['a client of one type', { client_actor_types: ['cid-1=automation'] }, {}, 'automation'],
    ['another client', { client_actor_types: ['cid-2=automation'] }, {}, undefined],
    [
      'a client and a claim that agree',
      { actor_type: 'kind', client_actor_types: ['cid-1=human'] },
      { kind: 'human' },
      'human',
    ],
  ])('takes the actor type of %s', (_what, mapping, claims, actor_type) => {
    const authInfo = authInfoOf({ sub: 'alice', ...claims });
    const found = fromAuthInfo(mapping)({ authInfo });
    expect(found?.subject.properties?.actor_type).toBe(actor_type);
    expect(found?.subject.id).toBe('user:alice');
  });

  test.each<[string, AuthInfoMapping, object, string]>([
    [
      'a client that is another type than its claim says',
      { actor_type: 'kind', client_actor_types: ['cid-1=automation'] },
      { kind: 'human' },
      'the actor type of the claim contradicts that of the client',
    ],
    [
      'a type that is a list',
      { actor_type: 'kind', actor_types: ['x=human'] },
      { kind: ['x'] },
      'the claim `kind` is no name',
    ],
    [
      'an issuer without a prefix',
      { issuer_prefixes: ['https://a.example=a:'] },
      { iss: 'https://b.example' },
      'the issuer has no prefix',
    ],
    ['no issuer', { issuer_prefixes: ['https://a.example=a:'] }, {}, 'the issuer has no prefix'],
  ])('proves nobody for %s', (_what, mapping, claims, reason) => {
    const told: string[] = [];
    const authInfo = authInfoOf({ sub: 'alice', ...claims });
    expect(fromAuthInfo(mapping)({ authInfo }, (each) => told.push(each))).toBeUndefined();
    expect(told).toEqual([reason]);
  });

  test('gives the subjects of each issuer a prefix of their own', () => {
    const issuer_prefixes = ['https://a.example=staff:', 'https://b.example/x?y=1=partner:'];
    const own = fromAuthInfo({ issuer_prefixes });
    const id = (iss: string) => own({ authInfo: authInfoOf({ sub: 'alice', iss }) })?.subject.id;
    expect(id('https://a.example')).toBe('staff:alice');
    expect(id('https://b.example/x?y=1')).toBe('partner:alice');
  });
});
