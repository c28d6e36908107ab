/**
 * Judges the raw result of a policy strictly: a typo, an unknown member or an odd value never opens
 * (ruling R9, and R1 in that only foreign answers may spell it `approval_via`).
 */
import type { Constraints, PolicyResult } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { indeterminate, plainVerdict, DEFAULT_REASONS, type Verdict } from './verdict.ts';

/** The verdict of one result; undefined is a policy that yields none. */
export function judgeResult(raw: unknown): Verdict {
  if (raw === undefined) return indeterminate('the policy yields no result');
  if (typeof raw === 'boolean') return plainVerdict(raw ? 'allow' : 'deny');
  const result = VALIDATORS.policy_result(raw);
  if (result.ok) return judge(result.value);
  const { pointer, keyword } = result.fault;
  return indeterminate(`the result of the policy fails its schema at \`${pointer}\` (${keyword})`);
}

function judge(result: PolicyResult): Verdict {
  const { decision, constraints = {}, errors = [] } = result;
  if (errors.length > 0) return indeterminate('the policy reports errors');
  const isAsked = approvalAsked(result);
  if (isAsked === undefined) return indeterminate('the constraints contradict each other');
  const outcome = decision === 'allow' && isAsked ? 'require_approval' : decision;
  if (outcome === 'allow' && result.visible === false) {
    return indeterminate('the policy allows what it hides');
  }
  return {
    outcome,
    visible: result.visible,
    reason_code: result.reason_code ?? DEFAULT_REASONS[outcome],
    safe_message: result.safe_message ?? undefined,
    constraints: outcome === 'require_approval' ? demanding(constraints) : constraints,
    obligations: result.obligations ?? [],
    rules: result.rules ?? [],
    detail: undefined,
  };
}

/**
 * Naming a channel asks for an approval as much as `approval_required` does; undefined where both
 * contradict each other.
 */
function approvalAsked({ decision, constraints = {} }: PolicyResult): boolean | undefined {
  const { approval_required, require_approval_via } = constraints;
  const isAsked = decision === 'require_approval' || require_approval_via !== undefined;
  if (approval_required === false && isAsked) return undefined;
  return isAsked || approval_required === true;
}

function demanding(constraints: Constraints): Constraints {
  return { ...constraints, approval_required: true };
}

/** Whether one result, asked for as a list asks, shows its resource. */
export function showsResource(raw: unknown): boolean {
  return showsVerdict(judgeResult(raw));
}

export function showsVerdict({ visible, outcome }: Verdict): boolean {
  return visible ?? outcome !== 'deny';
}

/**
 * The visible positions among `count` resources, or undefined where the raw result is anything but
 * an array of distinct positions.
 */
export function judgeList(raw: unknown, count: number): ReadonlySet<number> | undefined {
  if (!Array.isArray(raw)) return undefined;
  const positions = new Set<number>();
  for (const position of raw as unknown[]) {
    if (!Number.isInteger(position)) return undefined;
    const index = position as number;
    if (index < 0 || index >= count || positions.has(index)) return undefined;
    positions.add(index);
  }
  return positions;
}
