/** The same policy, said in another order. */
import type { SeededRandom } from '../support/seeded_random.ts';
import type { Policy, Rule } from './model.ts';

export function shuffled<T>(random: SeededRandom, values: readonly T[]): T[] {
  const keyed = values.map((value) => ({ value, key: random.below(1_000_000) }));
  return keyed.sort((a, b) => a.key - b.key).map(({ value }) => value);
}

/** Only the steps of an `else` chain have an order. */
export function reordered(random: SeededRandom, { rules, data }: Policy): Policy {
  return {
    rules: shuffled(random, rules).map((rule) => reorderedRule(random, rule)),
    data: { ...data, grants: shuffled(random, data.grants) },
  };
}

function reorderedRule(random: SeededRandom, rule: Rule): Rule {
  const { form, applies, within, obligations } = rule;
  return {
    ...rule,
    applies: form === 'else' ? applies : shuffled(random, applies),
    ...(within && { within: shuffled(random, within) }),
    ...(obligations && { obligations: shuffled(random, obligations) }),
  };
}
