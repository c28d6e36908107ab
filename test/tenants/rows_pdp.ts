/** Ways across at the decision point. */
import type { EvaluationsResponse, Status } from '../../src/contract/types.gen.ts';
import { remote } from '../decision/remote/fixture.ts';
import { start } from '../pdp/fixture.ts';
import { CALLER, codeOf } from '../support/decisions.ts';
import { callBy, OF_GLOBEX, someone, type World } from './fixture.ts';
import type { Row } from './rows.ts';

interface Told {
  decision: unknown;
  reason_code?: string;
  context?: { reason_code: string; visible: boolean };
}

const UNAVAILABLE = [false, 'POLICY_UNAVAILABLE', false];
const ALLOWED = [true, 'ALLOWED', true];

async function decided(world: World, body: object, caller = CALLER): Promise<unknown> {
  const told = (await world.core.evaluation(body, caller)).body as Told;
  return [told.decision, told.context?.reason_code, told.context?.visible];
}

async function sep(world: World, tenants: { subject?: string; environment?: string }) {
  const { core } = world;
  const body = {
    subject: {
      principal: 'user:alice',
      actor_type: 'human',
      groups: ['tellers'],
      ...(tenants.subject && { tenant: tenants.subject }),
    },
    capability: { type: 'tool', name: 'balance' },
    action: 'execute',
    arguments: {},
    environment: {
      deployment: 'production',
      ...(tenants.environment && { tenant: tenants.environment }),
    },
  };
  const told = (await core.sepDecision(body, CALLER)).body as Told;
  return [told.decision, told.reason_code];
}

/** What is listed for a tenant. */
async function listed(world: World, tenant: string | undefined, caller = CALLER) {
  const { subject, environment } = someone(tenant);
  const tools = ['balance', 'report', 'transfer'];
  const body = {
    subject,
    action: { name: 'tools/list', properties: { verb: 'list' } },
    context: { profile: 'mcp/1', phase: 'discovery', environment },
    evaluations: tools.map((id) => ({
      resource: { type: 'tool', id, properties: { server: 'payments' } },
    })),
    options: { portcullis: { discovery: { catalogue_digest: `sha256:${'0'.repeat(64)}` } } },
  };
  const { evaluations } = (await world.core.evaluations(body, caller)).body as EvaluationsResponse;
  return tools.filter((_, at) => evaluations[at]?.decision);
}

const knows = ({ ready, policy, arguments_projection, problem }: Status) => ({
  ready,
  problem,
  policy: policy !== undefined,
  pointers: arguments_projection?.pointers,
});
const NOTHING = { ready: false, problem: 'the tenant has no policy', policy: false };

const across = (way: string, tenant: unknown): Row => ({
  way: `a call ${way}`,
  tried: async (world) => ({
    own: await decided(world, callBy('acme', 'balance')),
    across: await decided(world, callBy(tenant, 'balance')),
  }),
  own: ALLOWED,
  across: UNAVAILABLE,
});

export const PDP_ROWS: readonly Row[] = [
  {
    way: 'a call under another tenant, by the same subject id',
    tried: async (world) => ({
      own: await decided(world, callBy('acme', 'balance')),
      across: await decided(world, callBy('globex', 'balance')),
    }),
    own: ALLOWED,
    across: [false, 'CAPABILITY_NOT_ALLOWED', false],
  },
  across('under no tenant', undefined),
  across('under an unknown tenant', 'initech'),
  across('under a tenant spelt otherwise', 'Acme'),
  across('under a path', '../acme'),
  {
    way: 'a plain AuthZEN call under a tenant that is no text',
    tried: async (world) => {
      const plain = (tenant: unknown) => {
        const { context, ...call } = callBy(tenant, 'balance') as { context: object };
        return { ...call, context: { ...context, profile: 'authzen' } };
      };
      return {
        own: await decided(world, plain('acme')),
        across: await Promise.all(
          [['acme'], 1, null, true, { id: 'acme' }].map((tenant) => decided(world, plain(tenant))),
        ),
      };
    },
    // It is their policy that decides: the library takes no profile but its own.
    own: [false, 'POLICY_INDETERMINATE', false],
    across: Array.from({ length: 5 }, () => UNAVAILABLE),
  },
  {
    way: 'a batch of several tenants',
    tried: async ({ core }) => {
      const batch = async (...tenants: unknown[]) => {
        const evaluations = tenants.map((tenant) => callBy(tenant, 'balance'));
        const { body } = await core.evaluations({ evaluations }, CALLER);
        return (body as EvaluationsResponse).evaluations.map((one) => one.decision);
      };
      return {
        own: await batch('acme', 'acme'),
        across: await batch('globex', 'acme', undefined, 'initech', 'acme', 'globex'),
      };
    },
    own: [true, true],
    across: [false, true, false, false, true, false],
  },
  {
    way: 'a list',
    tried: async (world) => ({
      own: await listed(world, 'acme'),
      across: [
        await listed(world, 'globex'),
        await listed(world, 'initech'),
        await listed(world, undefined),
      ],
    }),
    own: ['balance', 'report', 'transfer'],
    across: [['report', 'transfer'], [], []],
  },
  {
    way: 'the external decision profile, in both places of the tenant (R3)',
    tried: async (world) => ({
      own: [
        await sep(world, { subject: 'acme' }),
        await sep(world, { environment: 'acme' }),
        await sep(world, { subject: 'acme', environment: 'acme' }),
      ],
      across: [
        await sep(world, { subject: 'globex' }),
        await sep(world, {}),
        await sep(world, { environment: 'initech' }),
        await codeOf(sep(world, { subject: 'globex', environment: 'acme' })),
      ],
    }),
    own: [
      ['allow', 'ALLOWED'],
      ['allow', 'ALLOWED'],
      ['allow', 'ALLOWED'],
    ],
    across: [
      ['deny', 'CAPABILITY_NOT_ALLOWED'],
      ['deny', 'POLICY_UNAVAILABLE'],
      ['deny', 'POLICY_UNAVAILABLE'],
      'REQUEST_INVALID /environment/tenant',
    ],
  },
  {
    way: 'a caller that is bound to another tenant: a call, a list, a batch',
    tried: async (world) => {
      const evaluations = [callBy('acme', 'balance'), callBy('globex', 'report')];
      return {
        own: [
          await decided(world, callBy('globex', 'report'), OF_GLOBEX),
          await listed(world, 'globex', OF_GLOBEX),
        ],
        across: [
          await codeOf(decided(world, callBy('acme', 'balance'), OF_GLOBEX)),
          await codeOf(decided(world, callBy(undefined, 'balance'), OF_GLOBEX)),
          await codeOf(listed(world, 'acme', OF_GLOBEX)),
          await codeOf(world.core.evaluations({ evaluations }, OF_GLOBEX)),
        ],
      };
    },
    own: [ALLOWED, ['report', 'transfer']],
    across: Array(4).fill('UNAUTHENTICATED'),
  },
  {
    way: 'what a bound caller hears of a tenant that is there, and of one that is not',
    tried: async ({ core }) => {
      const answer = async (tenant: string) => {
        const told = await core.evaluation(callBy(tenant, 'balance'), OF_GLOBEX).catch(String);
        const text = JSON.stringify([told, core.status(tenant, OF_GLOBEX)]);
        return text.replaceAll(/id-\d+/g, 'ID').replaceAll(tenant, 'TENANT');
      };
      return {
        own: (await answer('globex')) === (await answer('acme')),
        across: (await answer('acme')) === (await answer('initech')),
      };
    },
    own: false,
    across: true,
  },
  {
    way: 'the status, over HTTP',
    tried: async ({ core }) => {
      const service = await start(core);
      const point = remote({ url: service.url }, { timeout_ms: 5000 });
      const of = async (tenant?: string) => knows(await point.describe({ tenant }));
      try {
        return {
          own: [await of('acme'), await of('globex')],
          across: [await of('initech'), await of(), knows(core.status('acme', OF_GLOBEX))],
        };
      } finally {
        await point.close();
        await service.close();
      }
    },
    own: [
      { ready: true, policy: true, pointers: { 'tool:payments/transfer': ['/amount'] } },
      { ready: true, policy: true, pointers: {} },
    ],
    across: [NOTHING, { ready: true, policy: false }, NOTHING],
  },
  {
    way: 'hearing of a change of policy',
    tried: async (world) => {
      const heard: Record<string, number> = { acme: 0, globex: 0, initech: 0, none: 0 };
      for (const tenant of Object.keys(heard)) {
        const listen = () => (heard[tenant]! += 1);
        world.core.watch(listen, tenant === 'none' ? undefined : tenant);
      }
      world.put('acme', { registry: {}, grants: [] });
      await world.settle();
      const { acme, ...others } = heard;
      return { own: acme, across: others };
    },
    own: 1,
    across: { globex: 0, initech: 0, none: 0 },
  },
  {
    way: 'a policy that is broken, or that is taken away',
    tried: async (world) => {
      world.put('globex', { grants: 'garbage' });
      await world.settle();
      const own = await decided(world, callBy('acme', 'balance'));
      world.remove('acme');
      await world.settle();
      return {
        own: [own, await listed(world, 'globex')],
        across: await decided(world, callBy('acme', 'balance')),
      };
    },
    own: [ALLOWED, ['report', 'transfer']],
    across: UNAVAILABLE,
  },
  {
    way: 'the evidence: one tenant’s records, and no other’s',
    tried: async (world) => {
      await decided(world, callBy('acme', 'balance'));
      await decided(world, callBy('globex', 'balance'));
      await decided(world, callBy('initech', 'balance'));
      await listed(world, 'acme');
      const records = await world.records();
      const of = (tenant: string) =>
        records
          .filter((record) => (record.tenant ?? record.request?.subject.tenant) === tenant)
          .map(({ kind, policy, decision }) => [kind, policy !== undefined, decision]);
      return { own: of('acme'), across: [of('globex'), of('initech')] };
    },
    own: [
      ['activation', true, undefined],
      ['decision', true, true],
      ['discovery', true, undefined],
    ],
    across: [
      [
        ['activation', true, undefined],
        ['decision', true, false],
      ],
      [['decision', false, false]],
    ],
  },
];
