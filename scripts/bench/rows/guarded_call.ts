/**
 * What a guard adds to a tool call: client, server and decision service are three processes, and
 * the guard asks over a Unix socket. Beside it what the service itself needs.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CallsOrder, CallsResult, CallsSetting } from '../calls_process.ts';
import { residentOf } from '../machine.ts';
import { OPA_MODES, startOpa, type OpaMode } from '../opa_server.ts';
import { grantedTool, roleName, SERVER, toolName } from '../policy.ts';
import { startPortcullis } from '../portcullis_server.ts';
import { compare, inTurns, median, quantile } from '../statistics.ts';
import { startSubject, type Subject } from '../subject.ts';
import { isMet, type Bench, type Row } from './row.ts';

const PACKAGES = 10;
const CALLS_A_SECOND = 200;
const WARM_UP_CALLS_A_SECOND = 500;
const WARM_UP_RUNS = 3;
const ROLE = 0;
const P99_GOAL_MS = '<= 1';
const OVERHEAD_GOAL = '<= 1.1';
const START_GOAL_S = '<= 1';

type Calls = Subject<CallsOrder, CallsResult>;

export async function guardedCall(bench: Bench): Promise<Row[]> {
  await using opened = new AsyncDisposableStack();
  const { built } = await bench.policy('library', PACKAGES);
  const service = await startPortcullis(built, bench.folder);
  opened.defer(() => service.close());
  bench.progress(`guarded call, ${CALLS_A_SECOND} calls a second`);
  const order = { per_second: CALLS_A_SECOND, seconds: bench.seconds };
  const open = async (guard: CallsSetting['guard']): Promise<Calls> => {
    const setting: CallsSetting = { tool: toolName(grantedTool(ROLE)), guard };
    const calls = await startSubject<CallsOrder, CallsResult>('calls_process.ts', setting);
    opened.defer(() => calls.close());
    for (let run = 0; run < WARM_UP_RUNS; run += 1) {
      await calls.run({ ...order, per_second: WARM_UP_CALLS_A_SECOND });
    }
    return calls;
  };
  const { socket } = service;
  const guarded = await open({
    ...guardSettings(bench.folder, 'guard'),
    PORTCULLIS_DECISION_POINT_SOCKET: socket,
  });
  const plain = await open(null);
  const embedded = await open({
    ...guardSettings(bench.folder, 'embedded_guard'),
    PORTCULLIS_DECISION_POINT_EMBEDDED: 'true',
    PORTCULLIS_POLICY_BUNDLE: built.bundle,
  });
  const pairs = await inTurns(
    bench.rounds,
    () => guarded.run(order),
    () => plain.run(order),
  );
  const beside = await inTurns(
    bench.rounds,
    () => embedded.run(order),
    () => plain.run(order),
  );
  const resident = residentOf(service.child.pid as number);
  return [
    ...[0.99, 0.999].map((share) => latencyRow(pairs, share)),
    overheadRow(beside),
    ...(await serviceRows(bench, resident)),
  ];
}

function guardSettings(folder: string, name: string): Record<string, string> {
  const state = join(folder, name);
  mkdirSync(state, { mode: 0o700 });
  return {
    PORTCULLIS_STATE: state,
    PORTCULLIS_LOG_LEVEL: 'error',
    PORTCULLIS_GUARD_SERVER: SERVER,
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
    PORTCULLIS_GUARD_SUBJECT_ID: 'user:bench@example.com',
    PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'human',
    PORTCULLIS_GUARD_SUBJECT_GROUPS: roleName(ROLE),
    // A call that was given up would hide how long it took.
    PORTCULLIS_DECISION_POINT_TIMEOUT_MS: '30000',
  };
}

/** The quantile of the guarded calls less that of the others; far quantiles over all rounds. */
function latencyRow(pairs: readonly [CallsResult, CallsResult][], share: number): Row {
  const at = (calls: CallsResult): number => quantile([...calls], share);
  const all = [pairs.flatMap(([a]) => a), pairs.flatMap(([, b]) => b)] as const;
  const isFar = share > 0.99;
  const used = isFar ? [all] : pairs;
  const added = median(used.map(([a, b]) => at(a) - at(b)));
  const goal = isFar ? null : P99_GOAL_MS;
  const name = `p${String(share * 100).replace('.', '_')}`;
  return {
    name: `guarded_call_added_${name}`,
    policy: 'library',
    ...compare(used, (a, b) => at(a) / at(b)),
    reference: 'the same call of the same server without its guard',
    value: added,
    goal,
    met: goal === null ? null : isMet(goal, added),
    unit: 'ms',
    ours: { p50_ms: quantile([...all[0]], 0.5), [`${name}_ms`]: median(used.map(([a]) => at(a))) },
    theirs: {
      p50_ms: quantile([...all[1]], 0.5),
      [`${name}_ms`]: median(used.map(([, b]) => at(b))),
    },
  };
}

/** The decision is made and recorded in the process of the server. */
function overheadRow(pairs: readonly [CallsResult, CallsResult][]): Row {
  const half = (calls: CallsResult): number => quantile([...calls], 0.5);
  const compared = compare(pairs, (a, b) => half(a) / half(b));
  return {
    name: 'guarded_call_embedded_p50',
    policy: 'library',
    ...compared,
    reference: 'the same call of the same server without its guard',
    goal: OVERHEAD_GOAL,
    met: isMet(OVERHEAD_GOAL, compared.ratio),
    unit: 'x of the time',
    ours: { p50_ms: median(pairs.map(([a]) => half(a))) },
    theirs: { p50_ms: median(pairs.map(([, b]) => half(b))) },
  };
}

/** Each round starts both services anew over the same policy. */
async function serviceRows(bench: Bench, resident_mib: number): Promise<Row[]> {
  bench.progress('cold start');
  const { built } = await bench.policy('library', PACKAGES);
  const mode = OPA_MODES[0] as OpaMode;
  const startOne = async (start: () => ReturnType<typeof startOpa>) => {
    const server = await start();
    const found = { ready_ms: server.ready_ms, mib: residentOf(server.child.pid as number) };
    await server.close();
    return found;
  };
  const starts = await inTurns(
    bench.rounds,
    () => startOne(() => startPortcullis(built, bench.folder)),
    () => startOne(() => startOpa(bench.opa, built, mode, bench.folder)),
  );
  const ready_s = median(starts.map(([a]) => a.ready_ms / 1000));
  const shared = { policy: 'library', reference: 'OPA with the same policy and data' } as const;
  return [
    {
      name: 'cold_start_to_ready',
      ...shared,
      ...compare(starts, (a, b) => a.ready_ms / b.ready_ms),
      value: ready_s,
      goal: START_GOAL_S,
      met: isMet(START_GOAL_S, ready_s),
      unit: 's',
      ours: { ready_s },
      theirs: { ready_s: median(starts.map(([, b]) => b.ready_ms / 1000)) },
    },
    {
      name: 'resident_memory',
      ...shared,
      ...compare(starts, (a, b) => a.mib / b.mib),
      value: median(starts.map(([a]) => a.mib)),
      goal: null,
      met: null,
      unit: 'MiB after the start',
      ours: { started_mib: median(starts.map(([a]) => a.mib)), after_load_mib: resident_mib },
      theirs: { started_mib: median(starts.map(([, b]) => b.mib)) },
    },
  ];
}
