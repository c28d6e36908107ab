/**
 * What was tested is what runs: generated policies are judged by OPA over the scanning router, by
 * OPA over the generated one, by the compiled policy with its index, and by an oracle of the
 * tables. SEED and RUNS in the environment choose other policies and more of them.
 */
import { expect, test } from '@jest/globals';
import { describeWithOpa } from '../support/toolchain.ts';
import { compare, type Difference } from './differences.ts';
import { caseFor } from './generate/policy.ts';
import type { Policy } from './model.ts';
import { word } from './oracle/view.ts';
import { reportOf } from './report.ts';
import { RUNS, SEED } from './seeds.ts';
import { shrink } from './shrink.ts';

const LANES = 3;
const SHRINKING_ATTEMPTS_MAX = 150;
/** A policy takes half a second on two free cores. */
const TIMEOUT_MS = 60_000 + RUNS * 10_000;

describeWithOpa('four voices', () => {
  const title = `${RUNS} policies from seed ${SEED} are judged alike, in every outcome`;
  test(
    title,
    async () => {
      const tally: Tally = { modules: 0, outcomes: {} };
      await inLanes(RUNS, (run) => judgeOne(SEED + run, tally));
      const { allow = 0, deny = 0, require_approval = 0 } = tally.outcomes;
      const all = allow + deny + require_approval;
      expect(tally.modules).toBeGreaterThanOrEqual(Math.min(200, RUNS * 4));
      for (const count of [allow, deny, require_approval])
        expect(count / all).toBeGreaterThanOrEqual(0.25);
    },
    TIMEOUT_MS,
  );
});

interface Tally {
  modules: number;
  /** How many calls had an outcome, in the compiled policy. */
  outcomes: Record<string, number>;
}

async function judgeOne(seed: number, tally: Tally): Promise<void> {
  const { policy, requests } = caseFor(seed);
  const { differences, voices } = await compare(policy, requests);
  const [first] = differences;
  if (first) throw new Error(await smallest(seed, policy, first));
  tally.modules += policy.rules.length;
  for (const [i, { wasm }] of voices.entries()) {
    const { context, action } = requests[i]!;
    if (context.phase !== 'call' || action.name !== 'tools/call' || 'error' in wasm) continue;
    const outcome = word(wasm.decision?.decision);
    tally.outcomes[outcome] = (tally.outcomes[outcome] ?? 0) + 1;
  }
}

/** The least that still differs in the same way, as text. */
async function smallest(seed: number, policy: Policy, found: Difference): Promise<string> {
  let last = found;
  const small = await shrink(
    { policy, request: found.request },
    {
      attempts_max: SHRINKING_ATTEMPTS_MAX,
      fails: async (candidate) => {
        const { differences } = await compare(candidate.policy, [candidate.request]);
        const same = differences.find(({ why }) => why === found.why);
        last = same ?? last;
        return same !== undefined;
      },
    },
  );
  return `seed ${seed}: ${reportOf(small.policy, last)}`;
}

/** A few at a time; the first failure ends all. */
async function inLanes(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async (): Promise<void> => {
    while (next < count && !failed) {
      next += 1;
      await work(next - 1).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
