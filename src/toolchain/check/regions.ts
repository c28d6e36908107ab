import { callParts, lineCall, walkRule, walkTerm, type Expr, type Term } from '../ast.ts';
import { isAuthored, placeOf, reachedFrom, type Finding, type ParsedPolicy } from '../policy.ts';
import type { Definition, RuleBase } from '../references.ts';
import { named } from '../rule_package.ts';
import { Taint } from '../taint.ts';

/**
 * A region says what is inside. Said the other way round, with `not` or with the count of what was
 * found, an argument that is missing or of another type is inside as well: nothing was found in it.
 */
export function regions({ base, rules }: ParsedPolicy): Finding[] {
  const within = new Set(rules.flatMap((rule) => named(rule.rules, 'within')));
  const roots = base.definitions.filter(({ rule }) => within.has(rule));
  const taint = new Taint(base);
  return [...reachedFrom(roots, base)]
    .filter(({ module }) => isAuthored(module))
    .flatMap((definition) => reversed(definition, base, taint));
}

function reversed(definition: Definition, base: RuleBase, taint: Taint): Finding[] {
  const { rule } = definition;
  const variables = taint.variablesOf(definition);
  const found: Finding[] = [];
  const finding = (problem: string, at: Expr | Term): number =>
    found.push({
      check: 'regions',
      place: placeOf(at.location ?? rule.location),
      problem,
      instead: 'say what is inside: `compare.none_of`, `compare.…`, or `every` with such a test',
    });
  const isTainted = (term: Term): boolean => taint.isTainted(term, definition, variables);
  const counts = (operator: string, operands: readonly Term[], at: Expr | Term): void => {
    const isCount = operator === 'count' || operands.some(isEmptyCollection);
    if (!isCount || !operands.some((term) => isFound(term, definition, base) && isTainted(term)))
      return;
    finding('counts what was found in arguments, and none is found in what is missing', at);
  };
  walkRule(rule, {
    expr: (expr) => {
      if (expr.negated && termsOf(expr).some(isTainted)) finding('`not` over arguments', expr);
      const call = lineCall(expr);
      if (call) counts(call.operator, call.operands, expr);
    },
    term: (term) => {
      const call = callParts(term);
      if (call) counts(call.operator, call.operands, term);
    },
  });
  return found;
}

/** The terms of a line; of a call its operator too, which names a helper. */
function termsOf({ terms }: Expr): Term[] {
  if (Array.isArray(terms)) return terms;
  return 'value' in terms ? [terms as Term] : [];
}

/** A comprehension, or a rule that gathers a set or an object. */
function isFound(term: Term, { module }: Definition, base: RuleBase): boolean {
  let found = false;
  walkTerm(term, {
    term: (part) => {
      found ||= part.type.endsWith('comprehension');
      const path = base.resolve(module, part);
      found ||= path !== undefined && base.reached(path).some(({ rule }) => isGathering(rule));
    },
  });
  return found;
}

function isGathering({ head }: Definition['rule']): boolean {
  return head.key !== undefined || head.ref.length > 1;
}

function isEmptyCollection(term: Term): boolean {
  const isCollection = term.type === 'array' || term.type === 'object' || term.type === 'set';
  return isCollection && (term.value as Term[]).length === 0;
}
