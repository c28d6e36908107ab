/**
 * How a PEP and a PDP that share a token prove it to each other over TCP without sending it.
 * Whoever grabs the port while the PDP is down sees every request, so a PEP that sent the token
 * would hand over the means to forge answers: it signs the request instead, and each answer is
 * signed over the nonce and the digest of the request that it answers.
 *
 *     digest of a request = SHA-256( METHOD SP target LF body )
 *     proof of a request  = HMAC( token, "portcullis request" LF nonce LF time LF digest )
 *     proof of an answer  = HMAC( token, "portcullis answer" LF nonce LF digest LF status LF body )
 *
 * HMAC is that of RFC 2104 with SHA-256; the digest is written as hex, the proofs as base64url. The
 * time is when the request was signed, as RFC 3339 in UTC: a PDP takes no request twice, and need
 * remember those of a short while only. No field but the last can hold a line feed, so that none
 * runs into its neighbour.
 */
import { createHash, createHmac, hash, timingSafeEqual } from 'node:crypto';

export const PROOF_HEADERS = {
  nonce: 'portcullis-nonce',
  time: 'portcullis-time',
  proof: 'portcullis-proof',
} as const;

/** What a PEP and a PDP share; `id` is public and names the caller in evidence. */
export interface SharedToken {
  id: string;
  token: string;
}

/** One request as both sides saw it on the wire. */
export interface AskedRequest {
  nonce: string;
  method: string;
  /** Path and query, as sent. */
  target: string;
  body: Uint8Array | string;
}

export interface SignedRequest extends AskedRequest {
  /** When it was signed, as sent. */
  time: string;
}

const SCHEME = 'Portcullis';
const NONCE = /^[A-Za-z0-9_-]{16,128}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const CREDENTIAL = /^Portcullis (?<id>[A-Za-z0-9._-]{1,64})\.(?<proof>[A-Za-z0-9_-]{43})$/;

/** The value of `Authorization` that proves the token for this request only. */
export function signedAuthorization(shared: SharedToken, request: SignedRequest): string {
  return `${SCHEME} ${shared.id}.${requestProof(shared.token, request)}`;
}

/** Reads what `signedAuthorization` wrote; undefined where it is something else. */
export function readSignedAuthorization(value: string): { id: string; proof: string } | undefined {
  return CREDENTIAL.exec(value)?.groups as { id: string; proof: string } | undefined;
}

/** Whether a nonce is long enough to be unique and free of separators. */
export function isNonce(value: unknown): value is string {
  return typeof value === 'string' && NONCE.test(value);
}

/** Milliseconds since 1970 of the time of a signature; NaN where it is none. */
export function signingTime(time: unknown): number {
  return typeof time === 'string' && TIME.test(time) ? Date.parse(time) : Number.NaN;
}

/** What only a holder of the token can say about a request. */
export function requestProof(token: string, request: SignedRequest): string {
  const text = `portcullis request\n${request.nonce}\n${request.time}\n${requestDigest(request)}`;
  return createHmac('sha256', token).update(text).digest('base64url');
}

/** What only a holder of the token can say about the answer to that request. */
export function answerProof(
  token: string,
  request: AskedRequest,
  answer: { status: number; body: Uint8Array | string },
): string {
  return createHmac('sha256', token)
    .update(`portcullis answer\n${request.nonce}\n${requestDigest(request)}\n${answer.status}\n`)
    .update(answer.body)
    .digest('base64url');
}

/** Compares secrets in a time that tells neither their content nor their length. */
export function equalSecrets(one: string, other: string): boolean {
  return timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'));
}

function requestDigest(request: AskedRequest): string {
  return createHash('sha256')
    .update(`${request.method} ${request.target}\n`)
    .update(request.body)
    .digest('hex');
}
