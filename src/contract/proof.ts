/**
 * How a PEP and a PDP prove a token to each other over TCP without sending it. Whoever grabs the
 * port while the PDP is down sees every request, so a PEP that sent the token would hand over the
 * means to forge answers: it signs the request instead, and each answer is signed over the nonce
 * and the digest of the request that it answers. The PDP keeps no token either, but what follows
 * from it, in the manner of SCRAM (RFC 5802, section 3):
 *
 *     client key  = HMAC( token, "portcullis client" )      held by who holds the token
 *     stored key  = SHA-256( client key )                   kept by the PDP
 *     server key  = HMAC( token, "portcullis server" )      kept by the PDP
 *
 *     digest of a request = SHA-256( METHOD SP target LF body )
 *     proof of a request  = client key XOR
 *                    HMAC( stored key, "portcullis request" LF nonce LF time LF digest )
 *     proof of an answer  =
 *                    HMAC( server key, "portcullis answer" LF nonce LF digest LF status LF body )
 *
 * HMAC is that of RFC 2104 with SHA-256; the digest is written as hex, the proofs as base64url. The
 * PDP finds the client key in the proof, and knows it by its hash. A token is random and as long as
 * a key (`portcullis token add`), so nothing slows down who would guess it: there is no salt and no
 * iteration. The time is when the request was signed, as RFC 3339 in UTC: a PDP takes no request
 * twice, and need remember those of a short while only. No field but the last can hold a line feed,
 * so that none runs into its neighbour.
 */
import {
  createHash,
  createHmac,
  createSecretKey,
  hash,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

export const PROOF_HEADERS = {
  nonce: 'portcullis-nonce',
  time: 'portcullis-time',
  proof: 'portcullis-proof',
} as const;

/** What the PDP keeps of a token: enough to know its holder, too little to be one. */
export interface TokenHashes {
  stored_key: Buffer;
  server_key: Buffer;
}

/** What the holder of a token works with. */
export interface TokenKeys extends TokenHashes {
  client_key: Buffer;
}

/** A token as a PEP holds it; `id` is public and names the caller in evidence. */
export interface HeldToken extends TokenKeys {
  id: string;
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
/** The last character has two bits that count for nothing, and one spelling. */
const CREDENTIAL =
  /^Portcullis (?<id>[A-Za-z0-9._-]{1,64})\.(?<proof>[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])$/;

/** All that follows from a token. */
export function keysOf(token: string): TokenKeys {
  const client_key = clientKeyOf(token);
  return {
    client_key,
    stored_key: hash('sha256', client_key, 'buffer'),
    server_key: createHmac('sha256', token).update('portcullis server').digest(),
  };
}

/** By which a token that was sent is known. */
export function storedKeyOf(token: string): Buffer {
  return hash('sha256', clientKeyOf(token), 'buffer');
}

function clientKeyOf(token: string): Buffer {
  return createHmac('sha256', token).update('portcullis client').digest();
}

/** The value of `Authorization` that proves the token for this request only. */
export function signedAuthorization(held: HeldToken, request: SignedRequest): string {
  return `${SCHEME} ${held.id}.${requestProof(held, request)}`;
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
export function requestProof(keys: TokenKeys, request: SignedRequest): string {
  return xor(keys.client_key, requestMac(keys, request)).toString('base64url');
}

/** Whether a holder of the token made the proof for this request. */
export function isRequestProof(
  hashes: TokenHashes,
  request: SignedRequest,
  proof: string,
): boolean {
  const sent = Buffer.from(proof, 'base64url');
  if (sent.length !== hashes.stored_key.length) return false;
  const client_key = xor(sent, requestMac(hashes, request));
  return timingSafeEqual(hash('sha256', client_key, 'buffer'), hashes.stored_key);
}

/** What only the PDP and a holder of the token can say about the answer to that request. */
export function answerProof(
  { server_key }: Pick<TokenHashes, 'server_key'>,
  request: AskedRequest,
  answer: { status: number; body: Uint8Array | string },
): string {
  return createHmac('sha256', macKey(server_key))
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

function requestMac({ stored_key }: TokenHashes, request: SignedRequest): Buffer {
  const text = `portcullis request\n${request.nonce}\n${request.time}\n${requestDigest(request)}`;
  return createHmac('sha256', macKey(stored_key)).update(text).digest();
}

const macKeys = new WeakMap<Buffer, KeyObject>();

/** Of the same bytes: Node 24 takes five times as long where a key comes as bytes. */
function macKey(key: Buffer): KeyObject {
  const known = macKeys.get(key);
  if (known) return known;
  const made = createSecretKey(key);
  macKeys.set(key, made);
  return made;
}

function xor(one: Buffer, other: Buffer): Buffer {
  const result = Buffer.allocUnsafe(one.length);
  for (let i = 0; i < one.length; i += 1) result[i] = (one[i] as number) ^ (other[i] as number);
  return result;
}
