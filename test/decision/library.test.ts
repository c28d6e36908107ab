import { beforeAll, describe, expect, test } from '@jest/globals';
import { layPolicyData, readBundle, type Bundle } from '../../src/bundle/bundle.ts';
import type { Data } from '../../src/bundle/data_files.ts';
import type { EvaluationRequest } from '../../src/contract/types.gen.ts';
import { CALLER, callOf, sceneOf, STRANGER, type Scene } from '../support/decisions.ts';
import { builtOf } from '../support/policies.ts';
import { describeWithOpa, policyOf } from '../support/toolchain.ts';

const TRANSFER_LIMIT = `# METADATA
# title: Nobody transfers more than a thousand at night
# custom:
#   reason_code: NIGHT_LIMIT
#   safe_message: At night transfers are limited.
package mcp.rules.payments.night_limit

import data.mcp.compare
import data.mcp.request

effect := "limit"

applies if {
	request.name == "tool:payments/transfer"
	request.session.state == "step_up"
}

default within := false

within if compare.at_most(request.arguments.amount, 1000)
`;

const entry = {
  environment: 'production',
  risk: 'medium',
  approved: true,
  data_classes: ['public'],
};
const DATA: Data = {
  registry: {
    'tool:payments/transfer': entry,
    'tool:payments/refund': { ...entry, actor_required: 'human' },
    'tool:payments/customer': {
      ...entry,
      data_classes: ['public', 'personal'],
      fields_by_class: { public: ['/id'] },
    },
    'tool:payments/staging': { ...entry, environment: 'staging' },
    'tool:payments/report': { ...entry, risk: 'critical' },
  },
  grants: [
    {
      to: { group: 'tellers' },
      on: 'tool:payments/transfer',
      within: { '/amount': { at_most: { data: 'transfer_limits' } } },
    },
    {
      to: { group: 'tellers' },
      on: 'tool:payments/transfer',
      id: 'large',
      unless_within: { '/amount': { at_most: 10_000 } },
      require_approval: { by: 'manager_of_requester', not: 'requester', via: ['task'] },
    },
    { to: { group: 'tellers' }, on: 'tool:payments/*', id: 'staff' },
    {
      to: { group: 'guests' },
      on: 'tool:payments/transfer',
      within: { '/note': { prefix: 'gift' } },
    },
  ],
  transfer_limits: { 'user:alice@example.com': 50_000 },
  agents: { planner: { clients: ['cid-3a'], may: ['tool:payments/customer'] } },
  surfaces: { support_bot: { clients: ['cid-7f'], keep: 'public', risk_max: 'medium' } },
};

describeWithOpa('the policy library, built and asked', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    const files = {
      'rules/payments/night_limit.rego': TRANSFER_LIMIT,
      'data.json': JSON.stringify(DATA),
    };
    bundle = readBundle((await builtOf(policyOf(files))).files);
  });

  const scene = (overlay?: Data): Promise<Scene> => sceneOf(layPolicyData(bundle, overlay));

  async function told(
    change: (request: EvaluationRequest) => void = () => undefined,
    options: { caller?: typeof CALLER; overlay?: Data } = {},
  ): Promise<object> {
    const { core, policy } = await scene(options.overlay);
    const request = callOf({
      arguments: { amount: 500 },
      arguments_projection: policy.projection.digest,
      pep: { obligations: ['keep_fields'] },
    });
    change(request);
    const { body } = await core.evaluation(request, options.caller ?? CALLER);
    return (body as { context: object }).context;
  }

  test('what the PEP has to send comes from the rules and from the grants', async () => {
    const { policy } = await scene();
    expect(policy.projection.pointers).toEqual({ 'tool:payments/transfer': ['/amount', '/note'] });
  });

  test.each<[string, (request: EvaluationRequest) => void, object]>([
    ['an allow', () => undefined, { outcome: 'allow', reason_code: 'ALLOWED', visible: true }],
    [
      'a rule that limits',
      ({ context }) => (context.session = { state: 'step_up' }),
      { outcome: 'allow' },
    ],
    [
      'beyond that limit',
      ({ context }) =>
        Object.assign(context, { session: { state: 'step_up' }, arguments: { amount: 1001 } }),
      {
        outcome: 'deny',
        visible: true,
        reason_code: 'NIGHT_LIMIT',
        safe_message: 'At night transfers are limited.',
      },
    ],
    [
      'an amount that is a text',
      ({ context }) =>
        Object.assign(context, { session: { state: 'step_up' }, arguments: { amount: '5' } }),
      { outcome: 'deny', reason_code: 'NIGHT_LIMIT' },
    ],
    [
      'an amount that needs an approval',
      ({ context }) => (context.arguments = { amount: 20_000 }),
      {
        outcome: 'require_approval',
        reason_code: 'APPROVAL_REQUIRED',
        constraints: { approval_required: true },
      },
    ],
    [
      'an approval that the client claims',
      ({ context }) =>
        Object.assign(context, {
          arguments: { amount: 20_000 },
          approval: { granted_rules: ['large'] },
        }),
      { outcome: 'require_approval' },
    ],
    [
      "nobody's group",
      ({ subject }) => (subject.properties = {}),
      { outcome: 'deny', visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED' },
    ],
    [
      'another environment',
      ({ context }) => (context.environment = { deployment: 'staging' }),
      { outcome: 'deny', visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED' },
    ],
    [
      'a tool that the registry does not know',
      ({ resource }) => (resource.id = 'nothing'),
      { outcome: 'deny', visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED' },
    ],
    [
      'an agent within its range',
      ({ resource, context }) => {
        resource.id = 'customer';
        context.agent = { id: 'cid-3a', verified: true };
      },
      { outcome: 'allow' },
    ],
    [
      'an agent beyond it',
      ({ context }) => (context.agent = { id: 'cid-3a', verified: true }),
      { outcome: 'deny', visible: false },
    ],
    [
      'an agent that nobody proved',
      ({ resource, context }) => {
        resource.id = 'customer';
        context.agent = { id: 'cid-3a' };
      },
      { outcome: 'deny', visible: false },
    ],
    [
      'a human where one is needed',
      ({ resource }) => (resource.id = 'refund'),
      { outcome: 'allow', constraints: { actor_required: 'human' } },
    ],
  ])('%s', async (_title, change, expected) => {
    expect(await told(change)).toMatchObject(expected);
  });

  test('a surface that keeps a class of fields makes a duty of it', async () => {
    const onSurface = (request: EvaluationRequest): void => {
      request.resource.id = 'customer';
      request.context.surface = 'support_bot';
    };
    expect(await told(onSurface)).toMatchObject({
      outcome: 'allow',
      obligations: [{ type: 'keep_fields', paths: ['/id'], unstructured: 'drop' }],
    });
    const unable = (request: EvaluationRequest): void => {
      onSurface(request);
      delete request.context.pep;
    };
    expect(await told(unable)).toMatchObject({ reason_code: 'OBLIGATION_UNSUPPORTED' });
  });

  test('an actor type that the caller may not attest is none', async () => {
    const refund = ({ resource }: EvaluationRequest): string => (resource.id = 'refund');
    expect(await told(refund, { caller: STRANGER })).toMatchObject({ outcome: 'deny' });
  });

  test('data laid over the bundle changes what is allowed and what is sent', async () => {
    const grants = [
      {
        to: { user: 'user:alice@example.com' },
        on: 'tool:payments/transfer',
        within: { '/to/iban': { prefix: 'DE' } },
      },
    ];
    expect(await told(undefined, { overlay: { grants } })).toMatchObject({
      outcome: 'deny',
      visible: true,
      reason_code: 'POLICY_DENIED',
    });
    const { policy } = await scene({ grants });
    expect(policy.projection.pointers['tool:payments/transfer']).toEqual(['/amount', '/to/iban']);
  });

  test('a table that came after the build is read', async () => {
    const grants = [
      {
        to: { anyone: true },
        on: 'tool:payments/transfer',
        within: { '/amount': { at_most: { data: 'late' } } },
      },
    ];
    const late = (limit: number): Data => ({ grants, late: { 'user:alice@example.com': limit } });
    expect(await told(undefined, { overlay: late(500) })).toMatchObject({ outcome: 'allow' });
    expect(await told(undefined, { overlay: late(499) })).toMatchObject({ outcome: 'deny' });
  });

  describe('a list', () => {
    const listed = async (
      groups: string[],
      deployment: string,
      asked?: Scene,
    ): Promise<string[]> => {
      const { core } = asked ?? (await scene());
      const { subject, context } = callOf();
      subject.properties = { actor_type: 'human', groups };
      const names = Object.keys(DATA.registry as object).map(
        (name) => name.split('/')[1] as string,
      );
      const { body } = await core.evaluations(
        {
          subject,
          action: { name: 'tools/list' },
          context: { ...context, phase: 'discovery', environment: { deployment } },
          evaluations: names.map((id) => ({
            resource: { type: 'tool', id, properties: { server: 'payments' } },
          })),
          options: { portcullis: { discovery: { catalogue_digest: `sha256:${'0'.repeat(64)}` } } },
        },
        CALLER,
      );
      const { evaluations } = body as { evaluations: { decision: boolean }[] };
      return names.filter((_, i) => evaluations[i]?.decision);
    };

    test.each([
      [['tellers'], 'production', ['transfer', 'refund', 'customer', 'report']],
      [['tellers'], 'staging', ['staging']],
      [['guests'], 'production', ['transfer']],
      [[], 'production', []],
    ])('of %j in %s shows %j', async (groups, deployment, shown) => {
      expect(await listed(groups, deployment)).toEqual(shown);
    });

    test('records of each item the rules and grants that decided', async () => {
      const asked = await scene();
      await listed(['guests'], 'staging', asked);
      const [{ grounds, shown, withheld } = {}] = await asked.records();
      expect(shown).toEqual([]);
      const why = withheld?.map(({ id, ground = NaN }) => [id, grounds?.[ground]]);
      const elsewhere = { reason_code: 'ENVIRONMENT_BOUNDARY', rules: ['boundary/environment'] };
      expect(why).toEqual([
        ['transfer', elsewhere],
        ['refund', elsewhere],
        ['customer', elsewhere],
        ['staging', { reason_code: 'CAPABILITY_NOT_ALLOWED', rules: [] }],
        ['report', elsewhere],
      ]);
      expect(grounds).toHaveLength(2);
    });
  });
});
