/** Verifies a token: step by step, each of which can refuse it with a code of its own. */
import { compactVerify, errors } from 'jose';
import type { Clock } from '../../contract/ambient.ts';
import type { Credential } from '../authenticator.ts';
import { claimAt, nameAt, namesAt, millisecondsOf, type Claims } from '../auth_info/claims.ts';
import { Unproved, isName } from '../proof.ts';
import type { Keys } from './keys.ts';
import { requirePossession, type ProofOfPossession } from './proof_of_possession.ts';
import { TokenRefused } from './refusals.ts';
import { requireUnrevoked, type Revocations } from './revocation.ts';
import { claimsOf, readToken, type Jws } from './token.ts';

/** What a token is checked against. */
export interface Checks {
  issuer: string;
  audience: string;
  algorithms: readonly string[];
  /** Values of `typ`, as `typeOf` writes them. */
  types: readonly string[];
  claims_required: readonly string[];
  /** The claim that names the client; null: `client_id`, else `azp`. */
  client_claim: string | null;
  token_bytes_max: number;
  /** How far the clock of the issuer may be ahead. */
  clock_skew_ms: number;
  keys: Keys;
  revocations: Revocations | undefined;
  proofs: readonly ProofOfPossession[];
  clock: Clock;
}

/** What a verified token says of its bearer. */
export interface Verified {
  client: string;
  scopes: readonly string[];
  expires_seconds: number;
  claims: Claims;
}

/** Throws `TokenRefused` with the first check that fails. */
export async function verifyToken(
  token: string,
  credential: Credential,
  checks: Checks,
): Promise<Verified> {
  const jws = readToken(token, checks.token_bytes_max);
  const header = requireHeader(jws, checks);
  await requireSignature(jws, await checks.keys(header), checks);
  const claims = claimsOf(jws);
  try {
    requireIssuer(claims, checks);
    requireAudience(claims, checks);
    const expires_seconds = requireTimes(claims, checks);
    requireClaims(claims, checks);
    const client = clientOf(claims, checks);
    const scopes = namesAt(claims, 'scope') ?? namesAt(claims, 'scp') ?? [];
    requireUnrevoked(claims, checks.revocations);
    await requirePossession(claims, credential, token, checks.proofs);
    return { client, scopes, expires_seconds, claims };
  } catch (error) {
    if (error instanceof Unproved) throw new TokenRefused('CLAIM_MALFORMED', error.message);
    throw error;
  }
}

/**
 * Only what chooses a key of the issuer is taken from the header. Keys that it brings or names
 * (`jwk`, `jku`, `x5c`, `x5u`) are never looked at (RFC 8725, section 3.10).
 */
function requireHeader({ header }: Jws, { algorithms, types }: Checks) {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !algorithms.includes(alg)) {
    throw new TokenRefused('ALGORITHM_REFUSED');
  }
  if (typeof typ !== 'string' || !types.includes(typeOf(typ))) {
    throw new TokenRefused('TYPE_REFUSED');
  }
  if (Object.hasOwn(header, 'crit') || Object.hasOwn(header, 'b64')) {
    throw new TokenRefused('HEADER_REFUSED');
  }
  if (kid !== undefined && !isName(kid)) throw new TokenRefused('KEY_UNKNOWN', '`kid` is no name');
  return { alg, kid };
}

/** RFC 7515, section 4.1.9: `application/` may be left out, and case does not count. */
export function typeOf(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

async function requireSignature(
  { compact }: Jws,
  key: Awaited<ReturnType<Keys>>,
  { algorithms }: Checks,
): Promise<void> {
  try {
    await compactVerify(compact, key, { algorithms: [...algorithms] });
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) {
      throw new TokenRefused('SIGNATURE_WRONG');
    }
    throw new TokenRefused('SIGNATURE_WRONG', 'the key of the issuer does not suit the token');
  }
}

function requireIssuer(claims: Claims, { issuer }: Checks): void {
  if (nameAt(claims, 'iss') !== issuer) throw new TokenRefused('ISSUER_WRONG');
}

/** One text, or several in an array (RFC 7519, section 4.1.3). */
function requireAudience(claims: Claims, { audience }: Checks): void {
  const aud = [claimAt(claims, 'aud') ?? []].flat();
  if (!aud.every(isName)) throw new TokenRefused('CLAIM_MALFORMED', 'the claim `aud`');
  if (!aud.includes(audience)) throw new TokenRefused('AUDIENCE_WRONG');
}

/**
 * The expiry is taken as it is: a token that ends earlier by our clock is renewed earlier. Where
 * the issuer's clock is ahead, a token that it just made would be refused: that is tolerated.
 */
function requireTimes(claims: Claims, { clock, clock_skew_ms }: Checks): number {
  const now_ms = clock.now_ms();
  const exp_ms = millisecondsOf(claimAt(claims, 'exp'), 'exp');
  if (exp_ms === undefined) throw new TokenRefused('CLAIM_ABSENT', 'the claim `exp`');
  if (now_ms >= exp_ms) throw new TokenRefused('TOKEN_EXPIRED');
  const nbf_ms = millisecondsOf(claimAt(claims, 'nbf'), 'nbf');
  if (nbf_ms !== undefined && nbf_ms > now_ms + clock_skew_ms) {
    throw new TokenRefused('TOKEN_NOT_YET_VALID');
  }
  const iat_ms = millisecondsOf(claimAt(claims, 'iat'), 'iat');
  if (iat_ms !== undefined && iat_ms > now_ms + clock_skew_ms) {
    throw new TokenRefused('TOKEN_FROM_FUTURE');
  }
  return claimAt(claims, 'exp') as number;
}

function requireClaims(claims: Claims, { claims_required }: Checks): void {
  const absent = claims_required.find((claim) => (claimAt(claims, claim) ?? null) === null);
  if (absent !== undefined) throw new TokenRefused('CLAIM_ABSENT', `the claim \`${absent}\``);
}

function clientOf(claims: Claims, { client_claim }: Checks): string {
  const named = client_claim === null ? CLIENT_CLAIMS : [client_claim];
  const [client] = named.flatMap((claim) => nameAt(claims, claim) ?? []);
  if (client === undefined) {
    throw new TokenRefused('CLAIM_ABSENT', `the claim \`${named.join('` or `')}\``);
  }
  return client;
}

/** RFC 9068, section 2.2, and OpenID Connect Core, section 2. */
const CLIENT_CLAIMS = ['client_id', 'azp'];
