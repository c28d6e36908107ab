/**
 * Policy-filtered discovery over the library: what shapes a list, as tables. Each list is also
 * called, item by item: what is hidden is refused as what does not exist, what is shown is allowed.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { layPolicyData, readBundle, type Bundle } from '../../src/bundle/bundle.ts';
import type { Data } from '../../src/bundle/data_files.ts';
import { readFiles } from '../../src/bundle/files.ts';
import type { EvaluationsResponse } from '../../src/contract/types.gen.ts';
import { CALLER, contextOf, sceneOf, type Scene } from '../support/decisions.ts';
import { DEFAULTS } from '../support/defaults.ts';

const entry = {
  environment: 'production',
  risk: 'low',
  approved: true,
  data_classes: [],
  source: 'internal',
  credential_mode: 'user_delegated',
};
const REGISTRY = {
  read: entry,
  write: { ...entry, risk: 'high' },
  pending: { ...entry, approved: false },
  bought: { ...entry, source: 'marketplace' },
  sourceless: { ...entry, source: undefined },
  shared: { ...entry, credential_mode: 'service_account' },
  modeless: { ...entry, credential_mode: undefined },
  staged: { ...entry, environment: 'staging' },
  ungranted: entry,
};
type Tool = keyof typeof REGISTRY | 'unregistered';
const TOOLS: Tool[] = [...(Object.keys(REGISTRY) as Tool[]), 'unregistered'];
const GRANTED = TOOLS.filter((tool) => tool !== 'ungranted');

const on = (tool: string) => `tool:desk/${tool}`;
const DATA: Data = JSON.parse(
  JSON.stringify({
    registry: Object.fromEntries(Object.entries(REGISTRY).map(([tool, one]) => [on(tool), one])),
    grants: GRANTED.map((tool) => ({ to: { group: 'staff' }, on: on(tool) })),
    agents: {
      planner: { clients: ['cid-planner'], may: ['*'], delegates_to: ['reader'] },
      reader: { clients: ['cid-reader'], may: [on('read')] },
    },
    surfaces: {
      ide: { clients: ['cid-ide'] },
      support_bot: { risk_max: 'medium' },
      production_app: { credential_modes: ['user_delegated'], sources: ['internal'] },
    },
  }),
) as Data;

/** The whole context of a caller: the agent `planner`, in the IDE, in production. */
const WHOLE = {
  subject: { type: 'identity', id: 'user:alice', properties: { groups: ['staff'] } },
  context: {
    profile: 'mcp/1',
    agent: { id: 'cid-planner', verified: true },
    surface: 'ide',
    environment: { deployment: 'production' },
  },
};
type Context = typeof WHOLE;
type Change = (context: Context) => unknown;

let bundle: Bundle;
beforeAll(async () => {
  const file = join(import.meta.dirname, '../../bundles/mcp.tar.gz');
  bundle = readBundle(await readFiles(file, DEFAULTS.policy));
});

const under = async (overlay: Data = {}): Promise<Scene> =>
  sceneOf(layPolicyData(bundle, { ...DATA, ...overlay }));

const resource = (id: string) => ({ type: 'tool', id, properties: { server: 'desk' } });

/** What is listed; each item of the catalogue is called as well. */
async function seen({ core }: Scene, change: Change = () => undefined): Promise<Tool[]> {
  const asked = structuredClone(WHOLE);
  change(asked);
  const list = {
    subject: asked.subject,
    action: { name: 'tools/list' },
    context: { ...asked.context, phase: 'discovery' },
    evaluations: TOOLS.map((id) => ({ resource: resource(id) })),
    options: { portcullis: { discovery: { catalogue_digest: `sha256:${'0'.repeat(64)}` } } },
  };
  const { evaluations } = (await core.evaluations(list, CALLER)).body as EvaluationsResponse;
  const shown = TOOLS.filter((_, at) => evaluations[at]?.decision);
  const absent = await called(core, asked, 'never_was');
  for (const tool of TOOLS) {
    const told = await called(core, asked, tool);
    if (shown.includes(tool)) expect(told).toMatchObject({ outcome: 'allow', visible: true });
    else expect(told).toEqual(absent);
  }
  return shown;
}

async function called(core: Scene['core'], { subject, context }: Context, tool: string) {
  const { evaluation_id: _, ...told } = contextOf(
    await core.evaluation(
      {
        subject,
        action: { name: 'tools/call' },
        resource: resource(tool),
        context: { ...context, phase: 'call', arguments: {} },
      },
      CALLER,
    ),
  );
  return told;
}

const UNBOUND: Tool[] = ['read', 'write', 'bought', 'sourceless', 'shared', 'modeless'];

describe('[D-01] the context comes before the catalogue', () => {
  const REQUIRED: Data = { require_context: ['user', 'agent', 'surface', 'environment'] };
  const without = (what: 'agent' | 'surface' | 'environment'): Change => {
    return ({ context }) => delete (context as Partial<Context['context']>)[what];
  };
  test.each<[string, Change]>([
    ['no agent', without('agent')],
    ['an agent that nobody knows', ({ context }) => (context.agent.id = 'cid-x')],
    ['an agent that is not proved', ({ context }) => (context.agent.verified = false)],
    ['no surface', without('surface')],
    ['a surface that nobody knows', ({ context }) => (context.surface = 'kiosk')],
    ['no environment', without('environment')],
    ['another environment', ({ context }) => (context.environment.deployment = 'moon')],
    ['an environment without a name', ({ context }) => (context.environment = {} as never)],
    ['a user of no group', ({ subject }) => (subject.properties.groups = [])],
  ])('with %s the list is empty', async (_what, change) => {
    const scene = await under(REQUIRED);
    expect(await seen(scene)).toEqual(UNBOUND);
    expect(await seen(scene, change)).toEqual([]);
  });

  test('without a user there is no question', async () => {
    const { core } = await under(REQUIRED);
    const asked = structuredClone(WHOLE) as { subject: { id?: string } } & Context;
    delete (asked.subject as { id?: string }).id;
    await expect(called(core, asked, 'read')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      pointer: '/subject/id',
    });
  });

  test('where the data demand neither agent nor surface, a caller may have none', async () => {
    const scene = await under();
    expect(await seen(scene, without('agent'))).toEqual(UNBOUND);
    expect(await seen(scene, without('surface'))).toEqual(UNBOUND);
    expect(await seen(scene, without('environment'))).toEqual([]);
  });
});

describe('[D-03] the list is shaped by who asks, through whom, and by rules', () => {
  const grants = (to: object) => ({ grants: [{ to, on: on('read') }] });
  test.each<[string, Data, Tool[], Change, Tool[]]>([
    [
      'group',
      grants({ group: 'staff' }),
      ['read'],
      ({ subject }) => (subject.properties.groups = ['guests']),
      [],
    ],
    [
      'user',
      grants({ user: 'user:alice' }),
      ['read'],
      ({ subject }) => (subject.id = 'user:bob'),
      [],
    ],
    [
      'agent',
      grants({ agent: 'planner' }),
      ['read'],
      ({ context }) => (context.agent.id = 'cid-reader'),
      [],
    ],
    ['surface', grants({ surface: 'ide' }), ['read'], support, []],
    [
      'client',
      {},
      UNBOUND,
      ({ context }) => Object.assign(context, { agent: { id: 'cid-reader', verified: true } }),
      ['read'],
    ],
    [
      'delegator',
      { agents: { ...(DATA['agents'] as object), reader: { may: [on('read')] } } },
      UNBOUND,
      ({ subject }) => Object.assign(subject.properties, { delegation: [{ id: 'stranger' }] }),
      [],
    ],
    [
      'rule',
      {},
      UNBOUND,
      ({ context }) => Object.assign(context, { session: { state: 'expired' } }),
      [],
    ],
  ])('%s', async (_lens, overlay, before, change, after) => {
    const scene = await under(overlay);
    expect([await seen(scene), await seen(scene, change)]).toEqual([before, after]);
  });
});

function support({ context }: Context): void {
  context.surface = 'support_bot';
}

function production({ context }: Context): void {
  context.surface = 'production_app';
}

describe('[D-05] the tray holds what is granted, approved, low enough, of the right source', () => {
  const TRAY = { risk_max: 'medium', sources: ['internal'] };
  const surfaces = { ide: TRAY };
  test.each<[Tool, boolean]>([
    ['read', true],
    ['write', false],
    ['pending', false],
    ['bought', false],
    ['sourceless', false],
    ['ungranted', false],
    ['unregistered', false],
    ['staged', false],
  ])('%s: %j', async (tool, held) => {
    expect((await seen(await under({ surfaces }))).includes(tool)).toBe(held);
  });
});

test('[D-07] the same agent sees another list on another surface', async () => {
  const scene = await under();
  expect({
    ide: await seen(scene),
    support_bot: await seen(scene, support),
    production_app: await seen(scene, production),
  }).toEqual({
    ide: UNBOUND,
    support_bot: ['read', 'bought', 'sourceless', 'shared', 'modeless'],
    production_app: ['read', 'write'],
  });
});

test('[D-08] what belongs to one environment is not seen in another', async () => {
  const scene = await under();
  const at = (deployment: string) =>
    seen(scene, ({ context }) => (context.environment = { deployment }));
  expect([await at('production'), await at('staging'), await at('development')]).toEqual([
    UNBOUND,
    ['staged'],
    [],
  ]);
});

describe('[D-09] risk tier and credential mode decide what is seen', () => {
  const RANKS = ['low', 'medium', 'high', 'critical'];
  const MODES = ['none', 'service_account', 'user_delegated', 'agent_scoped', 'workload_mapped'];
  const places = (bound: object): [string, Data][] => [
    ['surface', { surfaces: { ide: bound } }],
    ['environment', { environments: { production: bound } }],
    ['agent', { agents: { planner: { clients: ['cid-planner'], may: ['*'], ...bound } } }],
  ];
  const registry = (more: object) => ({
    registry: { [on('read')]: JSON.parse(JSON.stringify({ ...entry, ...more })) as object },
  });

  test.each(places({}).map(([place]) => place))(
    'each tier below each ceiling of a %s',
    async (place) => {
      for (const ceiling of RANKS) {
        const [, bound] = places({ risk_max: ceiling }).find(([name]) => name === place)!;
        for (const risk of RANKS) {
          const held = RANKS.indexOf(risk) <= RANKS.indexOf(ceiling);
          const found = await seen(await under({ ...bound, ...registry({ risk }) }));
          expect({ ceiling, risk, found }).toEqual({ ceiling, risk, found: held ? ['read'] : [] });
        }
      }
    },
  );

  test.each([undefined, 'unheard of'])('the tier %j is none, and is not taken', async (risk) => {
    await expect(under(registry({ risk }))).rejects.toMatchObject({ code: 'DATA_INVALID' });
  });

  test.each(places({}).map(([place]) => place))('each mode that a %s accepts', async (place) => {
    for (const accepted of [[], ['none'], ['user_delegated', 'agent_scoped']]) {
      const [, bound] = places({ credential_modes: accepted }).find(([name]) => name === place)!;
      for (const credential_mode of [...MODES, undefined]) {
        const held = credential_mode !== undefined && accepted.includes(credential_mode);
        const found = await seen(await under({ ...bound, ...registry({ credential_mode }) }));
        expect({ accepted, credential_mode, found }).toEqual({
          ...{ accepted, credential_mode },
          found: held ? ['read'] : [],
        });
      }
    }
  });
});
