/**
 * What a suite needs of the machine. The one place where a suite may be skipped: anywhere else a
 * skipped test would look like a passed one.
 */
import { describe, test } from '@jest/globals';

/**
 * `prerequisite('opa', found, 'put opa on PATH')('suite', () => { … })` is `describe`, but where
 * the thing is missing the suite is skipped with the reason in its name; with `CI` in the
 * environment (.ci/run sets it) it fails instead.
 */
export function prerequisite(
  name: string,
  found: boolean,
  remedy: string,
): (title: string, suite: () => void) => void {
  if (found) return (title, suite) => describe(title, suite);
  const reason = `needs ${name}: ${remedy}`;
  if (!process.env.CI) return (title, suite) => describe.skip(`${title} (${reason})`, suite);
  return (title) =>
    test(title, () => {
      throw new Error(reason);
    });
}

/**
 * The same for what is published elsewhere and may not be copied into the project: where it does
 * not lie beside it, the suite is skipped with the reason in its name, under `CI` too. What such a
 * suite shows has to be tested by files of the project as well.
 */
export function published(
  name: string,
  found: boolean,
): (title: string, suite: () => void) => void {
  if (found) return (title, suite) => describe(title, suite);
  return (title, suite) => describe.skip(`${title} (needs ${name} beside the project)`, suite);
}
