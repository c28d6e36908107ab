/** Rules of every effect, in the ways in which authors write them. */
import type { SeededRandom } from '../../support/seeded_random.ts';
import type { Duty, Effect, JsonObject, Line, Rule } from '../model.ts';
import { argumentLine, line, nameLine, type LineOptions } from './lines.ts';
import { CHANNELS, list, optional, some, USERS } from './pools.ts';

const EFFECTS: Effect[] = [
  'allow',
  'allow',
  'deny',
  'limit',
  'require_approval',
  'require_approval',
  'oblige',
];

export function ruleFor(random: SeededRandom, title: string, options: LineOptions = {}): Rule {
  const effect = random.pick(EFFECTS);
  const form = random.pick(['bodies', 'bodies', 'default', 'else'] as const);
  const applies = list(random, { from: 1, to: form === 'else' ? 3 : 2 }, () =>
    body(random, effect, options),
  );
  return {
    area: random.pick(['money', 'safety']),
    title,
    effect,
    form,
    applies,
    split: form !== 'else' && applies.length > 1 && random.chance(0.4),
    view: random.pick(['request', 'request', 'asked', 'data.mcp.request']),
    ...regionOf(random, effect, options),
    ...(effect === 'oblige' && { obligations: duties(random, options) }),
    ...(effect === 'require_approval' && { eligible: eligible(random) }),
    ...(random.chance(0.3) && { reason_code: random.pick(['FIRST', 'SECOND']) }),
    ...(effect === 'require_approval' &&
      random.chance(0.5) && { channels: some(random, CHANNELS, { from: 1, to: 3 }) }),
  };
}

/**
 * What restricts needs more to hold, or nothing would ever be allowed. A body that begins with
 * names of capabilities is what the generated router keys a rule by.
 */
function body(random: SeededRandom, effect: Effect, options: LineOptions): Line[] {
  const isBroad = effect === 'allow' || effect === 'require_approval';
  const range = isBroad ? { from: 0, to: 2 } : { from: 2, to: 3 };
  const rest = list(random, range, () => line(random, 2, options));
  return random.chance(0.35) ? [nameLine(random), ...rest] : rest;
}

function regionOf(
  random: SeededRandom,
  effect: Effect,
  options: LineOptions,
): Pick<Rule, 'within'> {
  const share = { allow: 0.5, limit: 1, require_approval: 0.7, deny: 0, oblige: 0 }[effect];
  const within = optional(random, share, () =>
    list(random, { from: 1, to: 2 }, () => region(random, options)),
  );
  if (effect === 'limit' && random.chance(0.3))
    return { within: [[FALLIBLE, ...region(random, options)]] };
  return within ? { within } : {};
}

/** A builtin that can fail, where failing refuses: nothing else may make this region hold. */
const FALLIBLE: Line = { kind: 'number_of', argument: 'amount', at_most: 100 };

function region(random: SeededRandom, options: LineOptions): Line[] {
  const to = random.chance(0.3) ? 2 : 1;
  const lines: Line[] = list(random, { from: 1, to }, () => argumentLine(random));
  if (random.chance(0.1)) lines.push(line(random, 1, options));
  if (!random.chance(0.15)) return lines;
  return [{ kind: 'helper', negated: false, bodies: [lines] }];
}

const DUTIES: Duty[] = [
  { duty: { type: 'log', level: 'info' }, lines: [] },
  { duty: { type: 'limit_result', items_max: 5 }, lines: [] },
  {
    duty: { type: 'keep_fields', unstructured: 'drop' },
    filled: { member: 'paths', fact: 'capability.fields_by_class.public' },
    lines: [],
  },
  {
    duty: { type: 'mask_fields', mode: 'remove', unstructured: 'refuse' },
    filled: { member: 'paths', fact: 'capability.fields_by_class.personal' },
    lines: [],
  },
  { duty: { type: 'notify', target: 'owner' } satisfies JsonObject, lines: [] },
];

/** One a rule, since several could be stated in part; its condition stands in a helper. */
function duties(random: SeededRandom, options: LineOptions): Duty[] {
  const duty = random.pick(DUTIES);
  if (!random.chance(0.3)) return [duty];
  return [
    { ...duty, lines: [{ kind: 'helper', negated: false, bodies: [[line(random, 1, options)]] }] },
  ];
}

function eligible(random: SeededRandom): Line[][] {
  return list(random, { from: 1, to: 2 }, () => [
    random.chance(0.5)
      ? { kind: 'equals', fact: 'user.id', value: random.pick(USERS), negated: false }
      : { kind: 'member', of: 'groups', value: 'leads' },
    ...list(random, { from: 0, to: 1 }, () => line(random, 1)),
  ]);
}
