/**
 * Reads the answer of a decision point. It is believed only where it is well formed, agrees with
 * itself, and asks for nothing that this enforcement point cannot prove or do (rulings R9, R12).
 */
import { satisfiesActor } from '../contract/actors.ts';
import type { OwnReason } from '../contract/reasons.ts';
import type {
  ActorType,
  Constraints,
  EvaluationResponse,
  Obligation,
  Subject,
} from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { OBLIGATIONS_SUPPORTED } from './obligations/plan.ts';
import { unmetStepUp, type StepUp } from './step_up.ts';

export type Verdict =
  | { outcome: 'allow'; answer: EvaluationResponse }
  /** Answer as if the capability did not exist. */
  | { outcome: 'hidden'; answer: EvaluationResponse }
  | Refused
  /** There is no decision. */
  | (Refusal & { answer?: undefined });

interface Refusal {
  outcome: 'refuse';
  reason_code: string;
  safe_message?: string | undefined;
  /** The login that would do. */
  step_up?: StepUp;
  /** The decision point allowed it, and this enforcement point did not. */
  overruled?: true;
}

/** A refusal by a decision. */
export type Refused = Refusal & { answer: EvaluationResponse };

export const UNAVAILABLE: Verdict = { outcome: 'refuse', reason_code: 'POLICY_UNAVAILABLE' };

/** This enforcement point refuses what the decision point allowed. */
const OVERRULED = { outcome: 'refuse', overruled: true } as const;

/** Judges an answer for a caller by what is proved of it: its actor type, and its login. */
export function judge(raw: unknown, { properties }: Subject): Verdict {
  const validated = VALIDATORS.evaluation_response(raw);
  if (!validated.ok) return UNAVAILABLE;
  const answer = validated.value;
  const { outcome, visible, reason_code, safe_message, constraints, obligations } = answer.context;
  if (answer.decision && outcome !== 'allow') return UNAVAILABLE;
  if (!visible) return { outcome: 'hidden', answer };
  if (!answer.decision) return { outcome: 'refuse', answer, ...reasonOf(answer) };
  const objection =
    constraintFault(constraints, properties?.actor_type) ?? obligationFault(obligations);
  if (objection === undefined) {
    const step_up = unmetStepUp(obligations, properties?.assurance);
    if (step_up === undefined) return { outcome: 'allow', answer };
    return { ...OVERRULED, answer, reason_code: 'STEP_UP_REQUIRED', step_up };
  }
  const sentence = objection === reason_code ? safe_message : undefined;
  return { ...OVERRULED, answer, reason_code: objection, safe_message: sentence };
}

/**
 * An approval cannot be had yet, so whatever needs one says so, in the policy's own words. A
 * refusal that is called an allow is none that a caller could make sense of.
 */
function reasonOf({ context }: EvaluationResponse): { reason_code: string; safe_message?: string } {
  if (context.reason_code === 'ALLOWED') return { reason_code: 'POLICY_INDETERMINATE' };
  const reason_code =
    context.outcome === 'require_approval' ? 'APPROVAL_REQUIRED' : context.reason_code;
  const { safe_message } = context;
  return { reason_code, ...(safe_message !== undefined && { safe_message }) };
}

function constraintFault(
  { actor_required, approval_required, require_approval_via }: Constraints,
  actor_type: ActorType | undefined,
): OwnReason | undefined {
  if (approval_required === true || require_approval_via !== undefined) return 'APPROVAL_REQUIRED';
  if (actor_required === undefined || satisfiesActor(actor_required, actor_type)) return undefined;
  return 'ACTOR_VALIDATION_FAILED';
}

function obligationFault(obligations: readonly Obligation[]): OwnReason | undefined {
  const unmet = obligations.some(
    ({ type, mandatory }) => mandatory !== false && !OBLIGATIONS_SUPPORTED.includes(type),
  );
  return unmet ? 'OBLIGATION_UNSUPPORTED' : undefined;
}
