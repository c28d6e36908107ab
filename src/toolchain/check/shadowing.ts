import { callParts, isEvery, isSome, lineCall, walkRule, walkTerm, type Term } from '../ast.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { importName, type Definition } from '../references.ts';

/**
 * A variable with the name of an import hides it, and every check that follows names would look at
 * the wrong thing.
 */
export function shadowing({ base }: ParsedPolicy): Finding[] {
  return base.definitions.filter(({ module }) => isAuthored(module)).flatMap(hidden);
}

function hidden({ module, rule }: Definition): Finding[] {
  const imports = new Set([...(module.imports ?? []).map(importName), 'data', 'input']);
  const bound = new Set<string>();
  for (const term of rule.head.args ?? []) addVariables(term, bound);
  walkRule(rule, {
    expr: (expr) => {
      const { terms } = expr;
      if (isEvery(terms))
        for (const term of [terms.key, terms.value]) if (term) addVariables(term, bound);
      if (isSome(terms)) for (const term of terms.symbols) addVariables(declared(term), bound);
      const call = lineCall(expr);
      if (call?.operator === 'assign' && call.operands[0]) addVariables(call.operands[0], bound);
    },
  });
  return [...bound]
    .filter((name) => imports.has(name))
    .map((name) => ({
      check: 'shadowing',
      place: placeOf(rule.location),
      problem: `the variable \`${name}\` hides an import`,
      instead: 'give it another name',
    }));
}

/** Of `some k, v in xs` the declared names are all operands but the last. */
function declared(term: Term): Term {
  const operands = callParts(term)?.operands.slice(0, -1);
  return operands ? { type: 'array', value: operands } : term;
}

function addVariables(term: Term, names: Set<string>): void {
  walkTerm(term, {
    term: (part) => {
      if (part.type === 'var') names.add(String(part.value));
    },
  });
}
