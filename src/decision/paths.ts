/**
 * Sets of JSON Pointers, where `*` stands for any member and a pointer stands for all below it:
 * what two such sets have in common.
 */
import { jsonPointer, pointerSteps } from '../contract/json.ts';

/** Most paths of one duty. */
export const PATHS_MAX = 256;

/** Pointers to what both sets reach, sorted, without those that another one covers. */
export function intersectPaths(a: readonly string[], b: readonly string[]): string[] {
  const common = new Set<string>();
  for (const left of a) {
    for (const right of b) {
      const shared = meet(stepsOf(left), stepsOf(right));
      if (shared) common.add(jsonPointer(shared));
    }
  }
  const all = [...common].sort();
  return all.filter((path) => !all.some((other) => other !== path && covers(other, path)));
}

/** What lies under both pointers, or undefined where they part. */
function meet(a: readonly string[], b: readonly string[]): string[] | undefined {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  const shared: string[] = [];
  for (const [i, step] of long.entries()) {
    const other = short[i] ?? '*';
    if (step !== other && step !== '*' && other !== '*') return undefined;
    shared.push(step === '*' ? other : step);
  }
  return shared;
}

function covers(wide: string, narrow: string): boolean {
  const inner = stepsOf(narrow);
  return stepsOf(wide).every((step, i) => (step === '*' ? i < inner.length : step === inner[i]));
}

/** The schema of a result lets nothing but pointers through. */
function stepsOf(pointer: string): string[] {
  return pointerSteps(pointer) as string[];
}
