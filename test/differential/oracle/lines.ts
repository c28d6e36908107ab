/** Whether the lines of a rule hold: a line over something that is not there does not. */
import type { ArgumentLine, Collection, Json, Line, Step } from '../model.ts';
import { passes } from './tests.ts';
import { at, type View } from './view.ts';

export function anyBody(bodies: readonly Line[][], view: View): boolean {
  return bodies.some((lines) => allLines(lines, view));
}

export function allLines(lines: readonly Line[], view: View): boolean {
  return lines.every((line) => holds(line, view));
}

/** The value of the first step whose lines hold. */
function levelOf(steps: readonly Step[], view: View): number | undefined {
  return steps.find(({ lines }) => allLines(lines, view))?.value;
}

function holds(line: Line, view: View): boolean {
  const judge = JUDGES[line.kind] as (line: Line, view: View) => boolean;
  return judge(line, view);
}

type Judges<L extends { kind: string }> = {
  [K in L['kind']]: (line: Extract<L, { kind: K }>, view: View) => boolean;
};

const ARGUMENTS: Judges<ArgumentLine> = {
  compare: ({ test, argument, operand }, view) => {
    const own = view.data.limits[view.input.subject.id];
    const right = operand === 'own_limit' ? own : operand;
    return passes(test, argumentAt(view, argument), right);
  },
  argument: ({ argument, value, negated }, view) =>
    same(argumentAt(view, argument), value) !== negated,
  argument_present: ({ argument, negated }, view) => truthy(argumentAt(view, argument)) !== negated,
  one_of: ({ argument, values }, view) => isAmong(argumentAt(view, argument), values),
  every_path: ({ argument, base }, view) => {
    const value = argumentAt(view, argument);
    const isCollection = typeof value === 'object' && value !== null;
    return isCollection && Object.values(value).every((path) => passes('path_under', path, base));
  },
  number_of: ({ argument, at_most }, view) =>
    passes('at_most', numberOf(argumentAt(view, argument)), at_most),
};

const JUDGES: Judges<Line> = {
  ...ARGUMENTS,
  name: ({ form, names }, { name }) =>
    name !== undefined &&
    (form === 'set' || form === 'array' ? names : names.slice(0, 1)).includes(name),
  equals: ({ fact, value, negated }, { facts }) => same(at(facts, fact), value) !== negated,
  differs: ({ fact, value }, { facts }) => {
    const found = at(facts, fact);
    return found !== undefined && !same(found, value);
  },
  present: ({ fact, negated }, { facts }) => truthy(at(facts, fact)) !== negated,
  member: ({ of, value }, view) => collection(view, of)?.some((each) => same(each, value)) ?? false,
  some: ({ of, values, outside }, view) =>
    collection(view, of)?.some((each) => isAmong(each, values) !== outside) ?? false,
  every: ({ of, values }, view) =>
    collection(view, of)?.every((each) => isAmong(each, values)) ?? false,
  helper: ({ bodies, negated }, view) => anyBody(bodies, view) !== negated,
  level: ({ steps, otherwise, expected, negated }, view) =>
    ((levelOf(steps, view) ?? otherwise) === expected) !== negated,
  table: ({ entries, key, expected }, view) => {
    const wanted = key === null ? undefined : at(view.facts, key);
    return entries
      .filter((entry) => key === null || entry.key === wanted)
      .some(({ value, lines }) => value === expected && allLines(lines, view));
  },
  same: ({ facts: [left, right], values }, { facts }) => {
    const [x, y] = [at(facts, left), at(facts, right)];
    if (x === undefined || y === undefined) return false;
    return same(x, y) || (isAmong(x, values) && isAmong(y, values));
  },
  count: ({ form, of, values, at_least }, view) => {
    const found = (collection(view, of) ?? []).filter((each) => isAmong(each, values));
    const distinct = new Set(found.map((each) => JSON.stringify(each)));
    return (form === 'array' ? found.length : distinct.size) >= at_least;
  },
  lookup: ({ key, expected }, { facts, data }) => {
    const name = at(facts, key);
    return typeof name === 'string' && data.levels[name] === expected;
  },
};

/** The members of a collection; undefined where there is none. */
function collection(view: View, of: Collection): Json[] | undefined {
  if (of === 'groups') return [...view.groups];
  if (of === 'chain') return view.chain;
  return at(view.facts, of) as Json[] | undefined;
}

function argumentAt(view: View, argument: string): Json | undefined {
  return at(view.facts, `arguments.${argument}`);
}

export function same(left: Json | undefined, right: Json | undefined): boolean {
  return left !== undefined && JSON.stringify(left) === JSON.stringify(right);
}

function isAmong(value: Json | undefined, values: readonly Json[]): boolean {
  return values.some((each) => same(value, each));
}

function truthy(value: Json | undefined): boolean {
  return value !== undefined && value !== false;
}

/** `to_number`: an error is as if there were nothing. */
function numberOf(value: Json | undefined): number | undefined {
  if (value === null) return 0;
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return Number(value);
  return typeof value === 'string' && /^-?\d+$/u.test(value) ? Number(value) : undefined;
}
