/**
 * Who calls. A Unix socket in a folder of our own is its callers' proof; over TCP a caller sends
 * the bearer token (RFC 6750), or signs the request with it as a guard does (contract/proof.ts).
 */
import {
  equalSecrets,
  isNonce,
  readSignedAuthorization,
  requestProof,
  signingTime,
  type SharedToken,
  type SignedRequest,
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

/** A token with what its holder may do. */
export interface CallerToken extends SharedToken {
  scopes: readonly Scope[];
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
export interface Credential {
  token: CallerToken;
  proof?: string;
}

/** The token that an `Authorization` header sends or refers to; undefined where there is none. */
export function findCredential(
  authorization: string | undefined,
  tokens: readonly CallerToken[],
): Credential | undefined {
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

/** Looks at every token, so that the time does not tell which one was nearly right. */
function findToken(sent: string, tokens: readonly CallerToken[]): CallerToken | undefined {
  let found: CallerToken | undefined;
  for (const token of tokens) if (equalSecrets(token.token, sent)) found = token;
  return found;
}

/** Whether the credential is for this request: a token that was sent is, a proof must match. */
export function isProved({ token, proof }: Credential, request: SignedRequest): boolean {
  if (proof === undefined) return true;
  if (!isNonce(request.nonce) || Number.isNaN(signingTime(request.time))) return false;
  return equalSecrets(requestProof(token.token, request), proof);
}

export function callerOf({ token }: Credential): Caller {
  return { id: token.id, channel: 'tcp', scopes: new Set(token.scopes) };
}
