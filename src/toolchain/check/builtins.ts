import { callsIn, walkRule, type Term } from '../ast.ts';
import { isAuthored, placeOf, reachedFrom, type Finding, type ParsedPolicy } from '../policy.ts';
import type { Definition, RuleBase } from '../references.ts';
import { named, type Effect } from '../rule_package.ts';

/** Builtins that answer some values of the right type with an error, which skips the rule. */
const FALLIBLE_BUILTINS: readonly string[] = [
  'base64.decode',
  'base64url.decode',
  'div',
  'format_int',
  'glob.match',
  'graph.reachable',
  'hex.decode',
  'indexof',
  'json.unmarshal',
  'net.cidr_contains',
  'net.cidr_expand',
  'net.cidr_intersects',
  'net.lookup_ip_addr',
  'numbers.range',
  'numbers.range_step',
  'object.union_n',
  'rem',
  'sprintf',
  'strings.render_template',
  'substring',
  'to_number',
  'units.parse',
  'units.parse_bytes',
  'urlquery.decode',
  'uuid.parse',
  'yaml.unmarshal',
];

/** Whole families of the same kind. */
const FALLIBLE_FAMILIES = [
  'crypto.',
  'graphql.',
  'io.jwt.',
  'json.patch',
  'regex.',
  'semver.',
  'time.',
];

/** Effects whose rules restrict: skipping one opens. */
const RESTRICTING: readonly Effect[] = ['deny', 'limit', 'require_approval', 'oblige'];

/**
 * An error in a builtin is silent in both engines and leaves the rule undefined. In `applies` of a
 * restricting rule that would remove the restriction, among `obligations` one of several duties,
 * and under `not` it would let an allow hold, so such builtins stay out of all three.
 */
export function builtins({ base, rules }: ParsedPolicy): Finding[] {
  const restricting = rules.filter(({ effect }) => effect && RESTRICTING.includes(effect));
  const restrictions = new Set(
    restricting.flatMap(({ rules: own }) => [
      ...named(own, 'applies'),
      ...named(own, 'obligations'),
    ]),
  );
  const roots = base.definitions.filter(({ rule }) => restrictions.has(rule));
  const denied = base.definitions.flatMap((definition) => underNot(definition, base));
  return [...reachedFrom([...roots, ...denied], base)]
    .filter(({ module }) => isAuthored(module))
    .flatMap(fallibleCalls);
}

/** What a definition of the author names under `not`: there a failure would open an allow. */
function underNot(definition: Definition, base: RuleBase): Definition[] {
  const { module, rule } = definition;
  if (!isAuthored(module)) return [];
  const found: Definition[] = [];
  walkRule(rule, {
    expr: (expr) => {
      if (!expr.negated) return;
      const terms = Array.isArray(expr.terms) ? expr.terms : [expr.terms as Term];
      for (const term of terms) {
        const path = base.resolve(module, term);
        if (path) found.push(...base.reached(path));
      }
    },
  });
  return found;
}

function fallibleCalls({ rule }: Definition): Finding[] {
  return callsIn(rule)
    .filter(({ operator }) => isFallible(operator))
    .map(({ operator, location }) => ({
      check: 'builtins',
      place: placeOf(location),
      problem: `\`${operator}\` can fail, and would then remove a restriction`,
      instead:
        'keep it out of `applies`, `obligations` and what stands under `not`; compare with facts ' +
        'in data, or use `startswith` and the like',
    }));
}

function isFallible(operator: string): boolean {
  return (
    FALLIBLE_BUILTINS.includes(operator) ||
    FALLIBLE_FAMILIES.some((family) => operator.startsWith(family))
  );
}
