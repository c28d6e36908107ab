/** A decision in the caller's own process, against bare `evaluate` on the same module and input. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CallersOrder, CallersResult, CallersSetting } from '../callers_process.ts';
import type { PolicyKind } from '../policy.ts';
import { compare, inTurns, median } from '../statistics.ts';
import { startSubject } from '../subject.ts';
import { isMet, type Bench, type Figures, type Row } from './row.ts';

const PACKAGES = 10;
const CALLERS = 16;
const WARM_UP_RUNS = 3;
const GOAL = '<= 1.3';

export async function embeddedDecision(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ['plain', 'library'] as const) rows.push(await oneKind(bench, kind));
  return rows;
}

async function oneKind(bench: Bench, kind: PolicyKind): Promise<Row> {
  bench.progress(`embedded decision, ${kind} policy, ${CALLERS} callers`);
  const { built, questions } = await bench.policy(kind, PACKAGES);
  const state = join(bench.folder, `embedded_${kind}`);
  mkdirSync(state, { mode: 0o700 });
  await using opened = new AsyncDisposableStack();
  const open = async (folder: string | null) => {
    const setting: CallersSetting = { built, questions, state: folder };
    const subject = await startSubject<CallersOrder, CallersResult>('callers_process.ts', setting);
    opened.defer(() => subject.close());
    for (let run = 0; run < WARM_UP_RUNS; run += 1) await subject.run(order);
    return subject;
  };
  const order = { callers: CALLERS, seconds: bench.seconds };
  const core = await open(state);
  const bare = await open(null);
  const pairs = await inTurns(
    bench.rounds,
    () => core.run(order),
    () => bare.run(order),
  );
  const cpu = compare(pairs, (a, b) => a.cpu_us / b.cpu_us);
  return {
    name: 'embedded_decision_cpu',
    policy: kind,
    concurrency: CALLERS,
    ...cpu,
    reference: 'bare `evaluate` of opa-wasm on the same module and input, without evidence',
    goal: GOAL,
    met: isMet(GOAL, cpu.ratio),
    unit: 'x of the CPU time',
    ours: figures(pairs.map(([a]) => a)),
    theirs: figures(pairs.map(([, b]) => b)),
  };
}

function figures(results: readonly CallersResult[]): Figures {
  return {
    per_second: median(results.map(({ per_second }) => per_second)),
    cpu_us: median(results.map(({ cpu_us }) => cpu_us)),
  };
}
