/** Writes a verdict as the answer of AuthZEN. */
import type { EvaluationResponse } from '../contract/types.gen.ts';
import type { ActivePolicy } from './types.ts';
import { concealed, messageOf, type Verdict } from './verdict.ts';

/**
 * The answer; `decision` alone is enough to be safe. `evaluation_id` is left out where two sendings
 * of one request must be answered alike (batches).
 */
export function answerOf(
  verdict: Verdict,
  policy: ActivePolicy | undefined,
  evaluation_id?: string,
): EvaluationResponse {
  const told = concealed(verdict);
  const isStale = policy && told.reason_code === 'ARGUMENTS_INCOMPLETE';
  return {
    decision: told.outcome === 'allow',
    context: {
      outcome: told.outcome,
      visible: told.visible === true,
      reason_code: told.reason_code,
      safe_message: messageOf(told),
      constraints: told.constraints,
      obligations: told.obligations,
      ...(evaluation_id !== undefined && { evaluation_id }),
      ...(policy && { policy: policy.identity }),
      ...(isStale && { arguments_projection: policy.projection }),
    },
  };
}
