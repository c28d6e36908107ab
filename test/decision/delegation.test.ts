/**
 * A chain of agents only takes away (requirement D-11): generated policies and chains, judged by
 * the compiled library and by an oracle that is written from the text of the contract and shares no
 * code with it. `FUZZ_TIMES=100` takes more of them.
 */
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { layPolicyData, readBundle, type Bundle } from '../../src/bundle/bundle.ts';
import { readFiles } from '../../src/bundle/files.ts';
import type { Resource } from '../../src/contract/types.gen.ts';
import type { ActivePolicy, PolicyInput } from '../../src/decision/types.ts';
import { judgeListing } from '../../src/decision/listing.ts';
import { judgeResult } from '../../src/decision/result.ts';
import { activate, CALLER, codeOf, callOf, evidenceOnDisk, sceneOf } from '../support/decisions.ts';
import { DEFAULTS } from '../support/defaults.ts';
import { fuzzing, fuzzTimeout } from '../support/fuzz.ts';

const TOOLS = ['bank/balance', 'bank/transfer', 'bank/close', 'crm/customer', 'crm/erase'];
const RISKS = ['low', 'medium', 'high', 'critical'];
const AGENTS = ['planner', 'runner', 'clerk', 'auditor'];
/** Clients, agents by name, and ids that nobody knows. */
const IDS = ['cid-1', 'cid-2', ...AGENTS, 'stranger'];
const PATTERNS = [...TOOLS, 'bank/*', 'crm/*'].map((name) => `tool:${name}`).concat('*');

interface Agent {
  clients?: string[];
  may: string[];
  risk_max?: string;
  delegates_to?: string[];
}
interface Grant {
  to: { group?: string; user?: string; anyone?: true };
  on: string;
  within?: { '/amount': { at_most: number } };
}
interface World {
  risks: string[];
  agents: Record<string, Agent>;
  grants: Grant[];
}
interface Asked {
  client: string | undefined;
  links: string[];
  amount: number;
}

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const agent = fc
  .record({
    clients: optional(fc.subarray(['cid-1', 'cid-2'])),
    may: fc.oneof(fc.constant(['*']), fc.subarray(PATTERNS)),
    risk_max: optional(fc.constantFrom(...RISKS)),
    delegates_to: optional(fc.oneof(fc.constant(AGENTS), fc.subarray(AGENTS))),
  })
  .map((made) => JSON.parse(JSON.stringify(made)) as Agent);
const grant = fc
  .record({
    to: fc.constantFrom(
      { group: 'tellers' },
      { group: 'guests' },
      { user: 'user:alice' },
      { anyone: true as const },
    ),
    on: fc.constantFrom(...PATTERNS),
    within: optional(fc.record({ '/amount': fc.record({ at_most: fc.integer({ max: 9 }) }) })),
  })
  .map((made) => JSON.parse(JSON.stringify(made)) as Grant);
const world: fc.Arbitrary<World> = fc
  .record({
    risks: fc.array(fc.constantFrom(...RISKS), { minLength: 5, maxLength: 5 }),
    agents: fc.record({ planner: agent, runner: agent, clerk: agent, auditor: agent }),
    grants: fc.array(grant, { minLength: 1, maxLength: 6 }),
  })
  .map(({ agents, ...made }) => ({ ...made, agents: apart(agents) }));
const asked: fc.Arbitrary<Asked> = fc.record({
  client: optional(fc.constantFrom(...IDS)),
  links: fc.array(fc.constantFrom(...IDS), { maxLength: 4 }),
  amount: fc.integer({ min: 0, max: 10 }),
});
/** Chains for one policy, since a policy takes longer to load than to ask. */
const asks = fc.array(asked, { minLength: 12, maxLength: 12 });

/** A client is one agent's. */
function apart(agents: Record<string, Agent>): Record<string, Agent> {
  const taken = new Set<string>();
  for (const one of Object.values(agents)) {
    const clients = (one.clients ?? []).filter((id) => !taken.has(id));
    for (const id of clients) taken.add(id);
    if (clients.length > 0) one.clients = clients;
    else delete one.clients;
  }
  return agents;
}

function dataOf({ risks, agents, grants }: World) {
  const entries = TOOLS.map((name, i) => [
    `tool:${name}`,
    { environment: 'production', risk: risks[i], approved: true, data_classes: [] },
  ]);
  return { registry: Object.fromEntries(entries) as object, agents, grants };
}

// The oracle: contract, section 3. `undefined` is a link that nobody knows.

function agentOf({ agents }: World, id: string): string | undefined {
  const named = Object.entries(agents).filter(([name, { clients }]) =>
    clients ? clients.includes(id) : name === id,
  );
  return named[0]?.[0];
}

/** The one that calls first. A client that leads the token's chain stands in it once. */
function chainOf(of: World, { client, links }: Asked): (string | undefined)[] {
  const named = links.map((id) => agentOf(of, id));
  if (client === undefined) return named;
  const caller = agentOf(of, client);
  return caller !== undefined && named[0] === caller ? named : [caller, ...named];
}

const covers = (pattern: string, tool: string) =>
  pattern === '*' ||
  pattern === `tool:${tool}` ||
  (pattern.endsWith('/*') && tool.startsWith(pattern.slice('tool:'.length, -1)));

function granted({ grants }: World, tool: string, amount?: number): boolean {
  return grants.some(({ to, on, within }) => {
    const addressed = to.anyone ?? (to.group === 'tellers' || to.user === 'user:alice');
    const inside = amount === undefined || !within || amount <= within['/amount'].at_most;
    return addressed && covers(on, tool) && inside;
  });
}

/** What every link may do by itself, whoever handed on to it. */
function intersection(of: World, chain: (string | undefined)[], tool: string): boolean {
  return chain.every((name) => {
    const link = name === undefined ? undefined : of.agents[name];
    if (!link || !link.may.some((pattern) => covers(pattern, tool))) return false;
    const risk = RISKS.indexOf(of.risks[TOOLS.indexOf(tool)]!);
    return link.risk_max === undefined || risk <= RISKS.indexOf(link.risk_max);
  });
}

function handedOn(of: World, chain: (string | undefined)[]): boolean {
  return chain.every((name, i) => {
    const next = chain[i - 1];
    if (i === 0) return true;
    return name !== undefined && (of.agents[name]?.delegates_to ?? []).includes(next!);
  });
}

function oracle(of: World, ask: Asked, amount?: number): string[] {
  const chain = chainOf(of, ask);
  if (!handedOn(of, chain)) return [];
  return TOOLS.filter((tool) => granted(of, tool, amount) && intersection(of, chain, tool));
}

// The library.

const RESOURCES: Resource[] = TOOLS.map((name) => {
  const [server = '', id = ''] = name.split('/');
  return { type: 'tool', id, properties: { server } };
});

function inputOf({ client, links }: Asked, phase: string, more: object = {}): PolicyInput {
  return {
    subject: {
      type: 'identity',
      id: 'user:alice',
      properties: { groups: ['tellers'], delegation: links.map((id) => ({ id })) },
    },
    action: { name: phase === 'call' ? 'tools/call' : 'tools/list' },
    context: {
      ...{ profile: 'mcp/1', phase, environment: { deployment: 'production' }, ...more },
      ...(client !== undefined && { agent: { id: client, verified: true } }),
    },
  };
}

/** The names that are listed, and those that can be called. */
async function judged(policy: ActivePolicy, ask: Asked): Promise<[string[], string[]]> {
  const raw = await policy.list(inputOf(ask, 'discovery'), RESOURCES);
  const called: string[] = [];
  for (const [at, resource] of RESOURCES.entries()) {
    const input = { ...inputOf(ask, 'call', { arguments: { amount: ask.amount } }), resource };
    if (judgeResult(await policy.evaluate(input)).outcome === 'allow') called.push(TOOLS[at]!);
  }
  return [TOOLS.filter((_, at) => judgeListing(raw, TOOLS.length)![at]!.visible), called];
}

const within = (inner: readonly string[][], outer: readonly string[][]) =>
  inner.every((names, i) => names.every((name) => outer[i]!.includes(name)));

describe('a chain of agents', () => {
  let bundle: Bundle;
  let load: (of: World) => Promise<ActivePolicy & { close?(): void }>;
  beforeAll(async () => {
    const file = join(import.meta.dirname, '../../bundles/mcp.tar.gz');
    bundle = readBundle(await readFiles(file, DEFAULTS.policy));
    const { evidence } = await evidenceOnDisk();
    load = (of) => activate(layPolicyData(bundle, { ...dataOf(of) }), evidence);
  });

  /** Whether it holds of each of the chains, for a policy that is let go afterwards. */
  async function holds(
    of: World,
    all: readonly Asked[],
    law: (policy: ActivePolicy, ask: Asked) => Promise<void>,
  ): Promise<void> {
    const policy = await load(of);
    try {
      for (const ask of all) await law(policy, ask);
    } finally {
      policy.close?.();
    }
  }

  test(
    '[D-11] sees and does what the user may and every link may, handed on along it, and no more',
    () =>
      fc.assert(
        fc.asyncProperty(world, asks, (of, all) =>
          holds(of, all, async (policy, ask) => {
            const told = await judged(policy, ask);
            expect({ ask, told }).toEqual({
              ask,
              told: [oracle(of, ask), oracle(of, ask, ask.amount)],
            });
          }),
        ),
        fuzzing(60),
      ),
    fuzzTimeout(60),
  );

  test(
    '[D-11] gains nothing by a link at either end, nor by one between two that handed on',
    () =>
      fc.assert(
        fc.asyncProperty(world, asks, fc.constantFrom(...IDS), fc.nat(4), (of, all, link, at) =>
          holds(of, all, async (policy, ask) => {
            const before = await judged(policy, ask);
            const valid = handedOn(of, chainOf(of, ask));
            const places = [0, ask.links.length, ...(valid ? [at % (ask.links.length + 1)] : [])];
            for (const place of new Set(places)) {
              const longer = { ...ask, links: ask.links.toSpliced(place, 0, link) };
              // A client that stands in the chain's place is no end of it.
              if (place === 0 && ask.client !== undefined && !valid) continue;
              const after = await judged(policy, longer);
              expect({ longer, gained: !within(after, before) }).toEqual({ longer, gained: false });
            }
          }),
        ),
        fuzzing(40),
      ),
    fuzzTimeout(60),
  );

  test(
    'has no more than its user alone, and no more where a grant is taken away',
    () =>
      fc.assert(
        fc.asyncProperty(world, asks, fc.nat(5), async (of, all, at) => {
          const fewer = { ...of, grants: of.grants.toSpliced(at % of.grants.length, 1) };
          const less = await load(fewer);
          await holds(of, all, async (policy, ask) => {
            const told = await judged(policy, ask);
            const alone = await judged(policy, { ...ask, client: undefined, links: [] });
            expect(within(told, alone)).toBe(true);
            expect(within(await judged(less, ask), told)).toBe(true);
          });
          less.close?.();
        }),
        fuzzing(30),
      ),
    fuzzTimeout(60),
  );

  test('is at most eight links long, and an id of it at most 512 characters', async () => {
    const { core } = await sceneOf(layPolicyData(bundle, {}));
    const asking = (...ids: string[]) => {
      const request = callOf();
      request.subject.properties = { delegation: ids.map((id) => ({ id })) };
      return codeOf(core.evaluation(request, CALLER));
    };
    expect([
      await asking(...Array.from({ length: 8 }, () => 'runner')),
      await asking(...Array.from({ length: 9 }, () => 'runner')),
      await asking('x'.repeat(512)),
      await asking('x'.repeat(513)),
      await asking(''),
    ]).toEqual([
      'no error',
      'REQUEST_INVALID /subject/properties/delegation',
      'no error',
      'REQUEST_INVALID /subject/properties/delegation/0/id',
      'REQUEST_INVALID /subject/properties/delegation/0/id',
    ]);
  });
});
