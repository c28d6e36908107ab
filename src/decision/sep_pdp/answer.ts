/**
 * The answer of a decision service in the SEP's profile as the result of a policy. Constraints and
 * the decision are read strictly; members beside them that nobody knows are ignored, as the draft
 * has them grow (rulings R1 and R9).
 */
import { requireObject, spelt, told } from '../foreign/words.ts';

/**
 * Denials that say what is missing: with it the thing could be had, so it is no secret (R11).
 * What is not denied is visible anyway.
 */
const TELLING: ReadonlySet<unknown> = new Set([
  'ACTOR_VALIDATION_FAILED',
  'APPROVAL_REQUIRED',
  'APPROVAL_VALIDATION_FAILED',
]);

/** The raw result, still to be judged. Throws `BACKEND_ANSWER_INVALID`. */
export function readSepAnswer(answer: unknown): unknown {
  const { decision, constraints, reason_code, safe_message } = requireObject(answer, 'its answer');
  return {
    decision,
    ...(TELLING.has(reason_code) && { visible: true }),
    ...(constraints !== undefined && { constraints: spelt(constraints) }),
    ...told({ reason_code, safe_message }),
  };
}
