/** Conditions of every kind that the check lets an author write. */
import type { SeededRandom } from '../../support/seeded_random.ts';
import type {
  Argument,
  ArgumentLine,
  Collection,
  CountForm,
  Fact,
  Json,
  Line,
  Operand,
} from '../model.ts';
import { ARGUMENTS, CAPABILITIES, CHAIN_FACTS, FACTS, list, MEMBERS, some } from './pools.ts';

export interface LineOptions {
  /** Leaves out what a link more of the delegation changes. */
  without_chain?: boolean;
}

const MAKERS: Record<
  Exclude<Line['kind'], ArgumentLine['kind']>,
  (random: SeededRandom, depth: number, options: LineOptions) => Line
> = {
  name: nameLine,
  equals: (random, _, options) => ({
    kind: 'equals',
    ...factAndValue(random, options),
    negated: random.chance(0.4),
  }),
  differs: (random, _, options) => ({ kind: 'differs', ...factAndValue(random, options) }),
  present: (random, _, options) => ({
    kind: 'present',
    fact: factOf(random, options),
    negated: random.chance(0.5),
  }),
  member: (random, _, options) => {
    const of = collection(random, options);
    return { kind: 'member', of, value: random.pick(MEMBERS[of]) };
  },
  some: (random, _, options) => ({
    kind: 'some',
    ...collectionAndValues(random, options),
    outside: random.chance(0.4),
  }),
  every: (random, _, options) => ({ kind: 'every', ...collectionAndValues(random, options) }),
  helper: (random, depth, options) => ({
    kind: 'helper',
    bodies: list(random, { from: 1, to: 2 }, () => lines(random, depth, options)),
    negated: random.chance(0.5),
  }),
  level: (random, depth, options) => ({
    kind: 'level',
    steps: list(random, { from: 1, to: 3 }, () => ({
      lines: lines(random, depth, options),
      value: 1 + random.below(3),
    })),
    otherwise: random.chance(0.5) ? 1 + random.below(3) : null,
    expected: 1 + random.below(3),
    negated: random.chance(0.3),
  }),
  table: (random, depth, options) => {
    const fact = factOf(random, options);
    const keys = some(random, FACTS[fact] as string[], { from: 1, to: 3 });
    return {
      kind: 'table',
      entries: keys.map((key) => ({
        key,
        value: 1 + random.below(2),
        lines: lines(random, depth, options),
      })),
      key: random.chance(0.7) ? fact : null,
      expected: 1 + random.below(2),
    };
  },
  same: (random, _, options) => {
    const { fact } = factAndValue(random, options);
    const other = random.chance(0.5) ? twinOf(fact, options) : factOf(random, options);
    return {
      kind: 'same',
      facts: [fact, other],
      values: some(random, FACTS[fact]!, { from: 1, to: 2 }),
    };
  },
  count: (random, _, options) => ({
    kind: 'count',
    form: random.pick<CountForm>(['set', 'array', 'object', 'partial_set']),
    ...collectionAndValues(random, options),
    at_least: random.below(3),
  }),
  lookup: (random) => ({
    kind: 'lookup',
    key: random.pick(['user.id', 'surface', 'environment']),
    expected: 1 + random.below(2),
  }),
};

export function line(random: SeededRandom, depth: number, options: LineOptions = {}): Line {
  const kinds = Object.keys(MAKERS) as (keyof typeof MAKERS)[];
  const flat = kinds.filter((kind) => !['helper', 'level', 'table'].includes(kind));
  return MAKERS[random.pick(depth > 0 ? kinds : flat)](random, depth - 1, options);
}

export function nameLine(random: SeededRandom): Line {
  return {
    kind: 'name',
    form: random.pick(['equals', 'flipped', 'set', 'array']),
    names: some(random, CAPABILITIES, { from: 1, to: 3 }),
  };
}

function lines(random: SeededRandom, depth: number, options: LineOptions): Line[] {
  return list(random, { from: 1, to: 2 }, () => line(random, depth, options));
}

function factOf(random: SeededRandom, { without_chain }: LineOptions): Fact {
  const facts = Object.keys(FACTS);
  return random.pick(without_chain ? facts.filter((fact) => !CHAIN_FACTS.has(fact)) : facts);
}

function factAndValue(random: SeededRandom, options: LineOptions): { fact: Fact; value: Json } {
  const fact = factOf(random, options);
  return { fact, value: random.pick(FACTS[fact]!) };
}

/** The fact that means the same on the other side. */
function twinOf(fact: Fact, { without_chain }: LineOptions): Fact {
  const twins: Record<string, Fact> = {
    'capability.environment': 'environment',
    environment: 'capability.environment',
    'capability.actor_required': 'actor_type',
    'user.id': 'on_behalf_of',
  };
  const twin = twins[fact] ?? fact;
  return without_chain && CHAIN_FACTS.has(twin) ? fact : twin;
}

function collection(random: SeededRandom, { without_chain }: LineOptions): Collection {
  const all: Collection[] = ['groups', 'groups', 'capability.data_classes'];
  return random.pick(without_chain ? all : [...all, 'chain']);
}

function collectionAndValues(
  random: SeededRandom,
  options: LineOptions,
): { of: Collection; values: Json[] } {
  const of = collection(random, options);
  return { of, values: some(random, MEMBERS[of], { from: 1, to: 2 }) };
}

function comparison(random: SeededRandom): Line {
  return {
    kind: 'compare',
    test: random.pick(['at_most', 'at_most', 'at_least', 'less_than', 'more_than', 'between']),
    argument: 'amount',
    operand: random.pick<Operand>([50, 100, 'own_limit']),
  };
}

const ARGUMENT_LINES: ((random: SeededRandom) => Line)[] = [
  comparison,
  () => ({ kind: 'compare', test: 'path_under', argument: 'path', operand: '/srv' }),
  () => ({ kind: 'compare', test: 'length_at_most', argument: 'mode', operand: 4 }),
  (random) => ({ kind: 'argument', ...argumentAndValue(random), negated: false }),
  (random) => ({
    kind: 'argument_present',
    argument: argumentAndValue(random).argument,
    negated: false,
  }),
  (random) => {
    const { argument, values } = argumentAndValue(random);
    return { kind: 'one_of', argument, values: some(random, values, { from: 1, to: 3 }) };
  },
  () => ({ kind: 'every_path', argument: 'paths', base: '/srv' }),
];

export function argumentLine(random: SeededRandom): Line {
  return random.pick([...ARGUMENT_LINES, comparison, comparison])(random);
}

function argumentAndValue(random: SeededRandom): {
  argument: Argument;
  value: Json;
  values: Json[];
} {
  const argument = random.pick(['amount', 'to', 'mode', 'force']);
  const values = ARGUMENTS[argument]!;
  return { argument, value: random.pick(values), values };
}
