/** Asks the decision point about one use of one capability. */
import { keyedDigestOf } from '../contract/digest.ts';
import { projectArguments } from '../contract/projection.ts';
import type { Projection, Resource } from '../contract/types.gen.ts';
import { withinDeadline } from './deadline.ts';
import { evaluationRequest, type Asker } from './evaluation.ts';
import { judge, UNAVAILABLE, type Verdict } from './judge.ts';
import type { JsonObject } from './message.ts';
import { ruleOf, type KnownMethod } from './methods.ts';
import type { PolicyWatch } from './policy_watch.ts';
import type { GuardParts } from './settings.ts';

export interface Question {
  asker: Asker;
  /** The method that stands for the use. */
  method: KnownMethod;
  resource: Resource;
  arguments: JsonObject;
  signal: AbortSignal;
}

/** Whether arguments are larger than the decision point must be able to take. */
export function isTooLarge({ settings }: GuardParts, args: JsonObject): boolean {
  return Buffer.byteLength(JSON.stringify(args)) > settings.arguments_bytes_max;
}

/**
 * The verdict on a question. Never rejects: without an answer that can be believed it is a refusal.
 * Where the policy needs other arguments than were sent, they are sent, once.
 */
export async function decide(
  parts: GuardParts,
  watch: PolicyWatch,
  question: Question,
): Promise<Verdict> {
  const digest = keyedDigestOf(parts.digestKey, question.arguments);
  const verdict = await ask(parts, question, digest, watch.ready?.arguments_projection);
  if (verdict.answer?.context.reason_code !== 'ARGUMENTS_INCOMPLETE') return verdict;
  const status = await watch.ask();
  if (!status) return UNAVAILABLE;
  return ask(parts, question, digest, status.arguments_projection);
}

async function ask(
  { decisionPoint, settings, log }: GuardParts,
  { asker, method, resource, arguments: args, signal }: Question,
  arguments_digest: string,
  projection: Projection | undefined,
): Promise<Verdict> {
  const verb = ruleOf(method)?.verb;
  const action = { name: method, ...(verb && { properties: { verb } }) };
  const request = evaluationRequest(asker, action, resource, {
    arguments: { ...projectArguments(projection, settings.server, resource, args) },
    arguments_digest,
    ...(projection && { arguments_projection: projection.digest }),
  });
  try {
    const work = (until: AbortSignal) => decisionPoint.decide(request, { signal: until });
    const answer: unknown = await withinDeadline(work, settings.decision_timeout_ms, signal);
    const verdict = judge(answer, asker.trusted.subject);
    if (verdict === UNAVAILABLE) log.error('the answer of the decision point is malformed');
    return verdict;
  } catch (error) {
    if (!signal.aborted) log.error('there is no decision', { error });
    return UNAVAILABLE;
  }
}
