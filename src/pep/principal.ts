/** Who a connection, and whatever outlives it, belongs to. */
import type { TrustedContext } from '../identity/types.ts';

/** The principal of all who are not proved. */
export const NOBODY = 'nobody';

/** Whose policy decides about a caller, where each tenant has its own. */
export function tenantOf(trusted: TrustedContext | undefined): string | undefined {
  return trusted?.subject.properties?.tenant;
}

/** Nobody is somebody of their own. */
export function principalOf(trusted: TrustedContext | undefined): string {
  if (!trusted) return NOBODY;
  const { subject, agent } = trusted;
  return JSON.stringify([subject.id, subject.properties?.tenant, agent?.id]);
}
