/**
 * Stands before an identity source over HTTP. A source is synchronous and maps what was verified;
 * an authenticator verifies the credential of a request, which may need the network, before
 * anything of the request is looked at.
 */
import type { RefusalCode } from './jwt/refusals.ts';
import type { ProtectedResource } from './resource/resource.ts';
import type { ConnectionFacts, IdentitySource } from './types.ts';

/** What comes with a request. */
export interface Credential {
  /** Value of the header `Authorization`; one that came twice is not a value that verifies. */
  authorization: string | undefined;
  /** What this process knows of the connection. */
  connection?: ConnectionFacts | undefined;
  /** What the host's own check found, where it has one: it must not contradict the credential. */
  authInfo?: unknown;
  /** The request itself, for proofs that are made over it (RFC 9449). */
  request?: Pick<Request, 'method' | 'url' | 'headers'> | undefined;
}

/** The shape that both lines of the MCP SDK know as `AuthInfo`. A new object for each request. */
export interface VerifiedAuth {
  /** Never the token: it must not travel on (MCP, authorization: no token passthrough). */
  token: typeof REDACTED;
  clientId: string;
  scopes: readonly string[];
  /** Seconds since 1970. */
  expiresAt: number;
  /** All claims of the token. */
  extra: Readonly<Record<string, unknown>>;
}

export const REDACTED = 'redacted';

/** Why a caller comes no further. The code is for the operator, the rest for the caller. */
export interface Refusal {
  status: 401 | 403;
  /** RFC 6750, section 3.1; undefined where no credential came. */
  error?: 'invalid_token' | 'insufficient_scope' | undefined;
  code: RefusalCode;
  /** For the log; holds no value of the request. */
  detail?: string | undefined;
}

export type Authentication = { ok: true; authInfo: VerifiedAuth } | ({ ok: false } & Refusal);

export interface Authenticator {
  /** Verifies a credential. Never rejects. */
  authenticate(credential: Credential): Promise<Authentication>;
  /** Maps what was verified to the trusted context. */
  readonly identity: IdentitySource;
  /** What is told of the resource, and to whoever is refused. */
  readonly resource: ProtectedResource;
}
