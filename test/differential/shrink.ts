/** Makes a failing case small: leaves out part after part, as long as it still fails. */
import type { Policy, Request } from './model.ts';

export interface Small {
  policy: Policy;
  request: Request;
}

interface Shrinking {
  fails: (candidate: Small) => Promise<boolean>;
  /** Most candidates that are tried. */
  attempts_max: number;
}

/** A case of which no part can be left out, or the smallest that was found in time. */
export async function shrink(start: Small, { fails, attempts_max }: Shrinking): Promise<Small> {
  let smallest = start;
  let attempts = 0;
  for (let i = 0, all = candidates(smallest); i < all.length && attempts < attempts_max; i += 1) {
    const candidate = all[i]!;
    attempts += 1;
    // What is no policy any more does not fail.
    if (!(await fails(candidate).catch(() => false))) continue;
    smallest = candidate;
    all = candidates(smallest);
    i -= 1;
  }
  return smallest;
}

/** The case without one part, the largest parts first. */
function candidates(whole: Small): Small[] {
  const places = [...placesIn(whole, [])].sort((a, b) => b.size - a.size);
  return places.map(({ path }) => without(whole, path));
}

interface Place {
  path: (string | number)[];
  size: number;
}

/** Members of lists anywhere; members of objects where the model demands none. */
function* placesIn(value: unknown, path: (string | number)[]): Generator<Place> {
  if (typeof value !== 'object' || value === null) return;
  const isList = Array.isArray(value);
  for (const [name, member] of Object.entries(value)) {
    const inner = [...path, isList ? Number(name) : name];
    if (isList || isOpen(path)) yield { path: inner, size: JSON.stringify(member).length };
    yield* placesIn(member, inner);
  }
}

const OPEN = ['context', 'context.arguments', 'subject.properties'];

/** A request stays one that a guard could send. */
function isOpen([first, ...rest]: readonly (string | number)[]): boolean {
  if (first === 'request') return OPEN.includes(rest.join('.'));
  return rest[0] === 'data' && rest[1] !== undefined;
}

function without(whole: Small, path: readonly (string | number)[]): Small {
  const copy = structuredClone(whole);
  const holder = path.slice(0, -1).reduce<unknown>((inner, step) => (inner as never)[step], copy);
  const last = path.at(-1)!;
  if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else Reflect.deleteProperty(holder as object, last);
  return copy;
}
