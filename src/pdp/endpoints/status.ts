/** `GET /v1/status`: what a PEP must know before it asks; also answered while nothing is ready. */
import type { Answer, Exchange } from '../exchange.ts';

export function answerStatus({ core }: Exchange): Answer {
  return { status: 200, body: core.status() };
}
