/** The rows of the table: one fixture and one revision, reached on each way. */
import { differencesOf, scoreOf, type Score } from './compare.ts';
import { FIXTURES, WAYS, type Fixture, type Way } from './fixtures.ts';
import type { Policy } from './policy.ts';
import { REVISIONS, runSuite, type Revision, type SuiteResult } from './suite.ts';

export interface Row {
  fixture: string;
  revision: Revision;
  /** The server speaks the revision: alone, it must pass all that is required. */
  is_goal: boolean;
  scores: Partial<Record<Way, Score>>;
  /** What is found otherwise than without a guard, by way. */
  differences: Partial<Record<Way, string[]>>;
}

export type Progress = (line: string) => void;

export async function sideBySide(policy: Policy, progress: Progress): Promise<Row[]> {
  const rows: Row[] = [];
  for (const fixture of FIXTURES) {
    const found = await reachOnAllWays(fixture, policy, progress);
    rows.push(...REVISIONS.map((revision) => rowOf(fixture, revision, found)));
  }
  return rows;
}

type Found = ReadonlyMap<Way, ReadonlyMap<Revision, SuiteResult>>;

async function reachOnAllWays(
  fixture: Fixture,
  policy: Policy,
  progress: Progress,
): Promise<Found> {
  const found = new Map<Way, Map<Revision, SuiteResult>>();
  for (const way of WAYS) {
    const start = fixture.start[way];
    if (start === undefined) continue;
    progress(`${fixture.name}, ${way}`);
    found.set(way, await runRevisions(() => start(policy.settings([])), REVISIONS));
  }
  return found;
}

/** Runs revisions against one server. */
async function runRevisions(
  start: () => ReturnType<NonNullable<Fixture['start'][Way]>>,
  revisions: readonly Revision[],
): Promise<Map<Revision, SuiteResult>> {
  const { url, close } = await start();
  try {
    const results = new Map<Revision, SuiteResult>();
    for (const revision of revisions) results.set(revision, await runSuite(url, revision));
    return results;
  } finally {
    await close();
  }
}

function rowOf({ name, goals }: Fixture, revision: Revision, found: Found): Row {
  const results = new Map([...found].map(([way, of]) => [way, of.get(revision) as SuiteResult]));
  const alone = results.get('unguarded') as SuiteResult;
  const others = [...results].filter(([way]) => way !== 'unguarded');
  return {
    fixture: name,
    revision,
    is_goal: goals.includes(revision),
    scores: Object.fromEntries([...results].map(([way, of]) => [way, scoreOf(of)])),
    differences: Object.fromEntries(others.map(([way, of]) => [way, differencesOf(alone, of)])),
  };
}

/**
 * What stands against a row; nothing, where it is as it must be. How a server is wrong that does
 * not speak the revision may well change behind a guard.
 */
export function faultsOf({ is_goal, scores, differences }: Row): string[] {
  const alone = scores.unguarded;
  if (!is_goal || alone === undefined) return [];
  const { passed, required } = alone;
  const missed = passed < required ? [`${passed} of ${required} are passed without a guard`] : [];
  const changed = Object.entries(differences).flatMap(([way, lines]) =>
    lines.map((line) => `${way}: ${line}`),
  );
  return [...missed, ...changed];
}
