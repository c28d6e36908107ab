/**
 * `POST /access/v1/evaluations` (AuthZEN Authorization API 1.0, section 7): a batch, or a list of
 * capabilities where `options.portcullis.discovery` is present.
 */
import type { Answer, Exchange } from '../exchange.ts';
import { withEvaluationId } from './evaluation.ts';

export async function answerEvaluations(exchange: Exchange): Promise<Answer> {
  const { core, body, caller, signal } = exchange;
  return withEvaluationId(await core.evaluations(body, caller, { signal }));
}
