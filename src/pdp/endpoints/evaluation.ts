/** `POST /access/v1/evaluation` (AuthZEN Authorization API 1.0, section 6). A deny is a 200. */
import type { EvaluationAnswer } from '../../decision/types.ts';
import type { Answer, Exchange } from '../exchange.ts';

const EVALUATION_ID_HEADER = 'Portcullis-Evaluation-Id';

export async function answerEvaluation({ core, body, caller }: Exchange): Promise<Answer> {
  return withEvaluationId(await core.evaluation(body, caller));
}

/** The id also stands in a header, because a batch may not carry it in its body. */
export function withEvaluationId({ body, evaluation_id }: EvaluationAnswer): Answer {
  return { status: 200, body, headers: { [EVALUATION_ID_HEADER]: evaluation_id } };
}
