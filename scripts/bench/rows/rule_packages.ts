/** One decision by a policy of few and of many rule packages, all but some for other tools. */
import type { DecisionOrder, DecisionSetting } from '../decision_process.ts';
import { compare, median, type Latency } from '../statistics.ts';
import { startSubject, type Subject } from '../subject.ts';
import { isMet, type Bench, type Figures, type Row } from './row.ts';

const FEWEST = 4;
const MORE = [10, 100, 1_000];
/** Microseconds. */
const GOALS: Readonly<Record<number, string>> = { 100: '<= 50' };

type Decider = Subject<DecisionOrder, Latency>;

export async function rulePackages(bench: Bench): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const deciders = new Map<number, Decider>();
  for (const packages of [FEWEST, ...MORE]) {
    bench.progress(`one decision, ${packages} rule packages`);
    const decider = await startDecider(bench, packages);
    opened.defer(() => decider.close());
    await decider.run({ seconds: bench.seconds });
    deciders.set(packages, decider);
  }
  const found = new Map<number, Latency[]>();
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const [packages, decider] of deciders) {
      const latency = await decider.run({ seconds: bench.seconds });
      found.set(packages, [...(found.get(packages) ?? []), latency]);
    }
  }
  const fewest = found.get(FEWEST) as Latency[];
  return MORE.map((packages) => rowOf(packages, found.get(packages) as Latency[], fewest));
}

async function startDecider(bench: Bench, packages: number): Promise<Decider> {
  const { built, questions } = await bench.policy('library', packages);
  const setting: DecisionSetting = { built, questions };
  return startSubject<DecisionOrder, Latency>('decision_process.ts', setting);
}

function rowOf(packages: number, many: readonly Latency[], few: readonly Latency[]): Row {
  const pairs = many.map((latency, round) => [latency, few[round] as Latency] as const);
  const ours = figures(many);
  const value = ours.p99_us as number;
  const goal = GOALS[packages] ?? null;
  return {
    name: 'one_decision_p99',
    policy: 'library',
    packages,
    ...compare(pairs, (a, b) => a.p99 / b.p99),
    reference: `the same decision by ${FEWEST} rule packages`,
    value,
    goal,
    met: goal === null ? null : isMet(goal, value),
    unit: 'us',
    ours,
    theirs: figures(few),
  };
}

function figures(latencies: readonly Latency[]): Figures {
  return {
    p50_us: median(latencies.map(({ p50 }) => p50 * 1000)),
    p99_us: median(latencies.map(({ p99 }) => p99 * 1000)),
    // Of the round that other processes disturbed least.
    p99_lowest_us: Math.min(...latencies.map(({ p99 }) => p99 * 1000)),
  };
}
