/** A policy and the requests that it is asked, all from one seed. */
import { seededRandom, type SeededRandom } from '../../support/seeded_random.ts';
import type { Policy, Request } from '../model.ts';
import { judge } from '../oracle/decision.ts';
import { dataFor } from './data.ts';
import type { LineOptions } from './lines.ts';
import { list } from './pools.ts';
import { asApprover, asDiscovery, asList, callFor, nearby } from './requests.ts';
import { ruleFor } from './rules.ts';

export interface Case {
  policy: Policy;
  requests: Request[];
}

/** Calls to choose from, each with one beside it; few are allowed. */
const PAIRS = 100;
const CALLS_OF_EACH_OUTCOME = 9;

export function caseFor(seed: number, options: LineOptions = {}): Case {
  const random = seededRandom(seed);
  let titles = 0;
  const rules = list(random, { from: 4, to: 7 }, () => {
    titles += 1;
    return ruleFor(random, `rule_${titles}`, options);
  });
  const policy = { rules, data: dataFor(random) };
  return { policy, requests: requestsFor(random, policy) };
}

/**
 * As many calls of each outcome, by the oracle, first those that one fact turns; and some of them
 * asked in the other ways.
 */
function requestsFor(random: SeededRandom, policy: Policy): Request[] {
  const pairs = Array.from({ length: PAIRS }, () => {
    const call = callFor(random, policy);
    return [call, nearby(random, call)] as const;
  });
  const turns = ([call, other]: (typeof pairs)[number]): boolean =>
    JSON.stringify(judge(policy, call)) !== JSON.stringify(judge(policy, other));
  const candidates = [...pairs.filter(turns), ...pairs].flat();
  const byOutcome = Map.groupBy(new Set(candidates), (call) => judge(policy, call).decision);
  const chosen = [...byOutcome.values()].flatMap((same) => same.slice(0, CALLS_OF_EACH_OUTCOME));
  const others = chosen.filter(() => random.chance(0.25));
  return [
    ...chosen,
    ...others.map(asDiscovery),
    ...others.slice(0, 2).map(asList),
    ...others.map((call) => asApprover(random, call)),
  ];
}
