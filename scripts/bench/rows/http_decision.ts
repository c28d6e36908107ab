/** A decision over HTTP with durable evidence, against OPA that logs its decisions to a file. */
import { OPA_MODES, startOpa, type OpaMode } from '../opa_server.ts';
import type { LoadOrder, LoadResult, LoadSetting } from '../load_process.ts';
import { cpuOf } from '../machine.ts';
import type { PolicyKind } from '../policy.ts';
import { startPortcullis } from '../portcullis_server.ts';
import type { Server } from '../server.ts';
import { compare, inTurns, median } from '../statistics.ts';
import { startSubject, type Subject } from '../subject.ts';
import { isMet, type Bench, type Figures, type Row } from './row.ts';

const PACKAGES = 10;
const CONCURRENCY = [1, 16, 64];
/** Throughput has a goal where callers wait side by side. */
const THROUGHPUT_GOALS: Readonly<Record<number, string>> = { 16: '>= 3', 64: '>= 3' };
/** Runs before those that count: they choose OPA's way, and warm both sides up. */
const TRIAL_CONNECTIONS = 16;
const TRIALS_MAX = 3;

type Load = Subject<LoadOrder, LoadResult>;

interface Loaded extends LoadResult {
  cpu_us: number;
}

/** A server with the load generator that asks it. */
interface Side {
  server: Server;
  load: Load;
  asked: number;
}

export async function httpDecision(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ['plain', 'library'] as const) rows.push(...(await oneKind(bench, kind)));
  return rows;
}

async function oneKind(bench: Bench, kind: PolicyKind): Promise<Row[]> {
  const { built, questions } = await bench.policy(kind, PACKAGES);
  await using opened = new AsyncDisposableStack();
  const load: Load = await startSubject('load_process.ts', { questions } satisfies LoadSetting);
  opened.defer(() => load.close());
  const sideOf = (server: Server): Side => {
    opened.defer(() => server.close());
    return { server, load, asked: 0 };
  };
  const candidates: Side[] = [];
  for (const mode of OPA_MODES) {
    candidates.push(sideOf(await startOpa(bench.opa, built, mode, bench.folder)));
  }
  const [opa, mode] = await quickest(bench, candidates);
  const ours = sideOf(await startPortcullis(built, bench.folder));
  await tryOut(bench, [ours]);
  const reference = `OPA, decisions logged to a file (${mode.name}), not flushed`;
  bench.note(`opa_flags_${kind}`, ['run --server --log-level error', ...mode.flags].join(' '));
  const rows: Row[] = [];
  for (const concurrency of CONCURRENCY) {
    bench.progress(`HTTP decision, ${kind} policy, ${concurrency} connections`);
    const order = { connections: concurrency, seconds: bench.seconds };
    const pairs = await inTurns(
      bench.rounds,
      () => loaded(ours, order),
      () => loaded(opa, order),
    );
    rows.push(...rowsOf(pairs, { policy: kind, concurrency, reference }));
  }
  for (const side of [ours, opa]) demandRecorded(side);
  return rows;
}

async function loaded(side: Side, order: Omit<LoadOrder, 'target'>): Promise<Loaded> {
  const pid = side.server.child.pid as number;
  const before = cpuOf(pid);
  const result = await side.load.run({ ...order, target: side.server.target });
  const used = cpuOf(pid) - before;
  side.asked += result.sent;
  side.server.settle();
  return { ...result, cpu_us: used / result.sent };
}

/** The way of OPA's that answers most, so that the reference is its best. */
async function quickest(bench: Bench, sides: readonly Side[]): Promise<[Side, OpaMode]> {
  const medians = await tryOut(bench, sides);
  const best = medians.indexOf(Math.max(...medians));
  return [sides[best] as Side, OPA_MODES[best] as OpaMode];
}

/** Answers a second of each side, which take turns. */
async function tryOut(bench: Bench, sides: readonly Side[]): Promise<number[]> {
  const order = { connections: TRIAL_CONNECTIONS, seconds: bench.seconds };
  const found = sides.map((): number[] => []);
  for (let trial = 0; trial < Math.min(TRIALS_MAX, bench.rounds); trial += 1) {
    for (const [i, side] of sides.entries()) {
      found[i]?.push((await loaded(side, order)).per_second);
    }
  }
  return found.map(median);
}

function rowsOf(
  pairs: readonly [Loaded, Loaded][],
  shared: Pick<Row, 'reference'> & { policy: PolicyKind; concurrency: number },
): Row[] {
  const ours = figures(pairs.map(([a]) => a));
  const theirs = figures(pairs.map(([, b]) => b));
  const throughput = compare(pairs, (a, b) => a.per_second / b.per_second);
  const p99 = compare(pairs, (a, b) => a.p99 / b.p99);
  const goal = THROUGHPUT_GOALS[shared.concurrency] ?? null;
  return [
    {
      name: 'http_decision_throughput',
      ...shared,
      ...throughput,
      goal,
      met: goal === null ? null : isMet(goal, throughput.ratio),
      unit: 'x of the decisions a second',
      ours,
      theirs,
    },
    {
      name: 'http_decision_p99',
      ...shared,
      ...p99,
      goal: '< 1',
      met: isMet('< 1', p99.ratio),
      unit: 'x of the p99',
      ours,
      theirs,
    },
  ];
}

function figures(results: readonly Loaded[]): Figures {
  return {
    per_second: median(results.map(({ per_second }) => per_second)),
    p50_ms: median(results.map(({ p50 }) => p50)),
    p99_ms: median(results.map(({ p99 }) => p99)),
    cpu_us: median(results.map(({ cpu_us }) => cpu_us)),
  };
}

/** A log that left decisions out would compare something else. */
function demandRecorded({ server, asked }: Side): void {
  const recorded = server.recorded();
  if (recorded >= asked) return;
  throw new Error(`${recorded} of ${asked} decisions stand in the log of ${server.target.path}`);
}
