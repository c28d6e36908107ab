import type { Rule } from '../ast.ts';
import { placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { headName } from '../references.ts';
import { PUBLIC_NAMES } from '../rule_package.ts';

/**
 * The public names of a rule package are few and plain. Another public name is a typo of one of
 * them; a function or partial object under such a name makes the compiled module invalid or the
 * rule unreadable.
 */
export function names({ rules }: ParsedPolicy): Finding[] {
  return rules.flatMap(({ rules: definitions }) => definitions.flatMap(misnamed));
}

function misnamed(rule: Rule): Finding[] {
  const name = headName(rule);
  if (name.startsWith('_')) return [];
  const problem = problemOf(rule, name);
  if (!problem) return [];
  const instead = `public names are ${PUBLIC_NAMES.join(', ')}; a private one begins with \`_\``;
  return [{ check: 'names', place: placeOf(rule.location), problem, instead }];
}

/** Names that hold or do not; any other value of theirs would count as not. */
const CONDITIONS = new Set(['applies', 'within', 'eligible']);

function isTrueOrFalse({ head, else: other }: Rule): boolean {
  const isPlain = head.value === undefined || head.value.type === 'boolean';
  return isPlain && (other === undefined || isTrueOrFalse(other));
}

function problemOf(rule: Rule, name: string): string | undefined {
  if (!PUBLIC_NAMES.some((known) => known === name))
    return `\`${name}\` is no public name of a rule`;
  if (rule.head.args) return `\`${name}\` is a function`;
  if (rule.head.ref.length > 1) return `\`${name}\` is a partial object`;
  if (rule.head.key && name !== 'obligations') return `\`${name}\` is a partial set`;
  if (CONDITIONS.has(name) && !isTrueOrFalse(rule)) return `\`${name}\` has a value of its own`;
  return undefined;
}
