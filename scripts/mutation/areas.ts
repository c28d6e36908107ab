/** What is mutated, and by which tests each part is judged. */

export interface Area {
  mutate: readonly string[];
  /**
   * Globs of test files, in their order and without their ending. Its own, so that a change is
   * judged by its own tests; those that take long for what they notice are left out.
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

/** Of the guard all but those that take seconds, and those that start processes. */
const GUARD_TESTS = [
  // They count timers, of which others may leave some.
  'pep/{deadline,exchange_timers,own_requests}',
  'pep/!(client_claims|fail_closed_backends|imports|interleaved|real_core|secrets|unavailable)',
  'pep/mcp/!(bound_tokens|http_caller|http_sessions|oauth_clients|stdio)',
  'pep/obligations/*',
];
const GUARD_SHARED = ['support/evidence_log'];

const DECISION_SHARED = ['support/decisions', 'support/evidence_log'];

const BACKENDS = ['http', 'foreign', 'opa_server', 'authzen_pdp', 'sep_pdp'];

export const AREAS = {
  contract: { mutate: ['src/contract/**/*.ts'], tests: ['contract/**/*'] },
  decision: {
    mutate: ['src/decision/*.ts', 'src/decision/remote/*.ts'],
    tests: ['decision/!(crash|delegation|evaluators|foreign|lenses|mask_opa)', 'decision/remote/*'],
    shared: DECISION_SHARED,
  },
  static_rbac: {
    mutate: ['src/decision/static_rbac/*.ts'],
    tests: ['decision/static_rbac/*'],
    shared: DECISION_SHARED,
  },
  // Whatever decides elsewhere. Of the real servers only OPA, which is there in a moment.
  backends: {
    mutate: BACKENDS.map((name) => `src/decision/${name}/*.ts`),
    tests: [
      'decision/http/*',
      'decision/foreign/*',
      'decision/authzen_pdp/!(cerbos)',
      'decision/sep_pdp/*',
      'decision/opa_server/*',
      'decision/foreign',
    ],
    shared: DECISION_SHARED,
  },
  evidence: {
    mutate: ['src/evidence/*.ts'],
    // Processes take too long for each change. The tree and the index stand on the same files.
    tests: ['evidence/!(processes)', 'evidence/tree/!(flips|go)', 'evidence/index/*'],
    shared: ['support/evidence_log', 'evidence/tree/fixture', 'evidence/index/fixture'],
  },
  tree: {
    mutate: ['src/evidence/tree/*.ts'],
    tests: ['evidence/tree/!(flips|go)', 'verify/!(go)'],
    shared: ['support/evidence_log', 'evidence/tree/fixture'],
  },
  index: {
    mutate: ['src/evidence/index/*.ts'],
    tests: ['evidence/index/*'],
    shared: ['support/evidence_log', 'evidence/index/fixture'],
  },
  exports: {
    mutate: ['src/evidence/exports/**/*.ts'],
    tests: ['evidence/exports/**/*'],
    shared: ['support/evidence_log', 'evidence/exports/fixture', 'evidence/exports/receiver'],
  },
  outcomes: { mutate: ['src/outcomes/*.ts'], tests: ['outcomes/*'], shared: ['outcomes/fixture'] },
  // What every request passes. Whatever goes both ways has areas of its own.
  pep: {
    mutate: [
      'src/pep/*.ts',
      'src/pep/obligations/*.ts',
      ...[...DIALOGUE, ...STREAMS, ...TASKS].map((path) => `!${path}`),
    ],
    tests: GUARD_TESTS,
    shared: GUARD_SHARED,
  },
  dialogue: { mutate: DIALOGUE, tests: GUARD_TESTS, shared: GUARD_SHARED },
  streams: { mutate: STREAMS, tests: GUARD_TESTS, shared: GUARD_SHARED },
  tasks: { mutate: TASKS, tests: GUARD_TESTS, shared: GUARD_SHARED },
} as const satisfies Record<string, Area>;

export type AreaName = keyof typeof AREAS;

export const AREA_NAMES = Object.keys(AREAS) as readonly AreaName[];

/** The part that this process is to mutate; the first when none is named, for tools that look. */
export function chosenArea(): AreaName {
  return AREA_NAMES.find((name) => name === process.env.MUTATION_AREA) ?? 'contract';
}
