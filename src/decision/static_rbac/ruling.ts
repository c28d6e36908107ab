/** One outcome out of all grants that hold (ruling R13). */
import { satisfiesActor } from '../../contract/actors.ts';
import type { ActorType, Constraints, Outcome } from '../../contract/types.gen.ts';
import type { Finding } from './findings.ts';
import type { Grant } from './model.ts';

export interface Ruling {
  outcome: Outcome;
  reason_code?: string;
  constraints: Constraints;
  /** The grants that decide. */
  grants: readonly Grant[];
}

/** The stricter first. */
const STRICTNESS: readonly Outcome[] = ['deny', 'require_approval', 'allow'];

/**
 * Denial before approval before allowance. Where it cannot be known whether a grant that restricts
 * holds, the thing is denied. `actor_type` is that of the subject, if it is proved.
 */
export function ruleOn(findings: readonly Finding[], actor_type: unknown): Ruling {
  const unknown = grantsThat(findings, 'it is not known where');
  if (unknown.length > 0) return denied(unknown);
  const holding = grantsThat(findings, 'holds');
  const outcome = STRICTNESS.find((strict) => holding.some((grant) => grant.outcome === strict));
  if (outcome === undefined) return { ...denied([]), reason_code: 'CAPABILITY_NOT_ALLOWED' };
  const grants = holding.filter((grant) => grant.outcome === outcome);
  const constraints = joined(grants, actor_type);
  return constraints ? { outcome, constraints, grants } : denied(grants);
}

function grantsThat(findings: readonly Finding[], wanted: Finding['standing']): Grant[] {
  return findings.filter(({ standing }) => standing === wanted).map(({ grant }) => grant);
}

function denied(grants: readonly Grant[]): Ruling {
  return { outcome: 'deny', constraints: {}, grants };
}

/** All constraints of equals at once; undefined where they cannot all hold. */
function joined(grants: readonly Grant[], actor_type: unknown): Constraints | undefined {
  const all = grants.map(({ constraints }) => constraints);
  const channels = distinct(all.map(({ require_approval_via: via }) => via));
  if (channels.length > 1) return undefined;
  const actor_required = actorOf(distinct(all.map((one) => one.actor_required)), actor_type);
  const [require_approval_via] = channels;
  return {
    ...(actor_required && { actor_required }),
    ...(all.some(({ approval_required }) => approval_required) && { approval_required: true }),
    ...(require_approval_via && { require_approval_via }),
  };
}

/**
 * An answer names one actor. Where several are required it is one that is not there, so that the
 * request is refused; where each is met, a human, who meets the most.
 */
function actorOf(required: readonly ActorType[], actor_type: unknown): ActorType | undefined {
  const unmet = required.filter((actor) => !satisfiesActor(actor, actor_type));
  const others = (actor: ActorType): boolean => actor !== 'human';
  // An approval may stand for a human, and for nobody else (R12).
  return unmet.find(others) ?? required.find((actor) => actor === 'human') ?? required[0];
}

function distinct<V>(values: readonly (V | undefined)[]): V[] {
  return [...new Set(values.filter((value) => value !== undefined))];
}
