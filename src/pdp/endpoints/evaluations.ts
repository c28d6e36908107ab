/**
 * `POST /access/v1/evaluations` (AuthZEN Authorization API 1.0, section 7): a batch, or a list of
 * capabilities where `options.portcullis.discovery` is present.
 */
import { PortcullisError } from '../../errors.ts';
import type { Answer, Exchange } from '../exchange.ts';
import { withEvaluationId } from './evaluation.ts';

export async function answerEvaluations(exchange: Exchange): Promise<Answer> {
  const { core, body, caller, limits } = exchange;
  requireItemsWithin(body, limits.batch_items_max);
  return withEvaluationId(await core.evaluations(body, caller));
}

function requireItemsWithin(body: unknown, items_max: number): void {
  const items = (body as { evaluations?: unknown } | null)?.evaluations;
  if (!Array.isArray(items) || items.length <= items_max) return;
  throw new PortcullisError('REQUEST_TOO_LARGE', `a batch holds at most ${items_max} items`, {
    pointer: '/evaluations',
  });
}
