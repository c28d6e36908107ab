import { createHash, createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import {
  answerProof,
  equalSecrets,
  isNonce,
  readSignedAuthorization,
  requestProof,
  signedAuthorization,
  signingTime,
  type SignedRequest,
} from '../../src/contract/proof.ts';

const request: SignedRequest = {
  nonce: '0123456789abcdef',
  time: '2027-01-01T12:00:00.000Z',
  method: 'POST',
  target: '/access/v1/evaluation',
  body: '{"a":"é"}',
};
const answer = { status: 200, body: '{"decision":true}' };

test('the bytes are those of the definition', () => {
  const digest = createHash('sha256').update('POST /access/v1/evaluation\n{"a":"é"}').digest('hex');
  const mac = (text: string) => createHmac('sha256', 'key').update(text).digest('base64url');
  expect(requestProof('key', request)).toBe(
    mac(`portcullis request\n0123456789abcdef\n2027-01-01T12:00:00.000Z\n${digest}`),
  );
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

test('a request is signed with its time, and its answer is not', () => {
  const later = { ...request, time: '2027-01-01T12:00:00.001Z' };
  expect(requestProof('key', later)).not.toBe(requestProof('key', request));
  expect(answerProof('key', later, answer)).toBe(answerProof('key', request, answer));
});

test('the time of a signature is UTC', () => {
  const noon = Date.UTC(2027, 0, 1, 12);
  const times = ['2027-01-01T12:00:00Z', request.time, '2027-01-01T12:00:00.000999999Z'];
  expect(times.map(signingTime)).toEqual([noon, noon, noon]);
  const wrong = [
    '',
    '2027-01-01',
    '2027-01-01T12:00:00',
    '2027-01-01T12:00:00+01:00',
    7,
    undefined,
  ];
  wrong.push('2027-13-01T12:00:00Z', `${request.time}\n`, String(noon));
  // `Date.parse` takes these.
  wrong.push(`+00${request.time}`, `${request.time}\0`);
  expect(wrong.map(signingTime)).toEqual(wrong.map(() => Number.NaN));
  expect(signingTime([request.time])).toBeNaN();
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
  const wrong = ['x'.repeat(15), 'x'.repeat(129), `${'x'.repeat(16)}\n`, undefined];
  expect(wrong.map(isNonce)).toEqual([false, false, false, false]);
  expect([1_234_567_890_123_456, ['x'.repeat(16)]].map(isNonce)).toEqual([false, false]);
});

test('secrets are equal only to themselves', () => {
  expect(['a', 'b', 'ab', ''].map((other) => equalSecrets('a', other))).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
