/** What a caller that is bound to tenants may ask. */
import { PortcullisError } from '../errors.ts';
import { members } from './request.ts';
import type { Caller } from './types.ts';

/**
 * Throws `UNAUTHENTICATED` where one of the subjects is not of the caller's tenants, or of none:
 * then nothing of the request is decided, so that no answer tells of another tenant.
 */
export function demandTenants({ tenants }: Caller, subjects: readonly unknown[]): void {
  if (tenants === undefined) return;
  for (const subject of subjects) {
    const { tenant } = members(members(subject).properties);
    if (typeof tenant === 'string' && tenants.has(tenant)) continue;
    const message = 'the caller may ask for subjects of its own tenants only';
    throw new PortcullisError('UNAUTHENTICATED', message);
  }
}
