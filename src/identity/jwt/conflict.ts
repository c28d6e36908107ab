/** Two sources that speak of one caller must say the same: where they differ, neither proves. */
import { canonicalJson } from '../../contract/canonical.ts';
import { claimAt, isClaims } from '../auth_info/claims.ts';
import type { VerifiedAuth } from '../authenticator.ts';
import { TokenRefused } from './refusals.ts';

/** Throws where what the host found of the caller differs from what the token says. */
export function requireAgreement(host: unknown, verified: VerifiedAuth): void {
  if (host === undefined || host === null) return;
  let fault: string | undefined;
  try {
    fault = differing(host, verified);
  } catch {
    fault = 'what the host found cannot be read';
  }
  if (fault !== undefined) throw new TokenRefused('SOURCES_CONFLICT', fault);
}

function differing(host: unknown, { clientId, expiresAt, extra }: VerifiedAuth) {
  if (!isClaims(host)) return 'what the host found is no object';
  const claims = claimAt(host, 'extra') ?? {};
  if (!isClaims(claims)) return '`extra` is no object';
  const stated = { ...pick(host, ['clientId', 'expiresAt']), ...claims };
  const verified: Record<string, unknown> = { ...extra, clientId, expiresAt };
  const name = Object.keys(stated).find(
    (each) => Object.hasOwn(verified, each) && !same(stated[each], verified[each]),
  );
  return name === undefined ? undefined : `the host says otherwise of \`${name}\``;
}

function pick(from: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  const there = names.filter((name) => claimAt(from, name) !== undefined);
  return Object.fromEntries(there.map((name) => [name, from[name]]));
}

function same(one: unknown, other: unknown): boolean {
  return one === undefined || canonicalJson(one) === canonicalJson(other);
}
