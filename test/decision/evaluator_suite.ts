/**
 * What every way to decide must do, behind the real core and before real evidence. A backend brings
 * its policy in its own language (suite_policies.ts), in which a teller of `payments` may use
 * `fine`, may not use `refused` but sees it, and neither sees nor uses `secret`; and where it has
 * words for them, `approval` needs an approval and `actor` a human.
 */
import { expect, test } from '@jest/globals';
import { CALLER, codeOf } from '../support/decisions.ts';
import {
  listing,
  outcomeOf,
  TELLER,
  told,
  until,
  using,
  worldsOf,
  type BackendKind,
  type World,
} from './suite_world.ts';

const TOOLS = ['fine', 'refused', 'secret', 'approval', 'actor'];

type MakeWorld = () => Promise<World>;

export function evaluatorSuite(kind: BackendKind): void {
  const { world } = worldsOf(kind);
  decides(world);
  if (kind.constrains) constrains(world);
  follows(world, kind);
}

function decides(world: MakeWorld): void {
  test('allows, refuses and hides, each with its record', async () => {
    const scene = await world();
    expect(await told(scene.core, 'fine')).toMatchObject({ outcome: 'allow', visible: true });
    expect(await told(scene.core, 'refused')).toMatchObject({ outcome: 'deny', visible: true });
    expect(await told(scene.core, 'secret')).toMatchObject({
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

  test('a stranger, and nobody, may do nothing', async () => {
    const scene = await world();
    for (const subject of [
      { ...TELLER, properties: { actor_type: 'human', groups: ['guests'] } },
      { type: 'identity', id: 'user:nobody@example.com' },
    ]) {
      for (const name of TOOLS) {
        expect(await told(scene.core, name, { subject })).toMatchObject({ outcome: 'deny' });
      }
    }
  });
}

function constrains(world: MakeWorld): void {
  test('what needs an approval is not allowed, and an actor is proved to the core', async () => {
    const scene = await world();
    expect(await told(scene.core, 'approval')).toMatchObject({
      outcome: 'require_approval',
      constraints: { approval_required: true },
    });
    expect(await told(scene.core, 'actor')).toMatchObject({ outcome: 'allow' });
    const robot = { ...TELLER, properties: { ...TELLER.properties, actor_type: 'automation' } };
    expect(await told(scene.core, 'actor', { subject: robot })).toMatchObject({
      outcome: 'deny',
      reason_code: 'ACTOR_VALIDATION_FAILED',
    });
  });
}

function follows(world: MakeWorld, kind: BackendKind): void {
  test('a change of the policy is followed, and told where the server tells it', async () => {
    const scene = await world();
    const { evaluator, core, backend } = scene;
    const before = evaluator.current().identity;
    const changed = Promise.withResolvers<void>();
    evaluator.watch(() => changed.resolve());
    expect(await told(scene.core, 'fine')).toMatchObject({ outcome: 'allow' });
    await backend.change();
    if (kind.versioned) {
      await changed.promise;
      expect(evaluator.current().identity).not.toEqual(before);
    } else await until(async () => (await outcomeOf(core)) === 'deny');
    expect(await told(scene.core, 'fine')).toMatchObject({ outcome: 'deny' });
  });

  test('many at once are answered each for itself', async () => {
    const scene = await world();
    const names = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 'fine' : 'refused'));
    const outcomes = await Promise.all(names.map((name) => told(scene.core, name)));
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
