/** The rows of the table: one fixture and one revision, reached on each way. */
import type { Hosted } from '../../test/conformance/fixture/host.ts';
import { differencesOf, scoreOf, type Difference, type Score } from './compare.ts';
import { WAYS, type Fixture, type Way } from './fixtures.ts';
import { RIGHTLY } from './rightly.ts';
import type { Policy } from './policy.ts';
import { runSuite, type Revision, type SuiteResult } from './suite.ts';

export interface Row {
  fixture: string;
  revision: Revision;
  /** The server speaks the revision: alone, it must pass all that is required. */
  is_goal: boolean;
  scores: Partial<Record<Way, Score>>;
  /** What is found otherwise than without a guard, by way. */
  differences: Partial<Record<Way, Difference[]>>;
}

export type Progress = (line: string) => void;

/** One fixture on every way. */
export async function sideBySide(
  fixture: Fixture,
  revisions: readonly Revision[],
  policy: Policy,
  progress: Progress,
): Promise<Row[]> {
  const found = await reachOnAllWays(fixture, revisions, policy, progress);
  return revisions.map((revision) => {
    const ways = [...found].map(([way, of]) => [way, of.get(revision) as SuiteResult] as const);
    return rowOf(fixture, revision, new Map(ways));
  });
}

async function reachOnAllWays(
  fixture: Fixture,
  revisions: readonly Revision[],
  policy: Policy,
  progress: Progress,
): Promise<Map<Way, Map<Revision, SuiteResult>>> {
  const found = new Map<Way, Map<Revision, SuiteResult>>();
  for (const way of WAYS) {
    const start = fixture.start[way];
    if (start === undefined) continue;
    progress(`${fixture.name}, ${way}`);
    found.set(way, await runRevisions(() => start(policy.settings([])), revisions));
  }
  return found;
}

/** Runs revisions against one server. */
export async function runRevisions(
  start: () => Promise<Hosted>,
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

/** A row of what was found on each way; without a guard it was found in any case. */
export function rowOf(
  { name, goals }: Fixture,
  revision: Revision,
  ways: ReadonlyMap<Way, SuiteResult>,
): Row {
  const alone = ways.get('unguarded') as SuiteResult;
  const others = [...ways].filter(([way]) => way !== 'unguarded');
  return {
    fixture: name,
    revision,
    is_goal: goals.includes(revision),
    scores: Object.fromEntries([...ways].map(([way, of]) => [way, scoreOf(of)])),
    differences: Object.fromEntries(others.map(([way, of]) => [way, differencesOf(alone, of)])),
  };
}

/**
 * What stands against a row; nothing, where it is as it must be. How a server is wrong that does
 * not speak the revision may well change behind a guard.
 */
export function faultsOf({ is_goal, revision, scores, differences }: Row): string[] {
  const alone = scores.unguarded;
  if (!is_goal || alone === undefined) return [];
  const { passed, required } = alone;
  const missed = passed < required ? [`${passed} of ${required} are passed without a guard`] : [];
  const changed = Object.entries(differences).flatMap(([way, found]) => {
    const rightly = RIGHTLY[way as Way]?.[revision] ?? {};
    return [...unexpected(found, rightly), ...stale(found, rightly)].map(
      (fault) => `${way}: ${fault}`,
    );
  });
  return [...missed, ...changed];
}

type Rightly = Readonly<Record<string, string>>;

function unexpected(found: readonly Difference[], rightly: Rightly): string[] {
  return found
    .filter((difference) => !Object.hasOwn(rightly, nameOf(difference)))
    .map((difference) => {
      const { was, now, problem } = difference;
      return `${nameOf(difference)} was ${was} and is ${now}: ${problem}`;
    });
}

/** A difference that is there no more must leave the table. */
function stale(found: readonly Difference[], rightly: Rightly): string[] {
  const names = new Set(found.map(nameOf));
  return Object.keys(rightly)
    .filter((name) => !names.has(name))
    .map((name) => `${name} is as without a guard, other than the table says`);
}

function nameOf({ scenario, check }: Difference): string {
  return `${scenario}: ${check}`;
}
