/**
 * What every way to decide must do, behind the real core and before real evidence. A backend brings
 * its policy, in its own language, in which a teller of `payments` may use `fine`, may not use
 * `refused` but sees it, and neither sees nor uses `secret`; and where it has words for them,
 * `approval` needs an approval and `actor` a human.
 */
import { afterEach, expect, test } from '@jest/globals';
import type {
  DiscoveryRequest,
  EvaluationRequest,
  EvidenceRecord,
  Resource,
} from '../../src/contract/types.gen.ts';
import type { OpenedEvaluator } from '../../src/cli/evaluators.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { DecisionCore } from '../../src/decision/types.ts';
import type { EvidenceLog } from '../../src/evidence/types.ts';
import { CALLER, callOf, codeOf, contextOf, evidenceOnDisk } from '../support/decisions.ts';
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

interface World {
  backend: Backend;
  evaluator: OpenedEvaluator;
  core: DecisionCore;
  records(): Promise<EvidenceRecord[]>;
}

const TOOLS = ['fine', 'refused', 'secret', 'approval', 'actor'];

export function evaluatorSuite(kind: BackendKind): void {
  const opened: OpenedEvaluator[] = [];
  afterEach(async () => {
    for (const evaluator of opened.splice(0)) await evaluator.close();
    await kind.close();
  });

  async function world(): Promise<World> {
    const backend = await kind.make();
    const { evidence, read } = await evidenceOnDisk();
    const evaluator = await backend.open(evidence);
    opened.push(evaluator);
    const core = coreOver(evaluator, evidence);
    const records = async () => (await read()).filter(({ kind: of }) => of !== 'activation');
    return { backend, evaluator, core, records };
  }

  const told = async ({ core }: World, name: string, more = {}): Promise<object> =>
    contextOf(await core.evaluation(using(name, more), CALLER));

  test('allows, refuses and hides, each with its record', async () => {
    const scene = await world();
    expect(await told(scene, 'fine')).toMatchObject({ outcome: 'allow', visible: true });
    expect(await told(scene, 'refused')).toMatchObject({ outcome: 'deny', visible: true });
    expect(await told(scene, 'secret')).toMatchObject({
      outcome: 'deny',
      visible: false,
      reason_code: 'CAPABILITY_NOT_ALLOWED',
    });
    const policy = scene.evaluator.current().identity;
    const resource = (id: string) => ({ request: { resource: { id } } });
    expect(await scene.records()).toMatchObject([
      { kind: 'decision', decision: true, policy, ...resource('fine') },
      { kind: 'decision', decision: false, visible: true, policy, ...resource('refused') },
      { kind: 'decision', decision: false, visible: false, policy, ...resource('secret') },
    ]);
  });

  test('lists what is visible, in one record', async () => {
    const scene = await world();
    const { body } = await scene.core.evaluations(listing(['secret', 'fine', 'refused']), CALLER);
    const { evaluations } = body as { evaluations: { decision: boolean }[] };
    expect(evaluations.map(({ decision }) => decision)).toEqual([false, true, true]);
    expect(await scene.records()).toMatchObject([
      {
        kind: 'discovery',
        shown: [{ id: 'fine' }, { id: 'refused' }],
        withheld: [{ id: 'secret' }],
      },
    ]);
  });

  if (kind.constrains) {
    test('what needs an approval is not allowed, and an actor is proved to the core', async () => {
      const scene = await world();
      expect(await told(scene, 'approval')).toMatchObject({
        outcome: 'require_approval',
        constraints: { approval_required: true },
      });
      expect(await told(scene, 'actor')).toMatchObject({ outcome: 'allow' });
      const robot = { ...TELLER, properties: { ...TELLER.properties, actor_type: 'automation' } };
      expect(await told(scene, 'actor', { subject: robot })).toMatchObject({
        outcome: 'deny',
        reason_code: 'ACTOR_VALIDATION_FAILED',
      });
    });
  }

  test('a stranger, and nobody, may do nothing', async () => {
    const scene = await world();
    for (const subject of [
      { ...TELLER, properties: { actor_type: 'human', groups: ['guests'] } },
      { type: 'identity', id: 'user:nobody@example.com' },
    ]) {
      for (const name of TOOLS) {
        expect(await told(scene, name, { subject })).toMatchObject({ outcome: 'deny' });
      }
    }
  });

  test('a change of the policy is followed, and told where the server tells it', async () => {
    const scene = await world();
    const { evaluator, core, backend } = scene;
    const before = evaluator.current().identity;
    const changed = Promise.withResolvers<void>();
    evaluator.watch(() => changed.resolve());
    expect(await told(scene, 'fine')).toMatchObject({ outcome: 'allow' });
    await backend.change();
    if (kind.versioned) {
      await changed.promise;
      expect(evaluator.current().identity).not.toEqual(before);
    } else await until(async () => (await outcomeOf(core)) === 'deny');
    expect(await told(scene, 'fine')).toMatchObject({ outcome: 'deny' });
  });

  test('many at once are answered each for itself', async () => {
    const scene = await world();
    const names = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 'fine' : 'refused'));
    const outcomes = await Promise.all(names.map((name) => told(scene, name)));
    expect(outcomes.map((each) => (each as { outcome: string }).outcome)).toEqual(
      names.map((name) => (name === 'fine' ? 'allow' : 'deny')),
    );
    expect(await scene.records()).toHaveLength(60);
  });

  test('closed, it decides nothing', async () => {
    const { core, evaluator } = await world();
    await evaluator.close();
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toBe('POLICY_ABSENT');
    expect(core.status().ready).toBe(false);
  });
}

/** What a server must survive, and what must never open where it does not. */
export function serverSuite(kind: BackendKind): void {
  const opened: OpenedEvaluator[] = [];
  afterEach(async () => {
    for (const evaluator of opened.splice(0)) await evaluator.close();
    await kind.close();
  });

  async function world() {
    const backend = await kind.make();
    const { server } = backend;
    if (!server) throw new Error('it is no server');
    const { evidence, read } = await evidenceOnDisk();
    const open = async () => {
      const evaluator = await backend.open(evidence);
      opened.push(evaluator);
      return evaluator;
    };
    return { server, open, evidence, read };
  }

  test('without the server there is no start', async () => {
    const { server, open } = await world();
    await server.kill();
    expect(await codeOf(open())).toBe('BACKEND_UNREACHABLE');
  });

  test('killed, it gives no decision; started again, it gives the same', async () => {
    const { server, open, evidence, read } = await world();
    const evaluator = await open();
    const core = coreOver(evaluator, evidence);
    const ready: boolean[] = [];
    core.watch((status) => ready.push(status.ready));
    expect(await outcomeOf(core)).toBe('allow');
    await server.kill();
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toBe('BACKEND_UNREACHABLE');
    expect(await codeOf(core.evaluations(listing(['fine']), CALLER))).toBe('BACKEND_UNREACHABLE');
    await until(() => !core.status().ready);
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toBe('POLICY_ABSENT');
    await server.start();
    await until(() => core.status().ready);
    expect(await outcomeOf(core)).toBe('allow');
    expect(ready).toEqual([false, true]);
    expect(await read()).toMatchObject([
      { kind: 'activation', status: 'activated' },
      { kind: 'decision', decision: true },
      { kind: 'backend_error', request: { resource: { id: 'fine' } } },
      { kind: 'backend_error', request: { phase: 'discovery' } },
      { kind: 'decision', decision: true },
    ]);
  });

  test('killed in the middle of many, what is allowed is what it decided and was recorded', async () => {
    const { server, open, evidence, read } = await world();
    const core = coreOver(await open(), evidence);
    const asked = Array.from({ length: 100 }, () => outcomeOf(core).catch(() => 'none'));
    await server.kill();
    const outcomes = await Promise.all(asked);
    expect([...new Set(outcomes)].filter((each) => each !== 'allow')).toEqual(['none']);
    const records = (await read()).filter(({ kind: of }) => of !== 'activation');
    expect(records).toHaveLength(100);
    expect(records.filter(({ decision }) => decision === true)).toHaveLength(
      outcomes.filter((each) => each === 'allow').length,
    );
  });

  test('while it hangs nothing is decided, and when it goes on it is', async () => {
    const { server, open, evidence } = await world();
    const core = coreOver(await open(), evidence);
    server.freeze();
    expect(await codeOf(core.evaluation(using('fine'), CALLER))).toBe('BACKEND_UNREACHABLE');
    server.thaw();
    await until(async () => (await outcomeOf(core).catch(() => 'none')) === 'allow');
  });
}

/** Settings under which a test need not wait: looks often, and soon takes silence for absence. */
export const IMPATIENT = {
  ...DEFAULTS.policy.remote,
  timeout_ms: 400,
  poll_interval_ms: 50,
  silence_ms_max: 300,
};

function coreOver(evaluator: OpenedEvaluator, evidence: EvidenceLog): DecisionCore {
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

const TELLER = {
  type: 'identity',
  id: 'user:alice@example.com',
  properties: { actor_type: 'human', groups: ['tellers'] },
} as const;

function resourceOf(id: string): Resource {
  return { type: 'tool', id, properties: { server: 'payments' } };
}

function using(name: string, more: object = {}): EvaluationRequest {
  return {
    ...callOf({}, resourceOf(name)),
    subject: TELLER,
    ...more,
  } as unknown as EvaluationRequest;
}

function listing(names: readonly string[]): DiscoveryRequest {
  const catalogue_digest = `sha256:${'0'.repeat(64)}`;
  return {
    subject: TELLER,
    action: { name: 'tools/list' },
    context: { profile: 'mcp/1', phase: 'discovery' },
    evaluations: names.map((name) => ({ resource: resourceOf(name) })),
    options: { portcullis: { discovery: { catalogue_digest } } },
  } as unknown as DiscoveryRequest;
}

async function outcomeOf(core: DecisionCore): Promise<unknown> {
  return contextOf(await core.evaluation(using('fine'), CALLER)).outcome;
}

/** For what tells nobody when it happens. */
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}
