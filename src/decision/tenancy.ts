/**
 * Which policy decides about a subject: the one for all, or that of its tenant. Where there is none
 * to decide by, the subject is denied; it is never decided on by another one's.
 */
import { PortcullisError } from '../errors.ts';
import { members } from './request.ts';
import type { ActivePolicy, Caller, Evaluator } from './types.ts';

/** For operators; the same whether the tenant is unknown or not the caller's to ask for. */
export const NO_POLICY = 'the tenant has no policy';

/** The tenant of a subject; a name of another type is none. */
function tenantOf(subject: unknown): string | undefined {
  const { tenant } = members(members(subject).properties);
  return typeof tenant === 'string' ? tenant : undefined;
}

/** Whether a caller may ask about subjects of a tenant. */
export function servesTenant({ tenants }: Caller, tenant: string | undefined): boolean {
  return tenants === undefined || (tenant !== undefined && tenants.has(tenant));
}

/**
 * Throws `UNAUTHENTICATED` where one of the subjects is not of the caller's tenants, or of none:
 * then nothing of the request is decided, so that no answer tells of another tenant.
 */
export function demandTenants(caller: Caller, subjects: readonly unknown[]): void {
  if (subjects.every((subject) => servesTenant(caller, tenantOf(subject)))) return;
  const message = 'the caller may ask for subjects of its own tenants only';
  throw new PortcullisError('UNAUTHENTICATED', message);
}

/** The policies that decide what one request asks, each fixed when it is first needed. */
export class FixedPolicies {
  readonly #evaluator: Evaluator;
  readonly #caller: Caller;
  readonly #fixed = new Map<string | undefined, ActivePolicy | undefined>();

  constructor(evaluator: Evaluator, caller: Caller) {
    this.#evaluator = evaluator;
    this.#caller = caller;
  }

  /**
   * Undefined where the subject's tenant has no policy, or is not the caller's. Throws
   * `POLICY_ABSENT` where one policy decides for all and is absent.
   */
  of(subject: unknown): ActivePolicy | undefined {
    const tenant = tenantOf(subject);
    if (!servesTenant(this.#caller, tenant)) return undefined;
    const key = this.#evaluator.per_tenant ? tenant : undefined;
    if (!this.#fixed.has(key)) this.#fixed.set(key, this.#current(tenant));
    return this.#fixed.get(key);
  }

  #current(tenant: string | undefined): ActivePolicy | undefined {
    if (!this.#evaluator.per_tenant) return this.#evaluator.current(tenant);
    try {
      return tenant === undefined ? undefined : this.#evaluator.current(tenant);
    } catch (error) {
      if (error instanceof PortcullisError && error.code === 'POLICY_ABSENT') return undefined;
      throw error;
    }
  }
}
