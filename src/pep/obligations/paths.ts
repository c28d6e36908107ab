/**
 * Paths of obligations: JSON Pointers (RFC 6901) in which the step `*` stands for any member of an
 * object or array. The paths of one list are merged into a tree, so that a value is walked once.
 */
import { pointerSteps } from '../../contract/json.ts';

/** `end` is set where a path ends; `any` stands below `*`. */
export interface PathTree<End> {
  end?: End;
  any?: PathTree<End>;
  named: Map<string, PathTree<End>>;
}

export function emptyTree<End>(): PathTree<End> {
  return { named: new Map() };
}

/** Adds a path; where two end at one place, `merge` says what holds. False: it is no pointer. */
export function addPath<End>(
  tree: PathTree<End>,
  pointer: unknown,
  end: End,
  merge: (one: End, other: End) => End,
): boolean {
  const steps = typeof pointer === 'string' ? pointerSteps(pointer) : undefined;
  if (steps === undefined) return false;
  const last = steps.reduce(branch<End>, tree);
  last.end = last.end === undefined ? end : merge(last.end, end);
  return true;
}

function branch<End>(tree: PathTree<End>, step: string): PathTree<End> {
  if (step === '*') return (tree.any ??= emptyTree());
  let next = tree.named.get(step);
  if (next === undefined) tree.named.set(step, (next = emptyTree()));
  return next;
}

/** The places that the paths reach with one more step. */
export function advance<End>(trees: readonly PathTree<End>[], name: string): PathTree<End>[] {
  const next: PathTree<End>[] = [];
  for (const tree of trees) {
    const named = tree.named.get(name);
    if (named !== undefined) next.push(named);
    if (tree.any !== undefined) next.push(tree.any);
  }
  return next;
}

/**
 * The step as a record may show it. Objects are often keyed by data, so a name is told only where a
 * path of the policy tells it too.
 */
export function recordedStep<End>(trees: readonly PathTree<End>[], name: string): string {
  if (!trees.some((tree) => tree.named.has(name))) return '*';
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
