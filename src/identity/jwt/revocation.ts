/**
 * Tokens that were revoked before their time, by `jti` (RFC 7519, section 4.1.7), in a file:
 * `{"revoked": ["…"]}`. JSON, because half of it, as a write that was killed leaves it, cannot be
 * taken for the whole.
 */
import type { Clock } from '../../contract/ambient.ts';
import { isClaims, nameAt, type Claims } from '../auth_info/claims.ts';
import { Unproved } from '../proof.ts';
import { TokenRefused } from './refusals.ts';
import { watchedFile, type Content } from './watched_file.ts';

export type Revocations = () => Content<ReadonlySet<string>>;

export function revocationsInFile(path: string, size_bytes_max: number, clock: Clock): Revocations {
  return watchedFile({ path, size_bytes_max, clock, read: readRevoked });
}

function readRevoked(json: unknown): ReadonlySet<string> {
  const members: [string, unknown][] = isClaims(json) ? Object.entries(json) : [];
  const [[name, revoked] = [], ...others] = members;
  const texts = Array.isArray(revoked) && revoked.every((each) => typeof each === 'string');
  if (name !== 'revoked' || others.length > 0 || !texts) {
    throw new Unproved('it is not of the form {"revoked": ["<jti>"]}');
  }
  return new Set(revoked);
}

/** Throws where the token is revoked, or may be. */
export function requireUnrevoked(claims: Claims, revocations: Revocations | undefined): void {
  if (revocations === undefined) return;
  const content = revocations();
  if (!content.ok) throw new TokenRefused('REVOCATIONS_UNAVAILABLE', `the file ${content.why}`);
  const jti = nameAt(claims, 'jti');
  if (jti === undefined) throw new TokenRefused('CLAIM_ABSENT', 'the claim `jti`');
  if (content.value.has(jti)) throw new TokenRefused('TOKEN_REVOKED');
}
