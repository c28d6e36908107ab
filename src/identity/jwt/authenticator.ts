/** Access tokens that are JWTs (RFC 9068) as the credential of a request. */
import type { Clock } from '../../contract/ambient.ts';
import { completeMapping, type AuthInfoMapping } from '../auth_info/mapping.ts';
import { fromAuthInfo } from '../auth_info/source.ts';
import {
  REDACTED,
  type Authentication,
  type Authenticator,
  type Credential,
  type VerifiedAuth,
} from '../authenticator.ts';
import { frozen } from '../proof.ts';
import { ProtectedResource, type ResourceSettings } from '../resource/resource.ts';
import { requireAgreement } from './conflict.ts';
import { keysAtUrl, keysInFile, type Keys } from './keys.ts';
import { CERTIFICATE_PROOF } from './proof_of_possession.ts';
import { TokenRefused } from './refusals.ts';
import { revocationsInFile } from './revocation.ts';
import { completeJwt, type CompleteJwt, type JwtOptions, type JwtSettings } from './settings.ts';
import { bearerOf } from './token.ts';
import { typeOf, verifyToken, type Checks, type Verified } from './verify.ts';

const SYSTEM_CLOCK: Clock = { now_ms: () => Date.now() };

/**
 * Takes the bearer token of a request where its issuer made it for this resource:
 * `guard.http(factory, { identity: fromJwt({ issuer, jwks_url, resource: { url } }) })`. `mapping`
 * says which claim becomes which attribute. Throws `CONFIGURATION_INVALID`.
 */
export function fromJwt(
  options: JwtOptions,
  mapping: AuthInfoMapping = {},
  clock: Clock = SYSTEM_CLOCK,
): Authenticator {
  const complete = completeJwt(options);
  const { resource } = complete;
  const { clock_skew_seconds_max } = completeMapping(mapping);
  const checks = checksOf(complete, clock_skew_seconds_max * 1000, clock);
  return {
    authenticate: (credential) => authenticate(credential, checks, resource),
    identity: fromAuthInfo(mapping, clock, 'jwt'),
    resource: new ProtectedResource(resource),
  };
}

function checksOf(
  { jwt, resource, proofs }: CompleteJwt,
  clock_skew_ms: number,
  clock: Clock,
): Checks {
  const { revoked_file, revoked_bytes_max } = jwt;
  return {
    ...jwt,
    audience: jwt.audience ?? resource.url,
    types: jwt.types.map(typeOf),
    clock_skew_ms,
    keys: keysOf(jwt, clock),
    revocations:
      revoked_file === null ? undefined : revocationsInFile(revoked_file, revoked_bytes_max, clock),
    proofs: [CERTIFICATE_PROOF, ...proofs],
    clock,
  };
}

function keysOf(jwt: JwtSettings, clock: Clock): Keys {
  if (jwt.jwks_file !== null) return keysInFile(jwt.jwks_file, jwt.jwks_bytes_max, clock);
  const limits = {
    timeout_ms: jwt.jwks_timeout_ms,
    size_bytes_max: jwt.jwks_bytes_max,
    fresh_seconds_max: jwt.jwks_fresh_seconds_max,
    age_seconds_max: jwt.jwks_age_seconds_max,
    cooldown_ms: jwt.jwks_cooldown_ms,
  };
  return keysAtUrl(jwt.jwks_url ?? '', limits, clock);
}

async function authenticate(
  credential: Credential,
  checks: Checks,
  resource: ResourceSettings,
): Promise<Authentication> {
  try {
    const token = bearerOf(credential.authorization);
    const authInfo = authInfoOf(await verifyToken(token, credential, checks));
    requireAgreement(credential.authInfo, authInfo);
    requireScopes(authInfo, resource);
    return { ok: true, authInfo };
  } catch (error) {
    return refusalOf(error);
  }
}

function authInfoOf({ client, scopes, expires_seconds, claims }: Verified): VerifiedAuth {
  return frozen({
    token: REDACTED,
    clientId: client,
    scopes,
    expiresAt: expires_seconds,
    extra: claims,
  });
}

function requireScopes({ scopes }: VerifiedAuth, { scopes_required }: ResourceSettings): void {
  if (scopes_required.every((scope) => scopes.includes(scope))) return;
  throw new TokenRefused('SCOPE_INSUFFICIENT');
}

function refusalOf(error: unknown): Authentication {
  if (!(error instanceof TokenRefused)) {
    return { ok: false, status: 401, error: 'invalid_token', code: 'AUTHENTICATION_FAILED' };
  }
  const { code, detail } = error;
  const told = { ok: false, code, detail } as const;
  if (code === 'TOKEN_ABSENT') return { ...told, status: 401 };
  if (code === 'SCOPE_INSUFFICIENT') return { ...told, status: 403, error: 'insufficient_scope' };
  return { ...told, status: 401, error: 'invalid_token' };
}
