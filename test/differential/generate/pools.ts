/** Few values for each fact, so that what rules ask for and what requests bring often meet. */
import type { SeededRandom } from '../../support/seeded_random.ts';
import type { Collection, Json } from '../model.ts';

export const USERS = ['user:alice', 'user:bob', 'user:carol'];
export const GROUPS = ['staff', 'tellers', 'leads'];
export const ACTORS = ['human', 'supervised_ai', 'automation', 'service_account'];
export const AGENTS = ['planner', 'runner', 'scout'];
export const CLIENTS = ['planner', 'cid-runner', 'cid-scout', 'cid-bot', 'cid-unknown'];
export const SURFACES = ['ide', 'support_bot', 'app'];
export const ENVIRONMENTS = ['production', 'development'];
export const RISKS = ['low', 'medium', 'high', 'critical'];
export const CLASSES = ['public', 'personal', 'secret'];
export const CAPABILITIES = [
  'tool:payments/transfer',
  'tool:payments/balance',
  'tool:ledger/post',
  'resource:files/report',
];
/** An entry of the registry for addresses that have none of their own. */
export const FAMILY = 'resource:files/*';
export const PATTERNS = [...CAPABILITIES, 'tool:payments/*', 'tool:ledger/*', '*'];
export const DIGESTS = ['a', 'b'].map((digit) => `sha256:${digit.repeat(64)}`);
export const CHANNELS = ['task', 'elicitation', 'none'];

/** Facts by the name under `data.mcp.request`, with what they may be. */
export const FACTS: Record<string, Json[]> = {
  'user.id': USERS,
  actor_type: ACTORS,
  tenant: ['north', 'south'],
  agent: AGENTS,
  surface: SURFACES,
  environment: ENVIRONMENTS,
  server: ['payments', 'ledger'],
  type: ['tool', 'resource'],
  on_behalf_of: USERS,
  'session.state': ['active', 'expired', 'step_up'],
  'purpose.text': ['billing', 'support'],
  'capability.risk': RISKS,
  'capability.environment': ENVIRONMENTS,
  'capability.source': ['internal', 'vendor'],
  'capability.credential_mode': ['none', 'user_delegated'],
  'capability.actor_required': ACTORS,
};

/** Facts that a link more of the delegation changes. */
export const CHAIN_FACTS = new Set(['on_behalf_of']);

export const MEMBERS: Record<Collection, Json[]> = {
  groups: GROUPS,
  chain: [...AGENTS, null],
  'capability.data_classes': CLASSES,
};

/** Arguments with what they may be; a wrong type is among them. */
export const ARGUMENTS: Record<string, Json[]> = {
  amount: [5, 50, 100, 100, 500, -5, null, false, '50', 'abc'],
  to: ['DE1', 'FR2', 7, null],
  mode: ['fast', 'safe'],
  force: [true, false],
  path: ['/srv/a', '/srv', '/srv/../etc', '/etc/x', '', 3],
  paths: [['/srv/a', '/srv/b'], ['/srv/a', '/etc'], [], '/srv/a', 7, { one: '/srv/a' }],
  items: [[{ sku: 'a', count: 2 }], [{ sku: 'a', count: 9 }, { sku: 'b' }], ['a'], []],
  'odd/name': [1, 20],
};

export interface Range {
  from: number;
  to: number;
}

/** Some of the values, each at most once. */
export function some<T>(random: SeededRandom, values: readonly T[], { from, to }: Range): T[] {
  const rest = [...values];
  const size = Math.min(from + random.below(to - from + 1), rest.length);
  return Array.from({ length: size }, () => rest.splice(random.below(rest.length), 1)).flat();
}

export function list<T>(random: SeededRandom, { from, to }: Range, make: () => T): T[] {
  return Array.from({ length: from + random.below(to - from + 1) }, make);
}

/** The members that are there: each has its chance. */
export function optional<T>(random: SeededRandom, share: number, make: () => T): T | undefined {
  return random.chance(share) ? make() : undefined;
}

/** Leaves out what has no value, as JSON does. */
export function present<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
