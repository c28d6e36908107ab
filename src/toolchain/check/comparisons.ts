import { callsIn } from '../ast.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import type { Definition } from '../references.ts';
import { Taint } from '../taint.ts';

const ORDERINGS = new Set(['lt', 'lte', 'gt', 'gte', 'max', 'min', 'sort']);
const INSTEAD = {
  ordering: 'use compare.at_most, at_least, less_than, more_than or between',
  neq: 'use compare.none_of, which another type does not pass',
};

/**
 * Rego orders null < boolean < number < string, so `amount <= 10000` holds for null and false, and
 * `to != "bob"` holds for `["bob"]`. What compares anything that comes from the arguments goes
 * through `data.mcp.compare`.
 */
export function comparisons({ base }: ParsedPolicy): Finding[] {
  const taint = new Taint(base);
  return base.definitions
    .filter(({ module }) => isAuthored(module))
    .flatMap((definition) => bareOrderings(definition, taint));
}

function bareOrderings(definition: Definition, taint: Taint): Finding[] {
  const variables = taint.variablesOf(definition);
  return callsIn(definition.rule)
    .filter(({ operator }) => operator === 'neq' || ORDERINGS.has(operator))
    .filter(({ operands }) => operands.some((term) => taint.isTainted(term, definition, variables)))
    .map(({ operator, location }) => ({
      check: 'comparisons',
      place: placeOf(location),
      problem: `a bare ${operator === 'neq' ? '`!=`' : 'ordering'} over arguments`,
      instead: operator === 'neq' ? INSTEAD.neq : INSTEAD.ordering,
    }));
}
