/**
 * What a guarded server may say that it can do: only what the guard enforces, and the extension
 * that says so. A claim of that extension by the server itself is dropped.
 */
import { EXTENSION } from './answers.ts';
import { isObject, type JsonObject } from './message.ts';
import type { Era } from './methods.ts';

/** True only where it is (requirement E-01). There is no approval channel. */
export interface Enforcement {
  /** The decision point writes the audit events of the draft. */
  audit_events: boolean;
}

/** The result of `initialize` or `server/discover` with what is not enforced taken out. */
export function trimServerResult(
  result: JsonObject,
  era: Era,
  enforcement: Enforcement,
): Record<string, unknown> {
  const offered = isObject(result['capabilities']) ? result['capabilities'] : {};
  return { ...result, capabilities: trim(offered, era, enforcement) };
}

function trim(offered: JsonObject, era: Era, { audit_events }: Enforcement): JsonObject {
  return {
    ...(isObject(offered['tools']) && { tools: era === 'legacy' ? { listChanged: true } : {} }),
    ...(isObject(offered['logging']) && { logging: {} }),
    extensions: {
      [EXTENSION]: {
        version: '1.0',
        supportsDiscoveryFiltering: true,
        supportsActorConstraints: true,
        supportsApprovalConstraints: false,
        supportsExternalDecision: true,
        supportsAuditEvents: audit_events,
      },
    },
  };
}

/** A filtered answer belongs to one caller, and only for as long as policy may stay unseen. */
export function privateCache(result: JsonObject, ttl_ms_max: number): Record<string, unknown> {
  const ttl = result['ttlMs'];
  const ttlMs = typeof ttl === 'number' && ttl >= 0 ? Math.min(ttl, ttl_ms_max) : 0;
  return { ...result, ttlMs, cacheScope: 'private' };
}
