/** Laws that hold between decisions, whatever the policy: nothing that narrows may open. */
import { expect, test } from '@jest/globals';
import type { Engine } from '../../src/engine/types.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { caseFor, type Case } from './generate/policy.ts';
import { asDiscovery, asList } from './generate/requests.ts';
import { ruleFor } from './generate/rules.ts';
import type { Answer, Json, JsonObject, Policy, Request } from './model.ts';
import { reordered, shuffled } from './order.ts';
import { filesOf } from './render.ts';
import { RUNS, SEED } from './seeds.ts';
import { askOnce, askWasm, canonical, engineFor, parseFiles } from './voices.ts';

/** Fewer than the differential judges: each is built several times. */
const POLICIES = Math.ceil(RUNS / 6);
const TIMEOUT_MS = 60_000 + POLICIES * 30_000;
const seeds = Array.from({ length: POLICIES }, (_, i) => SEED + i);

function build(policy: Policy): Promise<Engine> {
  return parseFiles(filesOf(policy)).then((parsed) => engineFor(parsed));
}

async function answersOf(policy: Policy, requests: readonly Request[]): Promise<Answer[]> {
  return askWasm(await build(policy), requests).map(answered);
}

function answered(voice: Answer | { error: string }): Answer {
  if ('error' in voice) throw new Error(voice.error);
  return voice;
}

function callsOf({ requests }: Case): Request[] {
  return requests.filter(
    ({ action, context }) => action.name === 'tools/call' && context.phase === 'call',
  );
}

const RANKS: Json[] = ['deny', 'require_approval', 'allow'];

/** How far a decision opens: what it may do, and whether it is seen. */
function openness({ decision }: Answer): number[] {
  return [RANKS.indexOf(decision?.decision ?? 'deny'), Number(decision?.visible === true)];
}

function expectNoneWider(before: readonly Answer[], after: readonly Answer[], why: string): void {
  const wider = after.flatMap((answer, i) => {
    const limits = openness(before[i]!);
    return openness(answer).some((rank, k) => rank > limits[k]!) ? [i] : [];
  });
  expect({ why, wider }).toEqual({ why, wider: [] });
}

/** One test over all policies, each named in what fails. */
function law(title: string, holds: (one: Case, seed: number) => Promise<void>, options = {}): void {
  const run = async (): Promise<void> => {
    for (const seed of seeds) await holds(caseFor(seed, options), seed);
  };
  test(`${title} (${POLICIES} policies from seed ${SEED})`, run, TIMEOUT_MS);
}

describeWithOpa('laws of the policy library', () => {
  law('what can be called is listed', async (one, seed) => {
    const engine = await build(one.policy);
    for (const call of callsOf(one)) {
      const { decision } = answered(askOnce(engine, call));
      if (decision?.decision === 'deny') continue;
      const item = answered(askOnce(engine, asDiscovery(call)));
      expect({ seed, visible: item.decision?.visible }).toEqual({ seed, visible: true });
    }
    engine.close();
  });

  law('a list shows what each item by itself shows', async (one, seed) => {
    const engine = await build(one.policy);
    for (const call of callsOf(one).slice(0, 8)) {
      const list = asList(call);
      const single = list.resources!.map((resource) =>
        answered(askOnce(engine, { ...asDiscovery(call), resource })),
      );
      const shown = [...single.keys()].filter((i) => single[i]?.decision?.visible === true);
      expect({ seed, shown }).toEqual({ seed, shown: answered(askOnce(engine, list)).visible });
    }
    engine.close();
  });

  law('the order of rules, bodies, grants and groups does not matter', async (one, seed) => {
    const { policy, requests } = one;
    const random = seededRandom(seed);
    const other = requests.map((request) => {
      const { groups, ...rest } = request.subject.properties;
      const properties: JsonObject = groups
        ? { ...rest, groups: shuffled(random, groups as Json[]) }
        : rest;
      return { ...request, subject: { ...request.subject, properties } };
    });
    const before = await answersOf(policy, requests);
    const after = await answersOf(reordered(random, policy), other);
    expect({ seed, answers: after.map(canonical) }).toEqual({
      seed,
      answers: before.map(canonical),
    });
  });

  law('a grant that is taken away opens nothing', async (one, seed) => {
    const { policy } = one;
    const calls = callsOf(one);
    const before = await answersOf(policy, calls);
    const allowing = policy.data.grants.filter(({ require_approval }) => !require_approval);
    for (const grant of allowing.slice(0, 3)) {
      const grants = policy.data.grants.filter((other) => other !== grant);
      const less = { ...policy, data: { ...policy.data, grants } };
      expectNoneWider(before, await answersOf(less, calls), `seed ${seed}`);
    }
  });

  law('one denial more opens nothing', async (one, seed) => {
    const { policy } = one;
    const calls = callsOf(one);
    const { applies, form, view } = ruleFor(seededRandom(seed), 'denial');
    const denial = { area: 'more', title: 'denial', effect: 'deny', split: false } as const;
    const rules = [...policy.rules, { ...denial, applies, form, view }];
    const before = await answersOf(policy, calls);
    const after = await answersOf({ ...policy, rules }, calls);
    expectNoneWider(before, after, `seed ${seed}`);
  });

  law(
    'one link more of a delegation opens nothing',
    async (one, seed) => {
      const engine = await build(one.policy);
      const ask = (call: Request): Answer => answered(askOnce(engine, call));
      const calls = callsOf(one);
      const before = calls.map(ask);
      for (const id of ['planner', 'cid-runner', 'cid-unknown']) {
        const longer = calls.map((call) => ask(delegated(call, id)));
        expectNoneWider(before, longer, `seed ${seed}, ${id}`);
      }
      engine.close();
    },
    { without_chain: true },
  );
});

function delegated(call: Request, id: string): Request {
  const { delegation = [], ...rest } = call.subject.properties;
  const properties = { ...rest, delegation: [...(delegation as Json[]), { id }] };
  return { ...call, subject: { ...call.subject, properties } };
}
