/** Runs the suite behind policies that deny one method each, and holds what fails to the table. */
import { DENIALS } from './denials.ts';
import type { Fixture } from './fixtures.ts';
import type { Policy } from './policy.ts';
import { runRevisions, type Progress } from './rows.ts';
import { isPassed, type Revision, type SuiteResult } from './suite.ts';

export interface DenialRow {
  fixture: string;
  revision: Revision;
  method: string;
  /** Scenarios, required or not, that failed and are passed without a guard. */
  failed: string[];
  /** Those of them that the table does not name. */
  unpredicted: string[];
  /** Those that the table names and that did not fail. */
  unfailed: string[];
}

export type DeniedMethod = keyof typeof DENIALS;
export const DENIED_METHODS = Object.keys(DENIALS) as DeniedMethod[];

export async function denyEach(
  fixture: Fixture,
  methods: readonly DeniedMethod[],
  policy: Policy,
  progress: Progress,
): Promise<DenialRow[]> {
  const { name, goals, start } = fixture;
  progress(`${name}, unguarded`);
  const alone = await runRevisions(() => start.unguarded(policy.settings([])), goals);
  const rows: DenialRow[] = [];
  for (const method of methods) {
    const revisions = goals.filter((revision) => predictedFor(method, revision) !== undefined);
    if (revisions.length === 0) continue;
    progress(`${name}, ${method} denied`);
    const denied = await runRevisions(() => start.guarded(policy.settings([method])), revisions);
    for (const [revision, found] of denied) {
      const failed = lostScenarios(alone.get(revision) as SuiteResult, found);
      rows.push(rowOf(name, revision, method, failed));
    }
  }
  return rows;
}

function rowOf(
  fixture: string,
  revision: Revision,
  method: DeniedMethod,
  failed: string[],
): DenialRow {
  const predicted = predictedFor(method, revision) ?? [];
  return {
    fixture,
    revision,
    method,
    failed,
    unpredicted: failed.filter((scenario) => !predicted.includes(scenario)),
    unfailed: predicted.filter((scenario) => !failed.includes(scenario)),
  };
}

/** Undefined where the revision has no such method. */
function predictedFor(method: DeniedMethod, revision: Revision): readonly string[] | undefined {
  return DENIALS[method]?.[revision];
}

function lostScenarios(alone: SuiteResult, denied: SuiteResult): string[] {
  const passed = [...alone.scenarios.keys()].filter((scenario) => isPassed(alone, scenario));
  return passed.filter((scenario) => !isPassed(denied, scenario)).sort();
}

export function faultsOfDenial({ unpredicted, unfailed }: DenialRow): string[] {
  return [
    ...unpredicted.map((scenario) => `${scenario} fails and was not predicted to`),
    ...unfailed.map((scenario) => `${scenario} was predicted to fail and does not`),
  ];
}
