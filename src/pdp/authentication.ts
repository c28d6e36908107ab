/**
 * Who calls. A Unix socket in a folder of our own is its callers' proof. Over TCP a caller sends
 * the bearer token (RFC 6750), or signs the request with it as a guard does (contract/proof.ts), or
 * has a certificate (certificate_callers.ts).
 */
import { hash, timingSafeEqual } from 'node:crypto';
import {
  isNonce,
  isRequestProof,
  readSignedAuthorization,
  signingTime,
  storedKeyOf,
  type SignedRequest,
  type TokenHashes,
} from '../contract/proof.ts';
import type { Caller, Scope } from '../decision/types.ts';

/** All scopes, in the order of the documentation. */
export const SCOPES = [
  'decide',
  'attest:actor',
  'search',
  'approve',
  'evidence',
  'administer',
] as const satisfies readonly Scope[];

/** What its holder may do, beside what is kept of a token. */
export interface CallerToken extends TokenHashes {
  id: string;
  scopes: readonly Scope[];
  /** Tenants whose subjects its holder may ask for; absent: all. */
  tenants?: readonly string[];
  /** Milliseconds since 1970, from which on it counts no longer. */
  expires_ms?: number;
}

/** The tokens that count at this moment. */
export interface TokenSource {
  current(): readonly CallerToken[];
}

export const SOCKET_CALLER: Caller = {
  id: 'socket',
  channel: 'socket',
  scopes: new Set<Scope>(SCOPES),
};

export const NOBODY: Caller = { id: 'nobody', channel: 'tcp', scopes: new Set<Scope>() };

/** A token that a request names. Where `proof` is present it is still to be checked. */
export interface Credential<T extends TokenHashes = CallerToken> {
  token: T;
  proof?: string;
}

/** The token that an `Authorization` header sends or refers to; undefined where there is none. */
export function findCredential<T extends TokenHashes & { id: string }>(
  authorization: string | undefined,
  tokens: readonly T[],
): Credential<T> | undefined {
  if (authorization === undefined) return undefined;
  const signed = readSignedAuthorization(authorization);
  if (signed) {
    const token = tokens.find(({ id }) => id === signed.id);
    return token && { token, proof: signed.proof };
  }
  const [, sent] = /^Bearer +([\x21-\x7e]+)$/i.exec(authorization) ?? [];
  const token = sent === undefined ? undefined : findToken(sent, tokens);
  return token && { token };
}

/**
 * Of each list of tokens those that were sent and right, by the hash of what was sent: what follows
 * from a token by two hashes more need not be worked out for each request. A hash tells a stranger
 * nothing, however long it takes to compare; a list that is read again is another one.
 */
const sentBefore = new WeakMap<object, Map<string, unknown>>();

/** Looks at every token, so that the time does not tell which one was nearly right. */
function findToken<T extends TokenHashes & { id: string }>(
  sent: string,
  tokens: readonly T[],
): T | undefined {
  const right = (sentBefore.get(tokens) ?? new Map<string, unknown>()) as Map<string, T>;
  const digest = hash('sha256', sent, 'base64');
  const known = right.get(digest);
  if (known) return known;
  const stored_key = storedKeyOf(sent);
  let found: T | undefined;
  for (const token of tokens) if (timingSafeEqual(token.stored_key, stored_key)) found = token;
  if (found) sentBefore.set(tokens, right.set(digest, found));
  return found;
}

/** Whether the credential is for this request: a token that was sent is, a proof must match. */
export function isProved({ token, proof }: Credential, request: SignedRequest): boolean {
  if (proof === undefined) return true;
  if (!isNonce(request.nonce) || Number.isNaN(signingTime(request.time))) return false;
  return isRequestProof(token, request, proof);
}

export function callerOf({ token }: Credential): Caller {
  return grantedCaller(token, 'tcp');
}

/** A caller as an entry of a file grants it. */
export function grantedCaller(
  { id, scopes, tenants }: Pick<CallerToken, 'id' | 'scopes' | 'tenants'>,
  channel: Caller['channel'],
): Caller {
  return {
    id,
    channel,
    scopes: new Set(scopes),
    ...(tenants && { tenants: new Set(tenants) }),
  };
}
