/** Tokens that are bound to a key are worth nothing to whoever only saw them. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ConnectionFacts } from '../../../src/identity/types.ts';
import type { ProofOfPossession } from '../../../src/identity/jwt/proof_of_possession.ts';
import { CANARY } from '../shared_suite.ts';
import { closeAll, codeOf, mint, newKey, overFile } from './support.ts';

const key = await newKey('ES256', 'k1');
afterEach(closeAll);

const MINE = 'A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0';
const bound = (cnf: unknown) => mint(key, { cnf });

function over(thumbprint: string): { connection: ConnectionFacts } {
  const names = { uris: [], dns_names: [], emails: [] };
  const times = { valid_from_ms: 0, valid_to_ms: 1 };
  return { connection: { peer_certificate: { thumbprint, subject: 'CN=x', ...names, ...times } } };
}

test('a token that is bound to the certificate of the connection is taken', async () => {
  const { ask } = overFile([key.jwk]);
  expect(codeOf(await ask(await bound({ 'x5t#S256': MINE }), over(MINE)))).toBe('taken');
});

test.each<[string, unknown, object, string]>([
  ['another certificate', { 'x5t#S256': MINE }, over('x'), 'BINDING_UNPROVED'],
  ['no certificate', { 'x5t#S256': MINE }, {}, 'BINDING_UNPROVED'],
  ['no TLS', { 'x5t#S256': MINE }, { connection: {} }, 'BINDING_UNPROVED'],
  ['a thumbprint that is a list', { 'x5t#S256': [MINE] }, over(MINE), 'BINDING_UNPROVED'],
  ['a key for which no proof is installed', { jkt: MINE }, over(MINE), 'BINDING_UNKNOWN'],
  ['a further key', { 'x5t#S256': MINE, jkt: MINE }, over(MINE), 'BINDING_UNKNOWN'],
  ['an unknown binding', { fido: MINE }, over(MINE), 'BINDING_UNKNOWN'],
  ['an empty binding', {}, over(MINE), 'BINDING_UNKNOWN'],
  ['a binding that is null', null, over(MINE), 'CLAIM_MALFORMED'],
  ['a binding that is a list', [{ 'x5t#S256': MINE }], over(MINE), 'CLAIM_MALFORMED'],
])('a bound token with %s is refused', async (_what, cnf, rest, code) => {
  const { ask } = overFile([key.jwk]);
  expect(await ask(await bound(cnf), rest)).toMatchObject({ status: 401, code });
});

test('a certificate that is told in a header proves nothing', async () => {
  const { ask } = overFile([key.jwk]);
  const headers = new Headers({ 'x-forwarded-client-cert': MINE, 'client-cert': `:${MINE}:` });
  const request = { method: 'POST', url: 'https://mcp.example.com/mcp', headers };
  const found = await ask(await bound({ 'x5t#S256': MINE }), { request });
  expect(codeOf(found)).toBe('BINDING_UNPROVED');
});

test('where each token must be bound, one that is not is refused', async () => {
  const { ask } = overFile([key.jwk], { claims_required: ['cnf'] });
  expect(codeOf(await ask(await mint(key), over(MINE)))).toBe('CLAIM_ABSENT');
  expect(codeOf(await ask(await bound({ 'x5t#S256': MINE }), over(MINE)))).toBe('taken');
});

describe('a proof that is installed', () => {
  const seen: unknown[] = [];
  const proof = (answer: () => string | undefined): ProofOfPossession => ({
    member: 'jkt',
    check(confirmation, credential, token) {
      seen.push([confirmation, credential.request?.url, token.split('.').length]);
      return Promise.resolve(answer());
    },
  });

  test.each<[string, () => string | undefined, string]>([
    ['proves', () => undefined, 'taken'],
    ['objects', () => 'the proof is of another request', 'BINDING_UNPROVED'],
    [
      'fails',
      () => {
        throw new Error(CANARY);
      },
      'AUTHENTICATION_FAILED',
    ],
  ])('is asked, and %s', async (_what, answer, code) => {
    const { ask } = overFile([key.jwk], { proofs: [proof(answer)] });
    const url = 'https://mcp.example.com/mcp';
    const found = await ask(await bound({ jkt: MINE }), { request: { url } });
    expect(codeOf(found)).toBe(code);
    expect(seen.pop()).toEqual([MINE, url, 3]);
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });
});
