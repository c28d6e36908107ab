/**
 * One decision after the other: the request is validated, the rules are evaluated, the result is
 * judged and the record made. The record is not written: how long a disk takes is another figure.
 */
import { readFileSync } from 'node:fs';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import { unpack } from '../../src/bundle/files.ts';
import { CLOCK, RANDOM } from '../../src/cli/ambient.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { activateBundle } from '../../src/decision/activation.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { Caller, DecisionCore } from '../../src/decision/types.ts';
import { loadEngine } from '../../src/engine/engine.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { createLogger } from '../../src/telemetry/create_logger.ts';
import type { Built } from './bundle.ts';
import type { Question } from './policy.ts';
import { quantile, type Latency } from './statistics.ts';
import { beSubject } from './subject.ts';

export interface DecisionSetting {
  built: Built;
  questions: string;
}

export interface DecisionOrder {
  seconds: number;
}

const CALLER: Caller = { id: 'embedded', channel: 'embedded', scopes: new Set(SCOPES) };
/** Decisions between two looks at the clock that ends the run. */
const AT_ONCE = 100;

const UNWRITTEN: EvidenceLog = {
  append: () => Promise.resolve(0),
  status: () => ({ writable: true, size: 0 }),
  close: () => Promise.resolve(),
};

async function openCore({ bundle }: Built): Promise<DecisionCore> {
  const { policy, log: level } = loadConfiguration({
    names: { server: 'bench', instance: 'main' },
    variables: {},
  });
  const log = createLogger({ ...level, level: 'error' });
  const candidate = layPolicyData(readBundle(unpack(readFileSync(bundle), policy)));
  const active = await activateBundle(candidate, {
    loadEngine,
    limits: policy.evaluation,
    unsafe_allow_all: false,
    clock: CLOCK,
    log,
    evidence: UNWRITTEN,
  });
  return createDecisionCore({
    evaluator: { current: () => active, watch: () => () => {} },
    evidence: UNWRITTEN,
    clock: CLOCK,
    random: RANDOM,
    settings: {
      instance: 'main',
      sep_server: 'bench',
      batch_items_max: 1,
      batch_bytes_max: 1_048_576,
    },
  });
}

async function time(core: DecisionCore, { request, allowed }: Question): Promise<number> {
  const started = performance.now();
  const { body } = await core.evaluation(request, CALLER);
  const elapsed = performance.now() - started;
  if ((body as { decision: boolean }).decision !== allowed) throw new Error('a wrong answer');
  return elapsed;
}

await beSubject<DecisionSetting, DecisionOrder>(async ({ built, questions }) => {
  const asked = JSON.parse(readFileSync(questions, 'utf8')) as Question[];
  const core = await openCore(built);
  let next = 0;
  return async ({ seconds }): Promise<Latency> => {
    const times: number[] = [];
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      for (let i = 0; i < AT_ONCE; i += 1) {
        times.push(await time(core, asked[(next += 1) % asked.length] as Question));
      }
    }
    return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
  };
});
