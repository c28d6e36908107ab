/** What the suite found on two ways to one fixture, held against each other. */
import { isPassed, type Check, type SuiteResult } from './suite.ts';

/** Required scenarios that were passed, and what the single checks of all scenarios found. */
export interface Score {
  passed: number;
  required: number;
  checks_passed: number;
  checks_failed: number;
  warnings: number;
}

export function scoreOf(result: SuiteResult): Score {
  const checks = [...result.scenarios.values()].flat();
  const count = (sought: Check['status']) => checks.filter(({ status }) => status === sought);
  return {
    passed: result.required.filter((scenario) => isPassed(result, scenario)).length,
    required: result.required.length,
    checks_passed: count('SUCCESS').length,
    checks_failed: count('FAILURE').length,
    warnings: count('WARNING').length,
  };
}

/** A line for each check that was found otherwise than on the first way. */
export function differencesOf(first: SuiteResult, second: SuiteResult): string[] {
  const names = new Set([...first.scenarios.keys(), ...second.scenarios.keys()]);
  return [...names].sort().flatMap((name) => {
    const before = first.scenarios.get(name) ?? [];
    const after = second.scenarios.get(name) ?? [];
    const told = new Map(before.map((check, i) => [keyOf(before, i), check]));
    const changed = after.flatMap((check, i) => {
      const key = keyOf(after, i);
      const was = told.get(key);
      told.delete(key);
      if (was?.status === check.status) return [];
      const problem = check.problem ?? was?.problem ?? '';
      return [`${name}: ${key}: ${was?.status ?? 'absent'}, now ${check.status}: ${problem}`];
    });
    const gone = [...told].map(([key, { status }]) => `${name}: ${key}: ${status}, now absent`);
    return [...changed, ...gone];
  });
}

/** Ids repeat within a scenario. */
function keyOf(checks: readonly Check[], at: number): string {
  const id = checks[at]?.id ?? '';
  const earlier = checks.slice(0, at).filter((check) => check.id === id).length;
  return earlier === 0 ? id : `${id} (${earlier + 1})`;
}
