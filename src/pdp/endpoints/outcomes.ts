/** `POST /v1/outcomes`: what a PEP did with decisions. The answer says that it is recorded. */
import type { Answer, Exchange } from '../exchange.ts';

export async function answerOutcome({ core, body, caller }: Exchange): Promise<Answer> {
  return { status: 200, body: await core.outcome(body, caller) };
}
