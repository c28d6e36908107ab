/** What the suites of evaluators share: a backend under test behind the real core. */
import { afterEach } from '@jest/globals';
import type { OpenedEvaluator } from '../../src/cli/evaluators.ts';
import type {
  DiscoveryRequest,
  EvaluationRequest,
  EvidenceRecord,
  Resource,
} from '../../src/contract/types.gen.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { DecisionCore } from '../../src/decision/types.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { CALLER, callOf, contextOf, evidenceOnDisk } from '../support/decisions.ts';
import { DEFAULTS } from '../support/defaults.ts';

/** A backend under test, freshly made for one test, with its policy in place. */
export interface Backend {
  open(evidence: EvidenceLog): Promise<OpenedEvaluator>;
  /** Puts a policy of another revision in place, in which nobody may use anything. */
  change(): Promise<void> | void;
  /** Of a server: ends it as a crash does, starts it again, lets it hang and go on. */
  server?: {
    kill(): Promise<void>;
    start(): Promise<void>;
    freeze(): void;
    thaw(): void;
  };
}

export interface BackendKind {
  make(): Promise<Backend>;
  close(): Promise<void>;
  /** It has words for constraints. */
  constrains: boolean;
  /** It tells which revision is in force. */
  versioned: boolean;
}

export interface World {
  backend: Backend;
  evaluator: OpenedEvaluator;
  core: DecisionCore;
  records(): Promise<EvidenceRecord[]>;
}

/** Makes worlds of one backend; they are closed after each test. */
export function worldsOf(kind: BackendKind) {
  const opened: OpenedEvaluator[] = [];
  afterEach(async () => {
    for (const evaluator of opened.splice(0)) await evaluator.close();
    await kind.close();
  });

  /** A backend whose evaluator is still to be opened. */
  async function closed() {
    const backend = await kind.make();
    const { evidence, read } = await evidenceOnDisk();
    const open = async (): Promise<OpenedEvaluator> => {
      const evaluator = await backend.open(evidence);
      opened.push(evaluator);
      return evaluator;
    };
    return { backend, open, evidence, read };
  }

  async function world(): Promise<World> {
    const { backend, open, evidence, read } = await closed();
    const evaluator = await open();
    const core = coreOver(evaluator, evidence);
    const records = async () => (await read()).filter(({ kind: of }) => of !== 'activation');
    return { backend, evaluator, core, records };
  }

  return { closed, world };
}

/** Settings under which a test need not wait: looks often, and soon takes silence for absence. */
export const IMPATIENT = {
  ...DEFAULTS.policy.remote,
  timeout_ms: 1_000,
  poll_interval_ms: 50,
  silence_ms_max: 2_000,
};

export function coreOver(evaluator: OpenedEvaluator, evidence: EvidenceLog): DecisionCore {
  return createDecisionCore({
    evaluator,
    evidence,
    clock: { now_ms: () => Date.now() },
    random: { id: () => crypto.randomUUID() },
    settings: {
      instance: 'one',
      sep_server: 'payments',
      batch_items_max: 100,
      batch_bytes_max: 1_048_576,
    },
  });
}

export const TELLER = {
  type: 'identity',
  id: 'user:alice@example.com',
  properties: { actor_type: 'human', groups: ['tellers'] },
} as const;

function resourceOf(id: string): Resource {
  return { type: 'tool', id, properties: { server: 'payments' } };
}

export function using(name: string, more: object = {}): EvaluationRequest {
  return {
    ...callOf({}, resourceOf(name)),
    subject: TELLER,
    ...more,
  } as unknown as EvaluationRequest;
}

export function listing(names: readonly string[]): DiscoveryRequest {
  const catalogue_digest = `sha256:${'0'.repeat(64)}`;
  return {
    subject: TELLER,
    action: { name: 'tools/list' },
    context: { profile: 'mcp/1', phase: 'discovery' },
    evaluations: names.map((name) => ({ resource: resourceOf(name) })),
    options: { portcullis: { discovery: { catalogue_digest } } },
  } as unknown as DiscoveryRequest;
}

export async function outcomeOf(core: DecisionCore): Promise<unknown> {
  return contextOf(await core.evaluation(using('fine'), CALLER)).outcome;
}

/** For what tells nobody when it happens. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** What the core says of the use of a tool. */
export async function told(core: DecisionCore, name: string, more = {}): Promise<object> {
  return contextOf(await core.evaluation(using(name, more), CALLER));
}
