/**
 * The answer of a decision service in the SEP's profile as the result of a policy. Constraints and
 * the decision are read strictly; members beside them that nobody knows are ignored, as the draft
 * has them grow (rulings R1 and R9).
 */
import { requireObject, spelt, told } from '../foreign/words.ts';

/** The raw result, still to be judged. Throws `BACKEND_ANSWER_INVALID`. */
export function readSepAnswer(answer: unknown): unknown {
  const { decision, constraints, reason_code, safe_message } = requireObject(answer, 'its answer');
  return {
    decision,
    ...(constraints !== undefined && { constraints: spelt(constraints) }),
    ...told({ reason_code, safe_message }),
  };
}
