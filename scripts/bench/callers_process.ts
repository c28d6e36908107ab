/**
 * Callers in one process, side by side: of a decision point with durable evidence as an embedded
 * guard has it, or of nothing but `evaluate` of opa-wasm on the same module and input.
 */
import { readFileSync } from 'node:fs';
import * as sdk from '@open-policy-agent/opa-wasm';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import { unpack } from '../../src/bundle/files.ts';
import { openDecisionCore } from '../../src/cli/compose.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { embeddedDecisionPoint } from '../../src/decision/embedded.ts';
import { sizeMemory } from '../../src/engine/memory.ts';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { createLogger } from '../../src/telemetry/create_logger.ts';
import type { Built } from './bundle.ts';
import type { Question } from './policy.ts';
import { beSubject } from './subject.ts';
import { readSettings } from '../../src/cli/policy_tools.ts';

export interface CallersSetting {
  built: Built;
  questions: string;
  /** Folder for evidence, or null for bare evaluations. */
  state: string | null;
}

export interface CallersOrder {
  callers: number;
  seconds: number;
}

export interface CallersResult {
  answered: number;
  per_second: number;
  /** Microseconds of CPU time an answer. */
  cpu_us: number;
}

/** Gives whether a question is allowed. */
type Ask = (question: Question) => Promise<boolean> | boolean;

const PAGES_MAX = 4096;

async function openCore({ bundle }: Built, state: string): Promise<Ask> {
  const configuration = loadConfiguration({
    overrides: { state, policy: { bundle }, log: { level: 'error' } },
    names: { server: 'bench', instance: 'main' },
    cwd: state,
  });
  const log = createLogger(configuration.log);
  const { core } = await openDecisionCore(configuration, log, new AsyncDisposableStack());
  const caller = { id: 'embedded', channel: 'embedded', scopes: new Set(SCOPES) } as const;
  const point = embeddedDecisionPoint(core, caller, configuration.pdp.body_bytes_max);
  return async ({ request }) => (await point.decide(request)).decision;
}

interface BareSdk {
  loadPolicySync(
    wasm: Uint8Array,
    memory: object,
  ): {
    setData(data: object): void;
    evaluate(input: unknown, entrypoint: string): [{ result: { decision: string } }];
  };
}

/** The input is the one that the core writes, so that both evaluate the same. */
function openBare({ bundle, entrypoint }: Built): Ask {
  const { wasm, data } = layPolicyData(
    readBundle(unpack(readFileSync(bundle), readSettings().policy)),
  );
  const { initial } = sizeMemory(wasm, PAGES_MAX);
  const policy = (sdk as unknown as { default: BareSdk }).default.loadPolicySync(wasm, {
    initial,
    maximum: PAGES_MAX,
  });
  policy.setData(data);
  const time = new Date().toISOString();
  return ({ request: { subject, action, resource, context } }) => {
    const input = { subject, action, resource, context: { ...context, time } };
    return policy.evaluate(input, entrypoint)[0].result.decision === 'allow';
  };
}

/** Evaluations that do not wait still let others in between, as often as callers take turns. */
async function loop(ask: Ask, questions: readonly Question[], first: number, until: number) {
  let answered = 0;
  for (let at = first; performance.now() < until; at += 1) {
    const question = questions[at % questions.length] as Question;
    if ((await ask(question)) !== question.allowed) throw new Error('a wrong answer');
    answered += 1;
  }
  return answered;
}

await beSubject<CallersSetting, CallersOrder>(async ({ built, questions, state }) => {
  const asked = JSON.parse(readFileSync(questions, 'utf8')) as Question[];
  const ask = state === null ? openBare(built) : await openCore(built, state);
  return async ({ callers, seconds }): Promise<CallersResult> => {
    const before = process.cpuUsage();
    const started = performance.now();
    const until = started + seconds * 1000;
    const loops = Array.from({ length: callers }, (_, i) => loop(ask, asked, i * 61, until));
    const answered = (await Promise.all(loops)).reduce((sum, count) => sum + count, 0);
    const { user, system } = process.cpuUsage(before);
    const elapsed = (performance.now() - started) / 1000;
    return { answered, per_second: answered / elapsed, cpu_us: (user + system) / answered };
  };
});
