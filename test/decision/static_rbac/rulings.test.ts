/** How grants stand to each other and to a question, ruling by ruling. */
import { describe, expect, test } from '@jest/globals';
import type { PolicyResult } from '../../../src/contract/types.gen.ts';
import { policyOf, inputOf } from './fixture.ts';

type Grant = [decision: string, constraints?: string, actions?: string];

const role = (name: string, capability: string, grants: readonly Grant[]): string =>
  [
    `  ${name}:`,
    '    grants:',
    ...grants.map(
      ([decision, constraints = '', actions = 'execute']) =>
        `      - {capability: '${capability}', actions: [${actions}], decision: ${decision}, ` +
        `constraints: {${constraints}}}`,
    ),
  ].join('\n');

/** A file of one role with some grants on one tool. */
const file = (...grants: Grant[]): string => `roles:\n${role('keepers', 'tool:reset', grants)}\n`;

/** What is decided for a keeper by some grants on the tool that is asked for. */
async function decided(
  grants: readonly Grant[],
  changes: Parameters<typeof inputOf>[2] = {},
): Promise<PolicyResult> {
  return (await policyOf(file(...grants))).evaluate(inputOf('tool:reset', ['keepers'], changes));
}

const HUMAN = 'actor_required: human';
const AI = 'actor_required: supervised_ai';
const ROBOT = 'actor_required: automation';
const subjectOf = (actor_type: string | undefined) => ({
  subject: { properties: { groups: ['keepers'], ...(actor_type && { actor_type }) } },
});

describe('R13: among several grants', () => {
  test.each<[title: string, grants: Grant[], outcome: string, by: string[]]>([
    ['an allow alone allows', [['allow']], 'allow', ['keepers/1']],
    ['a denial goes before an allow', [['allow'], ['deny']], 'deny', ['keepers/2']],
    [
      'a denial goes before an approval',
      [['deny'], ['require_approval'], ['allow']],
      'deny',
      ['keepers/1'],
    ],
    [
      'an approval goes before an allow',
      [['allow'], ['require_approval']],
      'require_approval',
      ['keepers/2'],
    ],
    ['equals decide together', [['allow'], ['allow']], 'allow', ['keepers/1', 'keepers/2']],
    [
      'what does not hold does not count',
      [['allow'], ['deny', 'environment: staging']],
      'allow',
      ['keepers/1'],
    ],
  ])('%s', async (_title, grants, decision, rules) => {
    expect(await decided(grants)).toMatchObject({ decision, rules });
  });

  test('every constraint of equals has to hold', async () => {
    const grants: Grant[] = [
      ['require_approval', HUMAN],
      ['require_approval', 'require_approval_via: task'],
    ];
    expect(await decided(grants)).toMatchObject({
      decision: 'require_approval',
      constraints: {
        actor_required: 'human',
        approval_required: true,
        require_approval_via: 'task',
      },
    });
  });

  test('the constraints of a weaker grant do not lift those of a stricter one', async () => {
    const result = await decided([
      ['allow', ROBOT],
      ['require_approval', HUMAN],
    ]);
    expect(result.constraints).toEqual({ actor_required: 'human', approval_required: true });
  });

  test.each<[actor: string | undefined, required: string]>([
    ['human', 'human'],
    ['supervised_ai', 'human'],
    ['automation', 'supervised_ai'],
    ['service_account', 'supervised_ai'],
    [undefined, 'supervised_ai'],
  ])('of a human and a supervised AI, %s is told to be %s', async (actor, actor_required) => {
    const both: Grant[][] = [
      [
        ['allow', HUMAN],
        ['allow', AI],
      ],
      [
        ['allow', AI],
        ['allow', HUMAN],
      ],
    ];
    for (const grants of both) {
      const { constraints } = await decided(grants, subjectOf(actor));
      expect(constraints).toEqual({ actor_required });
    }
  });

  test.each(['human', 'automation', 'supervised_ai', undefined])(
    'actors that nobody can be at once refuse %s',
    async (actor) => {
      const { constraints } = await decided(
        [
          ['allow', HUMAN],
          ['allow', ROBOT],
        ],
        subjectOf(actor),
      );
      expect(constraints?.actor_required).toBe(actor === 'automation' ? 'human' : 'automation');
    },
  );

  test('two channels for one approval deny, since there is no such approval', async () => {
    const via = (channel: string): Grant => ['require_approval', `approval_via: ${channel}`];
    expect(await decided([via('task'), via('elicitation')])).toStrictEqual({
      decision: 'deny',
      visible: false,
      constraints: {},
      rules: ['keepers/1', 'keepers/2'],
    });
    expect(await decided([via('task'), via('task')])).toMatchObject({
      decision: 'require_approval',
    });
  });

  test('grants of several roles count as those of one', async () => {
    const yaml = [
      'roles:',
      role('keepers', 'tool:reset', [['allow']]),
      role('guests', 'tool:reset', [['deny']]),
    ].join('\n');
    const policy = await policyOf(yaml);
    const outcome = (...groups: string[]) => policy.evaluate(inputOf('tool:reset', groups));
    expect(outcome('keepers')).toMatchObject({ decision: 'allow', rules: ['keepers/1'] });
    expect(outcome('keepers', 'guests')).toMatchObject({ decision: 'deny', rules: ['guests/1'] });
  });
});

describe('R9: constraints beside a decision', () => {
  test.each<[title: string, grant: Grant, outcome: string]>([
    ['an allow may carry some', ['allow', HUMAN], 'allow'],
    [
      'an allow that needs an approval is one',
      ['allow', 'approval_required: true'],
      'require_approval',
    ],
    ['so is one that names a channel', ['allow', 'approval_via: task'], 'require_approval'],
    ['an allow that needs none is an allow', ['allow', 'approval_required: false'], 'allow'],
    ['an approval needs no word for it', ['require_approval'], 'require_approval'],
  ])('%s', async (_title, grant, decision) => {
    const result = await decided([grant]);
    expect(result.decision).toBe(decision);
    expect(result.constraints?.approval_required === true).toBe(decision === 'require_approval');
  });

  test('R1: both spellings of the channel come out as one', async () => {
    const channel = { approval_required: true, require_approval_via: 'task' };
    for (const spelling of [
      'approval_via: task',
      'require_approval_via: task',
      'approval_via: task, require_approval_via: task',
    ]) {
      expect((await decided([['require_approval', spelling]])).constraints).toEqual(channel);
    }
  });
});

describe('R15: environment', () => {
  const inPlace = (deployment: unknown) => ({
    context: { environment: deployment === undefined ? {} : { deployment } },
  });

  test.each([
    ['environment: production', 'production', 'allow'],
    ['environment: production', 'staging', 'deny'],
    ['environment: production', 'Production', 'deny'],
    ['environment: production', undefined, 'deny'],
    ['environment: [staging, production]', 'production', 'allow'],
    ['environment: [staging, production]', 'development', 'deny'],
    ['environment: [staging, production]', undefined, 'deny'],
  ])('a grant for %s in %s: %s', async (constraint, deployment, decision) => {
    expect(await decided([['allow', constraint]], inPlace(deployment))).toMatchObject({ decision });
  });

  test.each(['deny', 'require_approval'])(
    'where it is not known whether a %s holds, the thing is denied',
    async (restriction) => {
      const grants: Grant[] = [['allow'], [restriction, 'environment: production']];
      expect(await decided(grants, inPlace('staging'))).toMatchObject({ decision: 'allow' });
      expect(await decided(grants, inPlace('production'))).toMatchObject({ decision: restriction });
      expect(await decided(grants, inPlace(undefined))).toMatchObject({
        decision: 'deny',
        rules: ['keepers/2'],
      });
      expect(await decided([grants[1]!], inPlace(undefined))).toMatchObject({ decision: 'deny' });
    },
  );

  test('a deployment that is no text decides nothing', async () => {
    for (const deployment of [1, null, ['production'], { name: 'production' }]) {
      expect(await decided([['allow']], inPlace(deployment))).toEqual({
        decision: 'deny',
        errors: ['the deployment is no text'],
      });
    }
  });
});
