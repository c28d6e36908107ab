import { createHash, createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import {
  answerProof,
  equalSecrets,
  isNonce,
  readSignedAuthorization,
  requestProof,
  signedAuthorization,
  type SignedRequest,
} from '../../src/contract/proof.ts';

const request: SignedRequest = {
  nonce: '0123456789abcdef',
  method: 'POST',
  target: '/access/v1/evaluation',
  body: '{"a":"é"}',
};
const answer = { status: 200, body: '{"decision":true}' };

test('the bytes are those of the definition', () => {
  const digest = createHash('sha256').update('POST /access/v1/evaluation\n{"a":"é"}').digest('hex');
  const mac = (text: string) => createHmac('sha256', 'key').update(text).digest('base64url');
  expect(requestProof('key', request)).toBe(mac(`portcullis request\n0123456789abcdef\n${digest}`));
  expect(answerProof('key', request, answer)).toBe(
    mac(`portcullis answer\n0123456789abcdef\n${digest}\n200\n{"decision":true}`),
  );
});

test('bytes and text of the same content have the same proof', () => {
  const bytes = { ...request, body: Buffer.from(request.body) };
  expect(requestProof('key', bytes)).toBe(requestProof('key', request));
});

test('every field counts, and none runs into its neighbour', () => {
  const variants: [string, SignedRequest, typeof answer][] = [
    ['key', request, answer],
    ['other', request, answer],
    ['key', { ...request, nonce: '0123456789abcdeg' }, answer],
    ['key', { ...request, method: 'PUT' }, answer],
    ['key', { ...request, target: '/access/v1/evaluations' }, answer],
    ['key', { ...request, body: '{"a":"e"}' }, answer],
    ['key', request, { ...answer, status: 201 }],
    ['key', request, { status: 20, body: `0${answer.body}` }],
    ['key', request, { ...answer, body: '{"decision":false}' }],
  ];
  const proofs = variants.map((variant) => answerProof(...variant));
  expect(new Set(proofs).size).toBe(variants.length);
});

test('an authorization is read as it was written, and nothing else is', () => {
  const value = signedAuthorization({ id: 'guard.1', token: 'key' }, request);
  const proof = requestProof('key', request);
  expect(readSignedAuthorization(value)).toEqual({ id: 'guard.1', proof });
  for (const other of ['', value.slice(1), `${value}=`, ` ${value}`, `Portcullis .${proof}`]) {
    expect(readSignedAuthorization(other)).toBeUndefined();
  }
});

test('a nonce is of 16 to 128 characters without separators', () => {
  expect(['x'.repeat(16), 'x'.repeat(128)].map(isNonce)).toEqual([true, true]);
  const wrong = ['x'.repeat(15), 'x'.repeat(129), `${'x'.repeat(16)}\n`, undefined, 7];
  expect(wrong.map(isNonce)).toEqual([false, false, false, false, false]);
});

test('secrets are equal only to themselves', () => {
  expect(['a', 'b', 'ab', ''].map((other) => equalSecrets('a', other))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
