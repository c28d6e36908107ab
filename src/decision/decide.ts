/** One decision, from the input of the policy to the verdict. */
import { PortcullisError, type ErrorCode } from '../errors.ts';
import { demandActor, demandArguments } from './constraints.ts';
import { demandObligations, settleObligations } from './obligations.ts';
import { discoveryInput, type CompleteInput, type Profile } from './request.ts';
import { judgeListing } from './listing.ts';
import { judgeResult } from './result.ts';
import type { Resource } from '../contract/types.gen.ts';
import type { ActivePolicy } from './types.ts';
import { indeterminate, type Verdict } from './verdict.ts';

/**
 * Decides one request by one policy. Every state that is not plainly an allow is a deny, as a
 * value. Throws `REQUEST_TOO_LARGE` where the engine cannot take the request at all, and
 * `BACKEND_UNREACHABLE` where whoever decides is not there.
 */
export async function decide(
  profile: Profile,
  input: CompleteInput,
  policy: ActivePolicy,
): Promise<Verdict> {
  const judged = await evaluate(policy, input);
  const seen = await settleVisibility(judged, policy, input);
  const informed = demandArguments(seen, profile, input, policy.projection);
  const acted = demandActor(informed, input);
  const bound = settleObligations(acted);
  const decided = demandObligations(bound, input);
  return { ...decided, detail: decided.detail ?? policy.explain?.(input) };
}

async function evaluate(policy: ActivePolicy, input: CompleteInput): Promise<Verdict> {
  try {
    return judgeResult(await policy.evaluate(input));
  } catch (error) {
    return indeterminate(brokenOff(error));
  }
}

/**
 * What can be called is visible. Where the policy does not say it of what it denies, the same
 * question is asked as a list asks it, so that a hidden item costs no less than a denied one.
 */
async function settleVisibility(
  verdict: Verdict,
  policy: ActivePolicy,
  input: CompleteInput,
): Promise<Verdict> {
  if (verdict.visible !== undefined) return verdict;
  const visible = verdict.outcome !== 'deny' || (await isListed(policy, input));
  return { ...verdict, visible };
}

async function isListed(policy: ActivePolicy, input: CompleteInput): Promise<boolean> {
  try {
    const resource = input.resource as unknown as Resource;
    const raw = await policy.list(discoveryInput(input), [resource]);
    return judgeListing(raw, 1)?.[0]?.visible ?? false;
  } catch (error) {
    brokenOff(error);
    return false;
  }
}

/**
 * Errors after which there is no decision: the question is beyond the limits, or nobody decides.
 */
const NO_DECISION: ReadonlySet<ErrorCode> = new Set(['REQUEST_TOO_LARGE', 'BACKEND_UNREACHABLE']);

/** Why an evaluation gave nothing. Throws what leaves no decision at all. */
export function brokenOff(error: unknown): string {
  if (!(error instanceof PortcullisError)) return 'the evaluation failed';
  if (NO_DECISION.has(error.code)) throw error;
  return `${error.code}: ${error.message}`;
}
