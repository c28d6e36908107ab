import { ArgumentReach } from '../arguments.ts';
import { placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { headName } from '../references.ts';

/** The public names that decide whether a rule concerns a request, which a list must know too. */
const WITHOUT_ARGUMENTS = new Set(['applies', 'effect']);

/**
 * Arguments live in `within`, `obligations` and `eligible` only, also through helpers: a list has
 * no arguments, and a restriction that waits for one in `applies` would not be there.
 */
export function argumentPlaces({ base, rules }: ParsedPolicy): Finding[] {
  const reach = new ArgumentReach(base);
  const inRules = new Set(rules.flatMap((rule) => rule.rules));
  return base.definitions.flatMap((definition) => {
    const { rule } = definition;
    if (!inRules.has(rule) || !WITHOUT_ARGUMENTS.has(headName(rule))) return [];
    const [pointer] = reach.of(definition);
    if (pointer === undefined) return [];
    const problem = `\`${headName(rule)}\` reads the argument \`${pointer || 'all'}\``;
    const instead = 'move the condition to `within` (allow, limit, require_approval)';
    return [{ check: 'argument_places', place: placeOf(rule.location), problem, instead }];
  });
}
