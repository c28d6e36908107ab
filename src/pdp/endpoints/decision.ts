/** `POST /v1/decision`: the external decision profile of the SEP, as its draft publishes it. */
import type { Answer, Exchange } from '../exchange.ts';
import { withEvaluationId } from './evaluation.ts';

export async function answerDecision({ core, body, caller }: Exchange): Promise<Answer> {
  return withEvaluationId(await core.sepDecision(body, caller));
}
