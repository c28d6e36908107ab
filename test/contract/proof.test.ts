import { createHash, createHmac, randomUUID } from 'node:crypto';
import { expect, test } from '@jest/globals';
import {
  answerProof,
  equalSecrets,
  isNonce,
  isRequestProof,
  keysOf,
  readSignedAuthorization,
  requestProof,
  signedAuthorization,
  signingTime,
  storedKeyOf,
  type SignedRequest,
  type TokenHashes,
  type TokenKeys,
} from '../../src/contract/proof.ts';

const request: SignedRequest = {
  nonce: '0123456789abcdef',
  time: '2027-01-01T12:00:00.000Z',
  method: 'POST',
  target: '/access/v1/evaluation',
  body: '{"a":"é"}',
};
const KEYS = keysOf('key');
const OTHER = keysOf('other');
const answer = { status: 200, body: '{"decision":true}' };

test('the bytes are those of the definition', () => {
  const digest = createHash('sha256').update('POST /access/v1/evaluation\n{"a":"é"}').digest('hex');
  const mac = (key: string | Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest();
  const client_key = mac('key', 'portcullis client');
  const stored_key = createHash('sha256').update(client_key).digest();
  const server_key = mac('key', 'portcullis server');
  expect(KEYS).toEqual({ client_key, stored_key, server_key });
  expect(storedKeyOf('key')).toEqual(stored_key);
  const signed = `portcullis request\n0123456789abcdef\n2027-01-01T12:00:00.000Z\n${digest}`;
  const signature = mac(stored_key, signed);
  const proof = Buffer.from(client_key.map((byte, at) => byte ^ signature[at]!));
  expect(requestProof(KEYS, request)).toBe(proof.toString('base64url'));
  const answered = `portcullis answer\n0123456789abcdef\n${digest}\n200\n{"decision":true}`;
  expect(answerProof(KEYS, request, answer)).toBe(mac(server_key, answered).toString('base64url'));
});

test('bytes and text of the same content have the same proof', () => {
  const bytes = { ...request, body: Buffer.from(request.body) };
  expect(requestProof(KEYS, bytes)).toBe(requestProof(KEYS, request));
});

test('every field counts, and none runs into its neighbour', () => {
  const variants: [TokenKeys, SignedRequest, typeof answer][] = [
    [KEYS, request, answer],
    [OTHER, request, answer],
    [KEYS, { ...request, nonce: '0123456789abcdeg' }, answer],
    [KEYS, { ...request, method: 'PUT' }, answer],
    [KEYS, { ...request, target: '/access/v1/evaluations' }, answer],
    [KEYS, { ...request, body: '{"a":"e"}' }, answer],
    [KEYS, request, { ...answer, status: 201 }],
    [KEYS, request, { status: 20, body: `0${answer.body}` }],
    [KEYS, request, { ...answer, body: '{"decision":false}' }],
  ];
  const proofs = variants.map((variant) => answerProof(...variant));
  expect(new Set(proofs).size).toBe(variants.length);
});

test('a request is signed with its time, and its answer is not', () => {
  const later = { ...request, time: '2027-01-01T12:00:00.001Z' };
  expect(requestProof(KEYS, later)).not.toBe(requestProof(KEYS, request));
  expect(answerProof(KEYS, later, answer)).toBe(answerProof(KEYS, request, answer));
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
  const value = signedAuthorization({ id: 'guard.1', ...KEYS }, request);
  const proof = requestProof(KEYS, request);
  expect(readSignedAuthorization(value)).toEqual({ id: 'guard.1', proof });
  for (const other of ['', value.slice(1), `${value}=`, ` ${value}`, `Portcullis .${proof}`]) {
    expect(readSignedAuthorization(other)).toBeUndefined();
  }
});

test('a proof has one spelling, so that it cannot be sent again in another', () => {
  const value = signedAuthorization({ id: 'guard.1', ...KEYS }, request);
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const same = digits
    .split('')
    .map((last) => `${value.slice(0, -1)}${last}`)
    .filter((other) => Buffer.from(other.slice(-43), 'base64url').equals(bytesOf(value)));
  expect(same).toHaveLength(4);
  expect(same.filter((other) => readSignedAuthorization(other))).toEqual([value]);
});

function bytesOf(value: string): Buffer {
  return Buffer.from(value.slice(-43), 'base64url');
}

test('only the proof that was made for a request is right for it', () => {
  const proof = requestProof(KEYS, request);
  expect(isRequestProof(KEYS, request, proof)).toBe(true);
  const flipped = Buffer.from(proof, 'base64url');
  flipped[0]! ^= 1;
  const wrong: [TokenHashes, SignedRequest, string][] = [
    [OTHER, request, proof],
    [KEYS, { ...request, nonce: '0123456789abcdeg' }, proof],
    [KEYS, { ...request, time: '2027-01-01T12:00:00.001Z' }, proof],
    [KEYS, { ...request, target: '/v1/decision' }, proof],
    [KEYS, { ...request, body: '{}' }, proof],
    [KEYS, request, flipped.toString('base64url')],
    [KEYS, request, proof.slice(0, -2)],
    [KEYS, request, ''],
    [KEYS, request, 'A'.repeat(43)],
  ];
  expect(wrong.map((each) => isRequestProof(...each))).toEqual(wrong.map(() => false));
});

test('who has what the service keeps can neither sign a request nor send the token', () => {
  const { stored_key, server_key } = KEYS;
  const stolen = [stored_key, server_key];
  const zero = Buffer.alloc(32);
  for (const guess of [...stolen, zero]) {
    const forged = requestProof({ client_key: guess, stored_key, server_key }, request);
    expect(isRequestProof(KEYS, request, forged)).toBe(false);
    const sent = keysOf(guess.toString('base64url'));
    expect(sent.stored_key.equals(stored_key)).toBe(false);
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

test('a token that was never used before is proved as any', () => {
  const keys = keysOf(randomUUID());
  const proof = requestProof(keys, request);
  expect(isRequestProof(keys, request, proof)).toBe(true);
  expect(isRequestProof(OTHER, request, proof)).toBe(false);
});
