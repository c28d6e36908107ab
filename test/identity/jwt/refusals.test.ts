/** Each kind of token that is not to be believed, with the code that the operator reads. */
import { createHmac, createPublicKey } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { JWK } from 'jose';
import type { REFUSALS } from '../../../src/identity/jwt/refusals.ts';
import { CANARY } from '../shared_suite.ts';
import {
  CLAIMS,
  NOW_S,
  RESOURCE,
  closeAll,
  codeOf,
  mint,
  newKey,
  overFile,
  sign,
  verifiedOf,
} from './support.ts';

const key = await newKey('ES256', 'k1');
const other = await newKey('ES256', 'k1');
const rsa = await newKey('RS256', 'r1');
const next = await newKey('ES256', 'k2');
let at: ReturnType<typeof overFile>;
beforeAll(() => {
  at = overFile([key.jwk, rsa.jwk]);
});
afterAll(closeAll);

const b64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token whose header is ours, and whose signature somebody else's. */
async function forged(header: object, signature?: (signed: string) => string): Promise<string> {
  const [, payload, signed = ''] = (await mint(key)).split('.');
  const head = b64({ typ: 'at+jwt', kid: 'k1', ...header });
  return `${head}.${payload}.${signature?.(`${head}.${payload}`) ?? signed}`;
}

function hmac(secret: string | Buffer): (signed: string) => string {
  return (signed) => createHmac('sha256', secret).update(signed).digest('base64url');
}

const pem = (jwk: JWK): string =>
  createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();

function actChain(depth: number): object {
  return depth === 1 ? { sub: 'a' } : { sub: 'a', act: actChain(depth - 1) };
}

test('a token that the issuer made for this resource is taken, and goes no further', async () => {
  const token = await mint(key, { scope: 'a b' });
  const found = await at.ask(token);
  const extra = { ...CLAIMS, scope: 'a b' };
  expect(found).toEqual({ ok: true, authInfo: verifiedOf(extra, { scopes: ['a', 'b'] }) });
  expect(JSON.stringify(found)).not.toContain(token.split('.')[2]);
});

test.each([
  ['an audience among others', { aud: ['https://other.example.com', RESOURCE] }],
  ['an issue within the tolerance of two clocks', { iat: NOW_S + 60, nbf: NOW_S + 60 }],
  ['a second before its end', { exp: NOW_S + 1 }],
  ['a client that only `azp` names', { client_id: undefined, azp: 'cid-1' }],
])('a token with %s is taken', async (_what, claims) => {
  expect(codeOf(await at.ask(await mint(key, claims)))).toBe('taken');
});

test.each([['application/at+jwt'], ['AT+JWT']])('the type %s is the same type', async (typ) => {
  expect(codeOf(await at.ask(await mint(key, {}, { typ })))).toBe('taken');
});

const BAD: [what: string, token: () => Promise<string>, code: keyof typeof REFUSALS][] = [
  ['expired', () => mint(key, { exp: NOW_S }), 'TOKEN_EXPIRED'],
  ['that never expires', () => mint(key, { exp: undefined }), 'CLAIM_ABSENT'],
  ['not yet valid', () => mint(key, { nbf: NOW_S + 61 }), 'TOKEN_NOT_YET_VALID'],
  ['issued in the future', () => mint(key, { iat: NOW_S + 61 }), 'TOKEN_FROM_FUTURE'],
  ['for another audience', () => mint(key, { aud: 'https://x.example.com' }), 'AUDIENCE_WRONG'],
  ['for a longer audience', () => mint(key, { aud: `${RESOURCE}/` }), 'AUDIENCE_WRONG'],
  ['for no audience', () => mint(key, { aud: undefined }), 'AUDIENCE_WRONG'],
  ['for an empty list of audiences', () => mint(key, { aud: [] }), 'AUDIENCE_WRONG'],
  ['of another issuer', () => mint(key, { iss: 'https://evil.example.com' }), 'ISSUER_WRONG'],
  ['of no issuer', () => mint(key, { iss: undefined }), 'ISSUER_WRONG'],
  ['without its number', () => mint(key, { jti: undefined }), 'CLAIM_ABSENT'],
  ['without its time', () => mint(key, { iat: null }), 'CLAIM_MALFORMED'],
  ['of no client', () => mint(key, { client_id: undefined }), 'CLAIM_ABSENT'],
  ['with `alg: none`', () => forged({ alg: 'none' }, () => ''), 'TOKEN_MALFORMED'],
  ['with `alg: none` and a signature', () => forged({ alg: 'none' }), 'ALGORITHM_REFUSED'],
  ['with `alg: None`', () => forged({ alg: 'None' }), 'ALGORITHM_REFUSED'],
  ['without an algorithm', () => forged({ alg: undefined }), 'ALGORITHM_REFUSED'],
  ['with a list of algorithms', () => forged({ alg: ['ES256'] }), 'ALGORITHM_REFUSED'],
  [
    'signed by an algorithm that is not listed',
    () => forged({ alg: 'ES384' }),
    'ALGORITHM_REFUSED',
  ],
  [
    'signed with the public key as a shared one',
    () => forged({ alg: 'HS256', kid: 'r1' }, hmac(pem(rsa.jwk))),
    'ALGORITHM_REFUSED',
  ],
  [
    'signed with the bytes of the public key',
    () => forged({ alg: 'HS256', kid: 'r1' }, hmac(Buffer.from(rsa.jwk.n ?? '', 'base64url'))),
    'ALGORITHM_REFUSED',
  ],
  ['that names a key of another algorithm', () => forged({ alg: 'RS256' }), 'KEY_UNKNOWN'],
  ['of a key that is not known', () => mint(next), 'KEY_UNKNOWN'],
  ['of a key that has no name', () => mint(key, {}, { kid: 7 }), 'KEY_UNKNOWN'],
  ['signed by another key of that name', () => mint(other), 'SIGNATURE_WRONG'],
  ['without a type', () => mint(key, {}, { typ: undefined }), 'TYPE_REFUSED'],
  ['of another type', () => mint(key, {}, { typ: 'JWT' }), 'TYPE_REFUSED'],
  ['with a type that is a list', () => mint(key, {}, { typ: ['at+jwt'] }), 'TYPE_REFUSED'],
  [
    'that demands an extension',
    () => mint(key, {}, { crit: ['urn:example:must'], 'urn:example:must': 1 }),
    'HEADER_REFUSED',
  ],
  ['that is not encoded', () => mint(key, {}, { crit: ['b64'], b64: true }), 'HEADER_REFUSED'],
  ['larger than the limit', () => mint(key, { note: 'x'.repeat(16_384) }), 'TOKEN_TOO_LARGE'],
  ['with an issuer that is a list', () => mint(key, { iss: [CLAIMS.iss] }), 'CLAIM_MALFORMED'],
  ['with an audience that is an object', () => mint(key, { aud: {} }), 'CLAIM_MALFORMED'],
  ['with an audience that is a number', () => mint(key, { aud: [7] }), 'CLAIM_MALFORMED'],
  ['with an expiry that is text', () => mint(key, { exp: '9999999999' }), 'CLAIM_MALFORMED'],
  ['with an expiry beyond all time', () => mint(key, { exp: 1e300 }), 'CLAIM_MALFORMED'],
  ['with a time that is an object', () => mint(key, { nbf: {} }), 'CLAIM_MALFORMED'],
  ['with a client that is a number', () => mint(key, { client_id: 7 }), 'CLAIM_MALFORMED'],
  ['with scopes that are an object', () => mint(key, { scope: { a: 1 } }), 'CLAIM_MALFORMED'],
  ['with a binding that is text', () => mint(key, { cnf: 'x' }), 'CLAIM_MALFORMED'],
  ['whose claims are a list', () => sign(key, '[]'), 'TOKEN_MALFORMED'],
  ['whose claims are no JSON', () => sign(key, CANARY), 'TOKEN_MALFORMED'],
  ['with a claim twice', () => sign(key, '{"sub":"a","sub":"b"}'), 'TOKEN_MALFORMED'],
  ['with a `__proto__`', () => sign(key, '{"__proto__":{"sub":"a"}}'), 'TOKEN_MALFORMED'],
  ['nested without end', () => mint(key, { act: actChain(100) }), 'TOKEN_MALFORMED'],
  ['that is empty', () => Promise.resolve(''), 'TOKEN_MALFORMED'],
  ['that is no JWT', () => Promise.resolve(CANARY), 'TOKEN_MALFORMED'],
  ['of four parts', async () => `${await mint(key)}.x`, 'TOKEN_MALFORMED'],
  ['that is encrypted', () => Promise.resolve('a.b.c.d.e'), 'TOKEN_MALFORMED'],
  [
    'that came twice',
    async () => `${await mint(key)}, Bearer ${await mint(key)}`,
    'TOKEN_MALFORMED',
  ],
];

describe('a token', () => {
  test.each(BAD)('%s is refused, and the caller is told no more', async (_what, token, code) => {
    const found = await at.ask(await token());
    expect(found).toMatchObject({ ok: false, status: 401, error: 'invalid_token', code });
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });

  test.each([
    ['jwk', (): unknown => other.jwk],
    ['jku', () => 'https://evil.example.com/jwks'],
    ['x5u', () => 'https://evil.example.com/cert'],
    ['x5c', () => ['MIIB']],
  ])('that brings its own key as `%s` is judged by that of the issuer', async (member, value) => {
    const forgery = await mint(other, {}, { [member]: value() });
    expect(codeOf(await at.ask(forgery))).toBe('SIGNATURE_WRONG');
    expect(codeOf(await at.ask(await mint(key, {}, { [member]: value() })))).toBe('taken');
  });

  test.each([
    ['no header', undefined],
    ['an empty header', ''],
    ['another scheme', 'Basic YWxpY2U6eA=='],
    ['no token', 'Bearer'],
  ])('that is absent (%s) is asked for, without an error', async (_what, authorization) => {
    expect(await at.own.authenticate({ authorization })).toMatchObject({
      ok: false,
      status: 401,
      code: 'TOKEN_ABSENT',
    });
    expect(await at.own.authenticate({ authorization })).not.toHaveProperty('error');
  });

  test('is found under the name of the scheme in any case', async () => {
    const authorization = `bearer  ${await mint(key)}`;
    expect(codeOf(await at.own.authenticate({ authorization }))).toBe('taken');
  });
});

test('a token without a name of its key is judged by the only one that suits', async () => {
  expect(codeOf(await at.ask(await mint(key, {}, { kid: undefined })))).toBe('taken');
  const two = overFile([key.jwk, next.jwk]);
  expect(codeOf(await two.ask(await mint(key, {}, { kid: undefined })))).toBe('KEY_UNKNOWN');
});

test('a token without a scope that the resource requires lacks no more than that', async () => {
  const resource = { url: RESOURCE, scopes_required: ['a', 'b'] };
  const strict = overFile([key.jwk], { resource });
  expect(await strict.ask(await mint(key, { scope: 'a' }))).toMatchObject({
    status: 403,
    error: 'insufficient_scope',
    code: 'SCOPE_INSUFFICIENT',
  });
  expect(codeOf(await strict.ask(await mint(key, { scope: 'b c a' })))).toBe('taken');
  expect(codeOf(await strict.ask(await mint(key, { scp: ['a', 'b'] })))).toBe('taken');
});

describe('what the host found of the caller beside the token', () => {
  const agreed = { clientId: 'cid-1', expiresAt: CLAIMS.exp, extra: { sub: CLAIMS.sub } };

  test.each([
    ['the same', agreed],
    ['less', {}],
    ['more', { ...agreed, extra: { nickname: 'al' } }],
  ])('may be %s', async (_what, authInfo) => {
    expect(codeOf(await at.ask(await mint(key), { authInfo }))).toBe('taken');
  });

  test.each([
    ['another client', { ...agreed, clientId: 'cid-2' }],
    ['another end', { ...agreed, expiresAt: 7 }],
    ['another subject', { ...agreed, extra: { sub: CANARY } }],
    ['another issuer', { ...agreed, extra: { iss: CANARY } }],
    ['claims that are text', { ...agreed, extra: CANARY }],
    ['text', CANARY],
    [
      'a trap',
      {
        get extra() {
          throw new Error(CANARY);
        },
      },
    ],
  ])('proves nobody where it is %s', async (_what, authInfo) => {
    const found = await at.ask(await mint(key), { authInfo });
    expect(found).toMatchObject({ status: 401, error: 'invalid_token', code: 'SOURCES_CONFLICT' });
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });
});

test('the settings hold no algorithm with a shared key', () => {
  for (const algorithm of ['HS256', 'none', 'RSA1_5', 'dir']) {
    expect(() => overFile([key.jwk], { algorithms: [algorithm] })).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION_INVALID', pointer: '/algorithms/0' }),
    );
  }
});
