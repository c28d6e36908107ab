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

/** A check that was found otherwise than on the first way. */
export interface Difference {
  scenario: string;
  /** Its id, with its number where the id repeats. */
  check: string;
  was: Check['status'] | 'absent';
  now: Check['status'] | 'absent';
  /** What the suite says of it. */
  problem: string;
}

/**
 * Checks of the scenarios that the first way passes: how a server is wrong in one that it does not
 * support may well change behind a guard, which has tasks of its own.
 */
export function differencesOf(first: SuiteResult, second: SuiteResult): Difference[] {
  const names = [...first.scenarios.keys()].filter((scenario) => isPassed(first, scenario));
  return names.sort().flatMap((scenario) => {
    const before = keyed(first.scenarios.get(scenario));
    const after = keyed(second.scenarios.get(scenario));
    return [...new Set([...before.keys(), ...after.keys()])].flatMap((check) => {
      const was = before.get(check)?.status ?? 'absent';
      const now = after.get(check)?.status ?? 'absent';
      const problem = after.get(check)?.problem ?? before.get(check)?.problem ?? '';
      return was === now ? [] : [{ scenario, check, was, now, problem }];
    });
  });
}

/** Ids repeat within a scenario. */
function keyed(checks: readonly Check[] = []): Map<string, Check> {
  const found = new Map<string, Check>();
  const times = new Map<string, number>();
  for (const check of checks) {
    const count = (times.get(check.id) ?? 0) + 1;
    times.set(check.id, count);
    found.set(count === 1 ? check.id : `${check.id} (${count})`, check);
  }
  return found;
}
