/** What was decided, before it is written as one of the answers. */
import { REASONS, safeMessage, type OwnReason } from '../contract/reasons.ts';
import type { Constraints, Obligation, Outcome } from '../contract/types.gen.ts';

export interface Verdict {
  outcome: Outcome;
  /** Undefined until it is known. */
  visible: boolean | undefined;
  reason_code: string;
  /** The policy's own sentence. */
  safe_message: string | undefined;
  constraints: Constraints;
  obligations: Obligation[];
  /** The rules that decided, by id. */
  rules: string[];
  /** For operators: what went wrong. */
  detail: string | undefined;
}

export const DEFAULT_REASONS: Readonly<Record<Outcome, OwnReason>> = {
  allow: 'ALLOWED',
  deny: 'POLICY_DENIED',
  require_approval: 'APPROVAL_REQUIRED',
};

/** A verdict that says no more than its outcome. */
export function plainVerdict(outcome: Outcome): Verdict {
  return {
    outcome,
    visible: undefined,
    reason_code: DEFAULT_REASONS[outcome],
    safe_message: undefined,
    constraints: {},
    obligations: [],
    rules: [],
    detail: undefined,
  };
}

/** The policy could not decide (requirement E-05: every odd state denies). */
export function indeterminate(detail: string): Verdict {
  return { ...plainVerdict('deny'), reason_code: 'POLICY_INDETERMINATE', detail };
}

/** There is no policy to decide by. */
export function unavailable(detail: string): Verdict {
  return { ...plainVerdict('deny'), reason_code: 'POLICY_UNAVAILABLE', detail };
}

/** The same request refused for a reason of ours; what the policy said of it no longer counts. */
export function refuse(verdict: Verdict, reason_code: OwnReason, detail?: string): Verdict {
  return { ...verdict, outcome: 'deny', reason_code, safe_message: undefined, detail };
}

/** The sentence a caller may read: the policy's own, or ours for the code or the outcome. */
export function messageOf({ outcome, reason_code, safe_message }: Verdict): string {
  const known = Object.hasOwn(REASONS, reason_code) ? reason_code : DEFAULT_REASONS[outcome];
  return safeMessage(known, safe_message);
}

/** Reasons that are about the request or the policy, not about the capability. */
const OPEN_REASONS: ReadonlySet<string> = new Set([
  'ARGUMENTS_INCOMPLETE',
  'POLICY_INDETERMINATE',
  'POLICY_UNAVAILABLE',
]);

/**
 * The verdict as it may leave: all that is hidden is refused in the same words as what does not
 * exist, because not every caller is a PEP that makes them alike. The true reason is in the
 * evidence.
 */
export function concealed(verdict: Verdict): Verdict {
  if (verdict.visible) return verdict;
  const isOpen = OPEN_REASONS.has(verdict.reason_code);
  const reason_code = isOpen ? verdict.reason_code : 'CAPABILITY_NOT_ALLOWED';
  return { ...plainVerdict('deny'), visible: false, reason_code };
}
