/** How the grants of a file stand to one question: which hold, and why the others do not. */
import { members, type Members } from '../request.ts';
import type { PolicyInput } from '../types.ts';
import type { Grant, Rbac } from './model.ts';

/** Who asks, and where: the same for every item of a list. */
export interface Asker {
  roles: ReadonlySet<string>;
  /** Undefined where nobody proved it. */
  deployment: string | undefined;
  /** Of the subject, if it is proved. */
  actor_type: unknown;
}

/** One thing, and what is to be done with it. */
export interface Target {
  type: string;
  id: string;
  server: unknown;
}

export type Standing =
  | 'holds'
  | 'the role is not held'
  | 'another server'
  | 'another action'
  | 'another environment'
  /** Server or environment is not known, so that it may hold. */
  | 'it is not known where';

export interface Finding {
  grant: Grant;
  standing: Standing;
}

/** The roles and the deployment of whoever asks; the fault of an input that does not tell them. */
export function askerOf(rbac: Rbac, { subject, context }: PolicyInput): Asker | { fault: string } {
  const { id, properties } = members(subject);
  const { groups = [], actor_type } = members(properties);
  const { deployment } = members(members(context).environment);
  if (typeof id !== 'string') return { fault: 'the subject has no id' };
  if (!isTexts(groups)) return { fault: 'the groups are no list of texts' };
  if (deployment !== undefined && typeof deployment !== 'string') {
    return { fault: 'the deployment is no text' };
  }
  return { roles: rolesOf(rbac, id, groups), deployment, actor_type };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** A role applies to the group of its name, and to whom the file binds it (ruling R14). */
function rolesOf({ bindings }: Rbac, principal: string, groups: readonly string[]): Set<string> {
  const holders = groups.map((group) => `group:${group}`);
  // A principal of such a name is no group: groups come from their own place only.
  if (!principal.startsWith('group:')) holders.push(principal);
  return new Set([...groups, ...holders.flatMap((holder) => bindings.get(holder) ?? [])]);
}

/** Undefined where the input names no thing. */
export function targetOf(resource: unknown): Target | undefined {
  const { type, id, properties }: Members = members(resource);
  if (typeof type !== 'string' || typeof id !== 'string') return undefined;
  return { type, id, server: members(properties).server };
}

/** The grants that speak of the thing, in the order of the file. */
export function grantsOn({ grants }: Rbac, { type, id }: Target): readonly Grant[] {
  return grants.get(`${type}:${id}`) ?? [];
}

/**
 * How a grant stands to an action. `isListed` is whether things of this kind are listed: who may
 * not know of one may do nothing with it, since what can be used is listed.
 */
export function standingOf(
  grant: Grant,
  asker: Asker,
  { server }: Target,
  verb: string,
  isListed: boolean,
): Standing {
  const isHiding = isListed && grant.outcome === 'deny' && grant.actions.has('list');
  if (!asker.roles.has(grant.role)) return 'the role is not held';
  if (!grant.actions.has(verb) && !isHiding) return 'another action';
  const { server: only, environment, outcome } = grant;
  const isThere = only === undefined || only === server;
  if (!isThere && typeof server === 'string') return 'another server';
  const isNow = environment === undefined || environment.has(asker.deployment ?? '');
  if (!isNow && asker.deployment !== undefined) return 'another environment';
  if (isThere && isNow) return 'holds';
  // What would open does not hold in doubt; what would restrict may, and that decides (R15).
  if (outcome !== 'allow') return 'it is not known where';
  return isThere ? 'another environment' : 'another server';
}
