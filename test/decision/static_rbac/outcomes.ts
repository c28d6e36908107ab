/**
 * The outcomes of the file of roles that the SEP publishes, as a table: subjects, what they ask
 * for, and what comes of it. It is asked of the published file where that lies beside the project,
 * and always of one of the same shape with names of our own.
 */
import type { ActorType } from '../../../src/contract/types.gen.ts';

/** What the two files call things. */
export interface Names {
  operators: string;
  visitors: string;
  robots: string;
  look: string;
  reset: string;
  settings: string;
  count: string;
  drop: string;
}

export const OUR_NAMES: Names = {
  operators: 'keepers',
  visitors: 'visitors',
  robots: 'robots',
  look: 'look_up',
  reset: 'reset_meter',
  settings: 'ledger_settings',
  count: 'count_visits',
  drop: 'drop_ledger',
};

export const PUBLISHED_NAMES: Names = {
  operators: 'sre',
  visitors: 'developer',
  robots: 'automation',
  look: 'read_logs',
  reset: 'restart_service',
  settings: 'prod_config',
  count: 'collect_metrics',
  drop: 'delete_cluster',
};

/** The same shape with our names. */
export const OUR_FILE = `version: 1
roles:
  keepers:
    description: They keep the meters running.
    grants:
      - {capability: 'tool:look_up', actions: [execute], decision: allow}
      - capability: tool:reset_meter
        actions: [execute]
        decision: require_approval
        constraints: {actor_required: human, approval_required: true, approval_via: task}
      - capability: resource:ledger_settings
        actions: [read]
        decision: allow
        constraints: {environment: production}
  visitors:
    grants:
      - capability: tool:look_up
        actions: [execute]
        decision: allow
        constraints: {environment: [development, staging]}
      - {capability: 'resource:ledger_settings', actions: [read], decision: deny}
  robots:
    grants:
      - capability: tool:count_visits
        actions: [execute]
        decision: allow
        constraints: {actor_required: service_account}
      - {capability: 'tool:reset_meter', actions: [execute], decision: deny}
defaults:
  missing_policy: deny
  policy_error: deny
  unknown_capability: deny
  client_claims_authoritative: false
`;

export interface Ask {
  groups: string[];
  actor_type: ActorType | undefined;
  type: string;
  name: string;
  action: string;
  deployment: string | undefined;
}

export interface Outcome {
  decision: 'allow' | 'deny' | 'require_approval';
  /** As the caller is told. */
  reason_code: string;
  constraints?: object;
}

const ALLOWED: Outcome = { decision: 'allow', reason_code: 'ALLOWED' };
const DENIED: Outcome = { decision: 'deny', reason_code: 'CAPABILITY_NOT_ALLOWED' };
const UNKNOWN_METHOD: Outcome = { decision: 'deny', reason_code: 'UNKNOWN_METHOD_DENIED' };
const UNPROVED: Outcome = { decision: 'deny', reason_code: 'ACTOR_VALIDATION_FAILED' };
const BY_HUMAN = { actor_required: 'human', approval_required: true, require_approval_via: 'task' };

const DEPLOYMENTS = ['production', 'staging', 'development', undefined];
const ACTORS: readonly (ActorType | undefined)[] = [
  'human',
  'supervised_ai',
  'automation',
  'service_account',
  undefined,
];

/** A row speaks of one capability, and of the groups, deployments and actors that it lists. */
interface Row {
  groups: (keyof Names)[];
  capability: `${'tool' | 'resource'}:${keyof Names} ${'execute' | 'read'}`;
  deployments?: readonly (string | undefined)[];
  actors?: readonly (ActorType | undefined)[];
  outcome: Outcome;
}

const READ = 'resource:settings read';
const others = (...not: ActorType[]) => ACTORS.filter((actor) => !not.includes(actor as ActorType));

/** Everything that is no row is denied. */
const ROWS: readonly Row[] = [
  { groups: ['operators'], capability: 'tool:look execute', outcome: ALLOWED },
  {
    groups: ['operators'],
    capability: 'tool:reset execute',
    actors: ['human'],
    outcome: {
      decision: 'require_approval',
      reason_code: 'APPROVAL_REQUIRED',
      constraints: BY_HUMAN,
    },
  },
  {
    groups: ['operators'],
    capability: 'tool:reset execute',
    actors: others('human'),
    outcome: { ...UNPROVED, constraints: BY_HUMAN },
  },
  { groups: ['operators'], capability: READ, deployments: ['production'], outcome: ALLOWED },
  {
    groups: ['visitors'],
    capability: 'tool:look execute',
    deployments: ['development', 'staging'],
    outcome: ALLOWED,
  },
  { groups: ['visitors', 'operators'], capability: 'tool:look execute', outcome: ALLOWED },
  {
    groups: ['robots'],
    capability: 'tool:count execute',
    actors: ['service_account'],
    outcome: { ...ALLOWED, constraints: { actor_required: 'service_account' } },
  },
  {
    groups: ['robots'],
    capability: 'tool:count execute',
    actors: others('service_account'),
    outcome: { ...UNPROVED, constraints: { actor_required: 'service_account' } },
  },
];

/** Several roles at once, and none. */
const GROUPS: readonly (keyof Names)[][] = [
  [],
  ['operators'],
  ['visitors'],
  ['robots'],
  ['visitors', 'operators'],
];

const CAPABILITIES: readonly [type: string, name: keyof Names][] = [
  ['tool', 'look'],
  ['tool', 'reset'],
  ['tool', 'count'],
  ['tool', 'drop'],
  ['resource', 'settings'],
  ['resource', 'look'],
  ['prompt', 'look'],
];
const ACTIONS = ['execute', 'read', 'get', 'list', 'subscribe', 'erase'];

/** Every question there is about the names of a file, with its outcome. */
export function outcomes(names: Names): { ask: Ask; outcome: Outcome }[] {
  const places = DEPLOYMENTS.flatMap((deployment) =>
    ACTORS.map((actor_type) => ({ deployment, actor_type })),
  );
  const uses = CAPABILITIES.flatMap(([type, name]) =>
    ACTIONS.map((action) => ({ type, name, action })),
  );
  return GROUPS.flatMap((held) =>
    uses.flatMap(({ type, name, action }) =>
      places.map((place) => {
        const of = { held, capability: `${type}:${name} ${action}`, ...place };
        const given = KNOWN[type]?.includes(action) ? DENIED : UNKNOWN_METHOD;
        const outcome = joined(of) ?? ROWS.find((row) => isOf(row, of))?.outcome ?? given;
        const groups = held.map((group) => names[group]);
        return { ask: { groups, type, name: names[name], action, ...place }, outcome };
      }),
    ),
  );
}

interface Case {
  held: readonly (keyof Names)[];
  capability: string;
  deployment: string | undefined;
  actor_type: ActorType | undefined;
}

/** Whoever is visitor and operator may what either may, but for what one is denied (R13). */
function joined(of: Case): Outcome | undefined {
  if (of.held.length < 2) return undefined;
  if (of.capability === READ) return DENIED;
  const outcome = of.held.map(
    (group) => ROWS.find((row) => isOf(row, { ...of, held: [group] }))?.outcome,
  );
  return outcome.find((one) => one !== undefined);
}

function isOf({ groups, capability, deployments, actors }: Row, of: Case): boolean {
  return (
    groups.join() === of.held.join() &&
    capability === of.capability &&
    (deployments ?? DEPLOYMENTS).includes(of.deployment) &&
    (actors ?? ACTORS).includes(of.actor_type)
  );
}

/** What the draft can ask of each; anything else is no method. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  tool: ['execute', 'list'],
  resource: ['read', 'list', 'subscribe'],
  prompt: ['get', 'list'],
};
