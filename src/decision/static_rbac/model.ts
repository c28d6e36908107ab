/**
 * A static RBAC file as a policy asks it: its two spellings made one, its grants found by what they
 * speak of. What is in doubt is refused, so that nothing is left to judge later.
 */
import type {
  Constraints,
  Outcome,
  RbacConstraints,
  RbacGrant,
  StaticRbac,
} from '../../contract/types.gen.ts';
import { VALIDATORS } from '../../contract/validate.ts';
import { faultsOf, type RbacFault } from './faults.ts';
import type { MethodTable } from './methods.ts';

/** A grant as it decides. */
export interface Grant {
  role: string;
  /** `sre/2` is the second grant of the role `sre`. */
  id: string;
  /** Undefined: any. */
  server: string | undefined;
  actions: ReadonlySet<string>;
  /** Deployments in which it applies; undefined: everywhere. */
  environment: ReadonlySet<string> | undefined;
  outcome: Outcome;
  /** What has to hold, in the spelling of an answer; of a denial nothing. */
  constraints: Constraints;
}

/** What a file says. */
export interface Rbac {
  /** By `type:name`, in the order of the file. */
  grants: ReadonlyMap<string, readonly Grant[]>;
  /** Roles beside those of the groups' names: by principal, and by group as `group:NAME`. */
  bindings: ReadonlyMap<string, readonly string[]>;
  /** Methods that the file denies. */
  denied: ReadonlySet<string>;
}

export type RbacResult = { ok: true; value: Rbac } | { ok: false; fault: RbacFault };

/** Reads what a file holds; the fault quotes nothing of it. */
export function readRbac(value: unknown, methods: MethodTable): RbacResult {
  const result = VALIDATORS.static_rbac(value);
  if (!result.ok) return result;
  const [fault] = faultsOf(result.value, methods);
  return fault ? { ok: false, fault } : { ok: true, value: modelOf(result.value) };
}

function modelOf({ _methods = {}, roles, bindings = {} }: StaticRbac): Rbac {
  const grants = Object.entries(roles).flatMap(([role, { grants: given }]) =>
    given.map((grant, at) => [grant.capability, grantOf(role, at + 1, grant)] as const),
  );
  const bound = Object.entries(bindings).flatMap(([role, holders]) =>
    holders.map((holder) => [holder, role] as const),
  );
  const denied = Object.keys(_methods).filter((name) => _methods[name] === 'deny');
  return { grants: grouped(grants), bindings: grouped(bound), denied: new Set(denied) };
}

function grouped<V>(entries: readonly (readonly [string, V])[]): Map<string, V[]> {
  const groups = new Map<string, V[]>();
  for (const [key, value] of entries) {
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

function grantOf(role: string, number: number, grant: RbacGrant): Grant {
  const { server, actions, decision, constraints = {} } = grant;
  const { environment, ...demands } = constraints;
  const asked = decision === 'deny' ? {} : demandsOf(decision, demands);
  return {
    role,
    id: `${role}/${number}`,
    server,
    actions: new Set(actions),
    environment: environment === undefined ? undefined : new Set([environment].flat()),
    outcome: asked.approval_required ? 'require_approval' : decision,
    constraints: asked,
  };
}

/** Both spellings of the channel as one (ruling R1); naming one asks for an approval (R9). */
function demandsOf(decision: Outcome, demands: RbacConstraints): Constraints {
  const { actor_required, approval_required, require_approval_via, approval_via } = demands;
  const via = require_approval_via ?? approval_via;
  const isAsked = decision === 'require_approval' || approval_required || via !== undefined;
  return {
    ...(actor_required && { actor_required }),
    ...(isAsked && { approval_required: true }),
    ...(via && { require_approval_via: via }),
  };
}
