/** What is mutated, and by which tests each part is judged. */

interface Area {
  mutate: readonly string[];
  /** Folders of tests. Its own, so that a change is judged in a second and by its own tests. */
  tests: readonly string[];
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

export const AREAS = {
  contract: { mutate: ['src/contract/**/*.ts'], tests: ['contract'] },
  decision: { mutate: ['src/decision/**/*.ts'], tests: ['decision'] },
  evidence: { mutate: ['src/evidence/**/*.ts'], tests: ['evidence'] },
  // What every request passes. Whatever goes both ways has areas of its own.
  pep: {
    mutate: [
      'src/pep/*.ts',
      'src/pep/obligations/*.ts',
      ...[...DIALOGUE, ...STREAMS, ...TASKS].map((path) => `!${path}`),
    ],
    tests: ['pep'],
  },
  dialogue: { mutate: DIALOGUE, tests: ['pep'] },
  streams: { mutate: STREAMS, tests: ['pep'] },
  tasks: { mutate: TASKS, tests: ['pep'] },
} as const satisfies Record<string, Area>;

export type AreaName = keyof typeof AREAS;

export const AREA_NAMES = Object.keys(AREAS) as readonly AreaName[];

/** The part that this process is to mutate; the first when none is named, for tools that look. */
export function chosenArea(): AreaName {
  return AREA_NAMES.find((name) => name === process.env.MUTATION_AREA) ?? 'contract';
}
