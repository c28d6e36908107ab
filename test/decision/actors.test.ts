/** Ruling R12 and R9 from end to end: what a policy requires of the actor and of an approval. */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { layPolicyData, readBundle, type Bundle } from '../../src/bundle/bundle.ts';
import { readFiles } from '../../src/bundle/files.ts';
import type {
  ActorType,
  EvaluationRequest,
  ResponseContext,
} from '../../src/contract/types.gen.ts';
import {
  asking,
  CALLER,
  callOf,
  contextOf,
  echoScene,
  sceneOf,
  STRANGER,
  type Scene,
} from '../support/decisions.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const ACTORS = ['human', 'supervised_ai', 'automation', 'service_account'] as const;

/** R12: who satisfies what is required, where nobody approved. */
const SATISFIES: Readonly<Record<ActorType, readonly unknown[]>> = {
  human: ['human'],
  supervised_ai: ['supervised_ai', 'human'],
  automation: ['automation'],
  service_account: ['service_account'],
};

/** Each required actor, each actual one or none, from a caller that may attest it or may not. */
const CASES = ACTORS.flatMap((required) =>
  [...ACTORS, undefined].flatMap((actor) =>
    [true, false].flatMap((attested) =>
      [false, true].map((claimed) => ({
        required,
        actor,
        attested,
        claimed,
        satisfied: attested && SATISFIES[required].includes(actor),
      })),
    ),
  ),
);
const TITLE =
  '[E-06] $required is required, $actor asks (attested: $attested, approval claimed: $claimed): ' +
  'satisfied: $satisfied (R12)';

type Case = (typeof CASES)[number];

/** The request under a case's circumstances. */
function of(request: EvaluationRequest, { actor, claimed }: Case): EvaluationRequest {
  const { actor_type: _, ...properties } = request.subject.properties ?? {};
  request.subject.properties = { ...properties, ...(actor && { actor_type: actor }) };
  if (claimed) {
    const approval = { present: true, approver: 'user:bob', actor_type: 'human' };
    request.context.claimed = { ...request.context.claimed, approval, actor_type: 'human' };
  }
  return request;
}

async function ask({ core }: Scene, request: object, { attested }: Pick<Case, 'attested'>) {
  return contextOf(
    await core.evaluation(request, attested ? CALLER : STRANGER),
  ) as unknown as ResponseContext;
}

describeWithOpa('a foreign policy', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await echoScene();
  });

  test.each(CASES)(TITLE, async (one) => {
    const constraints = { actor_required: one.required };
    const told = await ask(scene, of(asking({ decision: 'allow', constraints }), one), one);
    expect(told).toMatchObject({
      outcome: one.satisfied ? 'allow' : 'deny',
      reason_code: one.satisfied ? 'ALLOWED' : 'ACTOR_VALIDATION_FAILED',
      constraints,
    });
  });

  test.each([['robot'], ['Human'], [''], [null], [['human']], [{ human: true }], [1], [true]])(
    'an actor type %j is none, whoever attests it',
    async (actor_type) => {
      for (const actor_required of ACTORS) {
        const { context, ...request } = asking({
          decision: 'allow',
          constraints: { actor_required },
        });
        const plain = {
          ...request,
          subject: { ...request.subject, properties: { actor_type } },
          context: { ...context, profile: 'other' },
        };
        expect(await ask(scene, plain, { attested: true })).toMatchObject({ outcome: 'deny' });
      }
    },
  );

  const DECISIONS = ['allow', 'deny', 'require_approval'] as const;
  const GIVEN = DECISIONS.flatMap((decision) =>
    [undefined, 'human' as const].flatMap((actor_required) =>
      [undefined, true, false].flatMap((approval_required) =>
        [undefined, 'task', 'elicitation', 'none'].map((require_approval_via) => ({
          decision,
          constraints: {
            ...(actor_required && { actor_required }),
            ...(approval_required !== undefined && { approval_required }),
            ...(require_approval_via && { require_approval_via }),
          },
        })),
      ),
    ),
  );

  /** R9 as it is written, without the code that follows it. */
  function expected({ decision, constraints }: (typeof GIVEN)[number], actor: ActorType) {
    const { actor_required, approval_required, require_approval_via: via } = constraints;
    const asks = decision === 'require_approval' || via !== undefined;
    if (approval_required === false && asks) return ['deny', 'POLICY_INDETERMINATE', {}];
    if (decision === 'deny') return ['deny', 'POLICY_DENIED', constraints];
    const approval = asks || approval_required === true;
    const kept = approval ? { ...constraints, approval_required: true } : constraints;
    if (actor_required && actor !== 'human') return ['deny', 'ACTOR_VALIDATION_FAILED', kept];
    return approval ? ['require_approval', 'APPROVAL_REQUIRED', kept] : ['allow', 'ALLOWED', kept];
  }

  test.each(['human', 'automation'] as const)(
    '[E-06] each decision with each constraint: a requirement is never the decision (R9), for %s',
    async (actor_type) => {
      for (const given of GIVEN) {
        const request = asking(given);
        request.subject.properties = { actor_type };
        const { outcome, reason_code, constraints } = await ask(scene, request, { attested: true });
        expect({ given, told: [outcome, reason_code, constraints] }).toEqual({
          given,
          told: expected(given, actor_type),
        });
      }
    },
  );
});

describe('the policy library', () => {
  const entry = { environment: 'production', risk: 'low', approved: true, data_classes: [] };
  const name = (tool: string) => `tool:payments/${tool}`;
  const approve = { require_approval: { by: { group: 'managers' }, via: ['task'] } };
  const data = {
    registry: Object.fromEntries(
      ACTORS.flatMap((actor_required) => [
        [name(actor_required), { ...entry, actor_required }],
        [name(`approved_${actor_required}`), { ...entry, actor_required }],
      ]),
    ),
    grants: [
      { to: { group: 'tellers' }, on: 'tool:payments/*' },
      ...ACTORS.map((actor, i) => ({
        ...{ to: { anyone: true }, on: name(`approved_${actor}`), id: `a${i}` },
        ...approve,
      })),
    ],
  };
  let scene: Scene;
  beforeAll(async () => {
    const file = join(import.meta.dirname, '../../bundles/mcp.tar.gz');
    const bundle: Bundle = readBundle(await readFiles(file, DEFAULTS.policy));
    scene = await sceneOf(layPolicyData(bundle, data));
  });

  test.each(CASES)(TITLE, async (one) => {
    const told = await ask(scene, of(callOf({}, { id: one.required }), one), one);
    expect(told).toMatchObject({
      outcome: one.satisfied ? 'allow' : 'deny',
      visible: one.satisfied,
      constraints: one.satisfied ? { actor_required: one.required } : {},
    });
  });

  test.each(CASES)(
    'and where somebody may approve: $required by $actor (attested: $attested)',
    async (one) => {
      const told = await ask(scene, of(callOf({}, { id: `approved_${one.required}` }), one), one);
      // A human who approves could stand for a human who asks, so that such an item is no secret;
      // while nothing keeps approvals, none of them is validated.
      const visible = one.satisfied || one.required === 'human';
      const reason_code = visible ? 'ACTOR_VALIDATION_FAILED' : 'CAPABILITY_NOT_ALLOWED';
      expect(told).toMatchObject({
        outcome: one.satisfied ? 'require_approval' : 'deny',
        visible,
        reason_code: one.satisfied ? 'APPROVAL_REQUIRED' : reason_code,
      });
    },
  );
});
