import { ArgumentReach } from '../arguments.ts';
import { isAuthored, placeOf, reachedFrom, type Finding, type ParsedPolicy } from '../policy.ts';
import { headName, startsWith, type Definition, type Path, type RuleBase } from '../references.ts';

/** The public names that decide whether a rule concerns a request, which a list must know too. */
const WITHOUT_ARGUMENTS = new Set(['applies', 'effect']);

/** What a call has and a list has not, or has otherwise: a rule over it would be in one only. */
const OF_A_CALL: readonly Path[] = [
  ['data', 'mcp', 'request', 'method'],
  ['data', 'mcp', 'request', 'phase'],
  ['input', 'action'],
  ['input', 'context', 'arguments_digest'],
  ['input', 'context', 'arguments_projection'],
  ['input', 'context', 'pep'],
  ['input', 'context', 'phase'],
  ['input', 'context', 'request'],
];

/** The state of an approval belongs to the library; who asked for it, to `eligible`. */
const OF_AN_APPROVAL: readonly Path[] = [
  ['data', 'mcp', 'request', 'approval'],
  ['input', 'context', 'approval'],
];

/**
 * Arguments live in `within`, `obligations` and `eligible` only, also through helpers: a list has
 * no arguments, and a restriction that waits for one in `applies` would not be there. What else a
 * list has not, and approvals, stay out of their places in the same way.
 */
export function argumentPlaces({ base, rules }: ParsedPolicy): Finding[] {
  const reach = new ArgumentReach(base);
  const inRules = new Set(rules.flatMap((rule) => rule.rules));
  return base.definitions.flatMap((definition) => {
    const { rule, module } = definition;
    if (!inRules.has(rule)) return [];
    const name = headName(rule);
    const place = placeOf(rule.location);
    const finding = (problem: string, instead: string): Finding[] => [
      { check: 'argument_places', place, problem: `\`${name}\` reads ${problem}`, instead },
    ];
    const [pointer] = WITHOUT_ARGUMENTS.has(name) ? reach.of(definition) : [];
    if (pointer !== undefined) {
      const instead = 'move the condition to `within` (allow, limit, require_approval)';
      return finding(`the argument \`${pointer || 'all'}\``, instead);
    }
    if (!isAuthored(module) || name.startsWith('_')) return [];
    const read = pathsFrom(definition, base);
    const call = WITHOUT_ARGUMENTS.has(name) && memberOf(read, OF_A_CALL);
    if (call) return finding(`\`${call}\`, which a list has not`, 'use `request.name` and `type`');
    const approval = name !== 'eligible' && memberOf(read, OF_AN_APPROVAL);
    return approval ? finding(`\`${approval}\``, 'keep it to `eligible`') : [];
  });
}

/** All paths that a definition reads, also through helpers. */
function pathsFrom(definition: Definition, base: RuleBase): Path[] {
  return [...reachedFrom([definition], base)].flatMap((each) =>
    base.references(each).map(({ path }) => path),
  );
}

function memberOf(paths: readonly Path[], members: readonly Path[]): string | undefined {
  const found = members.find((member) => paths.some((path) => startsWith(path, member)));
  return found?.slice(found[0] === 'data' ? 2 : 0).join('.');
}
