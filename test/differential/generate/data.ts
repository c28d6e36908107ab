/** Data of a policy: registry, grants, agents, surfaces, environments, and two tables. */
import type { SeededRandom } from '../../support/seeded_random.ts';
import type { Agent, Grant, Json, JsonObject, PolicyData, Region } from '../model.ts';
import {
  ACTORS,
  AGENTS,
  CAPABILITIES,
  CHANNELS,
  CLASSES,
  DIGESTS,
  ENVIRONMENTS,
  FAMILY,
  GROUPS,
  list,
  optional,
  PATTERNS,
  present,
  RISKS,
  some,
  SURFACES,
  USERS,
} from './pools.ts';

export function dataFor(random: SeededRandom): PolicyData {
  const own = some(random, CAPABILITIES, { from: 2, to: 4 });
  const known = random.chance(0.3) ? [...own, FAMILY] : own;
  return present({
    registry: Object.fromEntries(known.map((name) => [name, capability(random)])),
    grants: grants(random),
    agents: Object.fromEntries(AGENTS.map((name) => [name, agent(random, name)])),
    surfaces: Object.fromEntries(
      some(random, SURFACES, { from: 2, to: 3 }).map((name) => [name, surface(random, name)]),
    ),
    environments: { production: { risk_max: optional(random, 0.3, () => random.pick(RISKS)) } },
    limits: Object.fromEntries(
      some(random, USERS, { from: 1, to: 3 }).map((user) => [
        user,
        random.pick<Json>([10, 100, 1000, '100']),
      ]),
    ),
    levels: Object.fromEntries(
      [...USERS, ...SURFACES, ...ENVIRONMENTS].map((name) => [name, 1 + random.below(2)]),
    ),
    directory: {
      'user:alice': { manager: 'user:bob' },
      'user:bob': { manager: random.pick(USERS) },
    },
  } as PolicyData);
}

function capability(random: SeededRandom): JsonObject {
  const classes = some(random, CLASSES, { from: 0, to: 2 });
  const fields = Object.fromEntries(
    some(random, CLASSES, { from: 1, to: 3 }).map((name) => [name, [`/${name}`, '/id']]),
  );
  return {
    environment: random.chance(0.8) ? 'production' : 'development',
    risk: random.pick(['low', 'low', 'medium', 'high', 'critical']),
    approved: random.chance(0.95),
    ...(random.chance(0.5) && { source: random.pick(['internal', 'vendor']) }),
    ...(random.chance(0.4) && { credential_mode: random.pick(['none', 'user_delegated']) }),
    ...(random.chance(0.8) && { data_classes: classes }),
    ...(random.chance(0.8) && { fields_by_class: fields }),
    ...(random.chance(0.25) && { actor_required: random.pick(['human', ...ACTORS]) }),
    ...(random.chance(0.1) && { digest: random.pick(DIGESTS) }),
  };
}

function agent(random: SeededRandom, name: string): Agent {
  return {
    ...(name !== 'planner' && { clients: [`cid-${name}`] }),
    may: random.chance(0.8) ? ['*'] : some(random, PATTERNS, { from: 1, to: 3 }),
    ...(random.chance(0.2) && { risk_max: random.pick(RISKS) }),
    ...(random.chance(0.8) && { delegates_to: some(random, AGENTS, { from: 1, to: 3 }) }),
  };
}

function surface(random: SeededRandom, name: string): PolicyData['surfaces'][string] {
  return {
    ...(name === 'support_bot' && { clients: ['cid-bot'] }),
    ...(random.chance(0.25) && { risk_max: random.pick(RISKS) }),
    ...(name !== 'ide' && random.chance(0.6) && { keep: random.pick(CLASSES) }),
  };
}

/** A wide one that allows and one that asks are common, so that all outcomes are. */
function grants(random: SeededRandom): Grant[] {
  const all = list(random, { from: 1, to: 4 }, () => grant(random));
  if (random.chance(0.4)) all.push({ to: { anyone: true }, on: '*' });
  if (random.chance(0.4)) all.push({ ...ask(random), to: { group: 'staff' }, on: '*' });
  return all.map((each, i) =>
    each.require_approval || random.chance(0.5) ? { id: `grant-${i}`, ...each } : each,
  );
}

function grant(random: SeededRandom): Grant {
  const base = { to: addressee(random), on: random.pick(PATTERNS) };
  if (random.chance(0.4)) return { ...base, ...ask(random) };
  return random.chance(0.6) ? { ...base, within: region(random) } : base;
}

function ask(random: SeededRandom): Pick<Grant, 'unless_within' | 'require_approval'> {
  const by = random.pick<Json>([
    'manager_of_requester',
    { group: 'leads' },
    { user: 'user:carol' },
  ]);
  return {
    ...(random.chance(0.6) && { unless_within: region(random) }),
    require_approval: {
      by,
      ...(random.chance(0.5) && { not: 'requester' as const }),
      ...(random.chance(0.5) && { via: some(random, CHANNELS, { from: 1, to: 2 }) }),
    },
  };
}

function addressee(random: SeededRandom): JsonObject {
  const ways: (() => JsonObject)[] = [
    () => ({ group: random.pick(GROUPS) }),
    () => ({ group: random.pick(GROUPS) }),
    () => ({ user: random.pick(USERS) }),
    () => ({ actor_type: random.pick(ACTORS) }),
    () => ({ agent: random.pick(AGENTS) }),
    () => ({ surface: random.pick(SURFACES) }),
    () => ({ anyone: true }),
  ];
  const first = random.pick(ways)();
  return random.chance(0.25) ? { ...random.pick(ways)(), ...first } : first;
}

function region(random: SeededRandom): Region {
  return Object.fromEntries(some(random, REGIONS, { from: 1, to: random.chance(0.3) ? 2 : 1 }));
}

const REGIONS: [string, JsonObject][] = [
  ['/amount', { at_most: 100 }],
  ['/amount', { at_most: { data: 'limits' } }],
  ['/amount', { at_least: 0, at_most: 50 }],
  ['/to', { equals: 'DE1' }],
  ['/to', { one_of: ['DE1', 'FR2', 7] }],
  ['/to', { prefix: 'D' }],
  ['/mode', { equals: 'safe', length_at_most: 4 }],
  ['/path', { path_under: '/srv' }],
  ['/paths/*', { path_under: '/srv/' }],
  ['/items/*/count', { at_most: 5 }],
  ['/items/*/sku', { one_of: ['a', 'b'] }],
  ['/odd~1name', { at_most: 10 }],
  ['/force', { equals: false }],
];
