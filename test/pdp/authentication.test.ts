import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import {
  answerProof,
  keysOf,
  PROOF_HEADERS,
  requestProof,
  signedAuthorization,
  type SignedRequest,
} from '../../src/contract/proof.ts';
import { findCredential } from '../../src/pdp/authentication.ts';
import { ALLOWED, recordingCore, send, start, TOKEN, tokenOf, tokensOf } from './fixture.ts';
import type { Started } from './fixture.ts';
import { signedCall, signedHeaders } from './signed_fixture.ts';

const PATH = '/access/v1/evaluation';
const OTHER = 'another-token-0123456789abcdef012345';
const NONCE = '2f9c1c9e-6d0f-4a58-9c27-0b7b7a1c2d3e';
const KEYS = keysOf(TOKEN);
const NOON = '2027-01-01T12:00:00.000Z';
const core = recordingCore();
let service: Started;
beforeAll(async () => {
  const tokens = tokensOf(tokenOf(['search'], 'searcher', OTHER), tokenOf(['decide']));
  service = await start(core, {}, tokens);
});
beforeEach(() => {
  core.asked.length = 0;
});
afterAll(() => service.close());

function signed(changes: Partial<SignedRequest> = {}): SignedRequest {
  return signedCall({ nonce: NONCE, ...changes });
}

function authorizationOf(changes: Partial<SignedRequest>): string {
  return signedAuthorization(tokenOf([]), signed({ time: NOON, ...changes }));
}

test.each([
  ['', 'nothing'],
  [`Bearer ${TOKEN}x`, 'a longer token'],
  [`Bearer ${TOKEN.slice(0, -1)}`, 'a shorter token'],
  ['Bearer', 'no token'],
  [`Basic ${TOKEN}`, 'another scheme'],
  [TOKEN, 'no scheme'],
  [`Portcullis caller.${'A'.repeat(43)}`, 'a wrong signature'],
  [`Portcullis nobody.${requestProof(KEYS, signed())}`, 'a signature of a stranger'],
  [authorizationOf({ body: '{"a":1}' }), 'the signature of another body'],
  [authorizationOf({ target: '/v1/decision' }), 'of another route'],
  [authorizationOf({ nonce: `${NONCE}x` }), 'of another nonce'],
  [authorizationOf({ time: '2027-01-01T12:00:00.001Z' }), 'of another time'],
])('`%s` is refused: %s', async (authorization) => {
  const headers = { ...signedHeaders(signed({ time: NOON })), authorization };
  const sent = await send(service.url, PATH, { body: '{}', headers });
  expect([sent.status, sent.headers['www-authenticate'], sent.body]).toEqual([
    401,
    'Bearer realm="portcullis"',
    { error: { code: 'UNAUTHENTICATED', message: 'a valid bearer token is needed' } },
  ]);
  expect(sent.headers[PROOF_HEADERS.proof]).toBeUndefined();
  expect(core.asked).toEqual([]);
});

test('a token without the scope of the route is refused', async () => {
  const headers = { authorization: `Bearer ${OTHER}` };
  const sent = await send(service.url, PATH, { body: '{}', headers });
  expect([sent.status, sent.body]).toEqual([
    403,
    { error: { code: 'UNAUTHENTICATED', message: 'the caller lacks the scope `decide`' } },
  ]);
  expect(core.asked).toEqual([]);
});

test('public routes take no token, and a wrong one does no harm', async () => {
  for (const authorization of ['', 'Bearer wrong']) {
    const headers = { authorization };
    const sent = await send(service.url, '/health/live', { method: 'GET', headers });
    expect(sent.status).toBe(200);
  }
});

test('a signed request is answered with a proof over it and the answer', async () => {
  const headers = signedHeaders(signed());
  const sent = await send(service.url, PATH, { body: '{}', headers });
  expect([sent.status, sent.body]).toEqual([200, ALLOWED]);
  const answer = { status: 200, body: JSON.stringify(sent.body) };
  expect(sent.headers[PROOF_HEADERS.proof]).toBe(answerProof(KEYS, signed(), answer));
  expect(core.asked[0]?.caller.id).toBe('caller');
});

test('a bearer request with a nonce gets a proof too, a short nonce none', async () => {
  const proofs = await Promise.all(
    [NONCE, 'short', `${NONCE}\u00e9`].map(async (nonce) => {
      const sent = await send(service.url, PATH, {
        body: '{}',
        headers: { [PROOF_HEADERS.nonce]: nonce },
      });
      return sent.headers[PROOF_HEADERS.proof];
    }),
  );
  const answer = { status: 200, body: JSON.stringify(ALLOWED) };
  expect(proofs).toEqual([answerProof(KEYS, signed(), answer), undefined, undefined]);
});

test('the proof of a refusal is not one of a decision', async () => {
  const request = signed({ body: '{' });
  const headers = signedHeaders(request);
  const sent = await send(service.url, PATH, { body: '{', headers });
  const body = JSON.stringify(sent.body);
  expect(sent.status).toBe(400);
  expect(sent.headers[PROOF_HEADERS.proof]).toBe(answerProof(KEYS, request, { status: 400, body }));
  expect(sent.headers[PROOF_HEADERS.proof]).not.toBe(
    answerProof(KEYS, request, { status: 200, body }),
  );
});

test('a token that was right before is found in its own list only', () => {
  const authorization = `Bearer ${TOKEN}`;
  const [before, after] = [tokensOf(tokenOf(['decide'])), tokensOf(tokenOf([], 'other', OTHER))];
  for (let times = 0; times < 2; times += 1) {
    expect(findCredential(authorization, before.current())?.token.scopes).toEqual(['decide']);
    expect(findCredential(authorization, after.current())).toBeUndefined();
    expect(findCredential(`Bearer ${OTHER}`, before.current())).toBeUndefined();
    expect(findCredential(`Bearer ${OTHER}`, after.current())?.token.id).toBe('other');
  }
});

test('tokens count from the moment they are in the source, and no longer', async () => {
  let tokens = [tokenOf(['decide'])];
  const rotating = await start(core, {}, { current: () => tokens });
  const status = async () => (await send(rotating.url, PATH, { body: '{}' })).status;
  const before = await status();
  tokens = [tokenOf(['decide'], 'caller', OTHER)];
  const revoked = await status();
  tokens = [];
  const none = await status();
  await rotating.close();
  expect([before, revoked, none]).toEqual([200, 401, 401]);
});
