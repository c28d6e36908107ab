/**
 * Why a token is refused, for the operator's log. The caller is told `invalid_token` or
 * `insufficient_scope` and nothing else (RFC 6750, section 3.1). docs/identity.md lists the table.
 */
export const REFUSALS = {
  TOKEN_ABSENT: 'no bearer token came with the request',
  TOKEN_TOO_LARGE: 'the token is larger than `guard.identity.jwt.token_bytes_max`',
  TOKEN_MALFORMED: 'the token is no signed JWT in compact form, written in the one way there is',
  ALGORITHM_REFUSED: 'the token is signed by an algorithm that is not in the list, or by none',
  TYPE_REFUSED: 'the `typ` of the token is not in the list: it may be a token of another kind',
  HEADER_REFUSED: 'the header of the token demands an extension, which none is known',
  KEY_UNKNOWN: 'the issuer has no key of that `kid` for that algorithm, or more than one',
  KEYS_UNAVAILABLE: 'the keys of the issuer cannot be had, and no others are young enough',
  SIGNATURE_WRONG: 'the issuer did not sign the token as it is',
  ISSUER_WRONG: 'another issuer made the token',
  AUDIENCE_WRONG: 'the token was made for another resource',
  TOKEN_EXPIRED: 'the token has expired',
  TOKEN_NOT_YET_VALID: 'the token is not valid yet: compare the clocks of both sides',
  TOKEN_FROM_FUTURE: 'the token was issued in the future: compare the clocks of both sides',
  CLAIM_ABSENT: 'a claim that must be there is not',
  CLAIM_MALFORMED: 'a claim is not of its type',
  TOKEN_REVOKED: 'the token stands in the file of revoked ones',
  REVOCATIONS_UNAVAILABLE: 'the file of revoked tokens cannot be used, so every token may be one',
  BINDING_UNPROVED: 'the caller did not prove that it holds the key that the token is bound to',
  BINDING_UNKNOWN: 'the token is bound to a key in a way for which no proof is installed',
  SOURCES_CONFLICT: 'what the host found of the caller contradicts the token',
  IDENTITY_UNPROVED: 'the claims prove nobody by the mapping of `guard.identity`',
  SCOPE_INSUFFICIENT: 'the token lacks a scope that the resource requires',
  AUTHENTICATION_FAILED: 'the check of the token failed in a way that cannot happen',
} as const satisfies Record<string, string>;

export type RefusalCode = keyof typeof REFUSALS;

/** Thrown where a token is refused; the detail names a claim or a limit, never a value. */
export class TokenRefused extends Error {
  readonly code: RefusalCode;
  readonly detail: string | undefined;

  constructor(code: RefusalCode, detail?: string) {
    super(detail ?? REFUSALS[code]);
    this.code = code;
    this.detail = detail;
  }
}
