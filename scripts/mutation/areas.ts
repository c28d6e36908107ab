/** What is mutated, and by which tests each part is judged. */

interface Area {
  mutate: readonly string[];
  /** Folders of tests. Its own, so that a change is judged in a second and by its own tests. */
  tests: readonly string[];
}

export const AREAS = {
  contract: { mutate: ['src/contract/**/*.ts'], tests: ['contract'] },
  decision: { mutate: ['src/decision/**/*.ts'], tests: ['decision'] },
  evidence: { mutate: ['src/evidence/**/*.ts'], tests: ['evidence'] },
  pep: { mutate: ['src/pep/*.ts', 'src/pep/obligations/*.ts'], tests: ['pep'] },
} as const satisfies Record<string, Area>;

export type AreaName = keyof typeof AREAS;

export const AREA_NAMES = Object.keys(AREAS) as readonly AreaName[];

/** The part that this process is to mutate; the first when none is named, for tools that look. */
export function chosenArea(): AreaName {
  return AREA_NAMES.find((name) => name === process.env.MUTATION_AREA) ?? 'contract';
}
