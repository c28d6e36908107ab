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
/** A longer flush is shared by more callers: one alone would tell nothing but its time. */
const SLOW_DISK_CONCURRENCY = [16, 64];
const ADDED_FLUSHES_MS = [1, 2, 5];
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
  await using opened = new AsyncDisposableStack();
  const { opa, reference, start } = await openSides(bench, kind, opened);
  const ours = await start(0);
  const rows: Row[] = [];
  for (const concurrency of CONCURRENCY) {
    bench.progress(`HTTP decision, ${kind} policy, ${concurrency} connections`);
    const pairs = await takeTurns(bench, ours, opa, concurrency);
    rows.push(...rowsOf(pairs, { policy: kind, concurrency, reference }));
  }
  for (const side of [ours, opa]) demandRecorded(side);
  return rows;
}

/** The same on disks that take longer to flush, which OPA does not wait for. */
export async function httpDecisionOnSlowDisk(bench: Bench): Promise<Row[]> {
  const policy = 'library';
  await using opened = new AsyncDisposableStack();
  const { opa, reference, start } = await openSides(bench, policy, opened);
  const rows: Row[] = [];
  for (const added_flush_ms of ADDED_FLUSHES_MS) {
    const ours = await start(added_flush_ms);
    for (const concurrency of SLOW_DISK_CONCURRENCY) {
      bench.progress(`HTTP decision, flush + ${added_flush_ms} ms, ${concurrency} connections`);
      const pairs = await takeTurns(bench, ours, opa, concurrency);
      const shared = { policy, concurrency, added_flush_ms, reference } as const;
      const [throughput] = rowsOf(pairs, shared);
      rows.push({ ...throughput, name: 'http_decision_slow_disk', goal: null, met: null });
    }
    demandRecorded(ours);
  }
  return rows;
}

interface Sides {
  opa: Side;
  reference: string;
  /** A service of ours that is warm. */
  start(added_flush_ms: number): Promise<Side>;
}

async function openSides(
  bench: Bench,
  kind: PolicyKind,
  opened: AsyncDisposableStack,
): Promise<Sides> {
  const { built, questions } = await bench.policy(kind, PACKAGES);
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
  bench.note(`opa_flags_${kind}`, ['run --server --log-level error', ...mode.flags].join(' '));
  return {
    opa,
    reference: `OPA, decisions logged to a file (${mode.name}), not flushed`,
    start: async (added_flush_ms) => {
      const side = sideOf(await startPortcullis(built, bench.folder, added_flush_ms));
      await tryOut(bench, [side]);
      return side;
    },
  };
}

function takeTurns(
  bench: Bench,
  ours: Side,
  opa: Side,
  connections: number,
): Promise<[Loaded, Loaded][]> {
  const order = { connections, seconds: bench.seconds };
  return inTurns(
    bench.rounds,
    () => loaded(ours, order),
    () => loaded(opa, order),
  );
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
  shared: Pick<Row, 'reference' | 'added_flush_ms'> & { policy: PolicyKind; concurrency: number },
): [throughput: Row, p99: Row] {
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
