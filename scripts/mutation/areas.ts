/** What is mutated, and by which tests each part is judged. */

export interface Area {
  mutate: readonly string[];
  /**
   * Globs of test files, without their ending. Its own, so that a change is judged in a second and
   * by its own tests; those that take long for what they notice are left out.
   */
  tests: readonly string[];
  /** Modules whose hooks serve several of these files. */
  shared?: readonly string[];
}

/** What a server asks of its client, and the rounds of a request. */
const DIALOGUE = [
  'src/pep/ask*.ts',
  'src/pep/client_offers.ts',
  'src/pep/request_state.ts',
  'src/pep/retry.ts',
];

/** What is told without being asked for. */
const STREAMS = ['src/pep/listen.ts', 'src/pep/stream.ts', 'src/pep/subscriptions.ts'];

const TASKS = ['src/pep/task*.ts'];

/** Those of the guard that need neither a network nor an engine. */
const CORE_TESTS = [
  'pep/obligations/*',
  'pep/mcp/guard',
  ...[
    'both_ends',
    'both_ways',
    'cancel',
    'catalogue',
    'deadline',
    'every_kind',
    'guarded_transport',
    'handshake',
    'interleaving',
    'masked_call',
    'message',
    'methods',
    'modern_envelope',
    'operator_log',
    'policy_watch',
    'projection',
    'question',
    'refusals',
    'safe_denials',
    'server_listing',
    'tools_call',
    'unasked',
  ].map((name) => `pep/${name}`),
];

const DECISION_SHARED = ['support/decisions', 'support/evidence_log'];

const BACKENDS = ['http', 'foreign', 'opa_server', 'authzen_pdp', 'sep_pdp'];

export const AREAS = {
  contract: { mutate: ['src/contract/**/*.ts'], tests: ['contract/**/*'] },
  decision: {
    mutate: ['src/decision/*.ts', 'src/decision/remote/*.ts'],
    tests: ['decision/!(crash|delegation|evaluators|foreign|lenses)', 'decision/remote/*'],
    shared: DECISION_SHARED,
  },
  static_rbac: {
    mutate: ['src/decision/static_rbac/*.ts'],
    tests: ['decision/static_rbac/*'],
    shared: DECISION_SHARED,
  },
  // Whatever decides elsewhere, without the real servers.
  backends: {
    mutate: BACKENDS.map((name) => `src/decision/${name}/*.ts`),
    tests: ['decision/foreign/*', 'decision/authzen_pdp/!(cerbos)', 'decision/sep_pdp/*'],
    shared: DECISION_SHARED,
  },
  evidence: {
    mutate: ['src/evidence/*.ts'],
    // Processes take too long for each change.
    tests: ['evidence/!(processes)'],
    shared: ['support/evidence_log'],
  },
  tree: {
    mutate: ['src/evidence/tree/*.ts'],
    tests: ['evidence/tree/!(flips|go)', 'verify/!(go)'],
    shared: ['support/evidence_log', 'evidence/tree/fixture'],
  },
  // What every request passes. Whatever goes both ways has areas of its own.
  pep: {
    mutate: [
      'src/pep/*.ts',
      'src/pep/obligations/*.ts',
      ...[...DIALOGUE, ...STREAMS, ...TASKS].map((path) => `!${path}`),
    ],
    tests: CORE_TESTS,
  },
  dialogue: { mutate: DIALOGUE, tests: ['pep/asks*', 'pep/request_state', 'pep/retry'] },
  streams: { mutate: STREAMS, tests: ['pep/subscriptions', 'pep/masked_call', 'pep/tasks_listen'] },
  tasks: { mutate: TASKS, tests: ['pep/tasks*'] },
} as const satisfies Record<string, Area>;

export type AreaName = keyof typeof AREAS;

export const AREA_NAMES = Object.keys(AREAS) as readonly AreaName[];

/** The part that this process is to mutate; the first when none is named, for tools that look. */
export function chosenArea(): AreaName {
  return AREA_NAMES.find((name) => name === process.env.MUTATION_AREA) ?? 'contract';
}
