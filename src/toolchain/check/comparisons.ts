import { ArgumentReach, argumentPointer } from '../arguments.ts';
import {
  callParts,
  callsIn,
  isEvery,
  isSome,
  lineCall,
  refSteps,
  walkRule,
  walkTerm,
  type Expr,
  type Term,
} from '../ast.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import type { Definition, RuleBase } from '../references.ts';

const ORDERINGS = new Set(['lt', 'lte', 'gt', 'gte']);
const INSTEAD = 'use compare.at_most, at_least, less_than, more_than or between';

/**
 * Rego orders null < boolean < number < string, so `amount <= 10000` holds for null and false. An
 * ordering over anything that comes from the arguments goes through `data.mcp.compare`.
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
    .filter(({ operator }) => ORDERINGS.has(operator))
    .filter(({ operands }) => operands.some((term) => taint.isTainted(term, definition, variables)))
    .map(({ location }) => ({
      check: 'comparisons',
      place: placeOf(location),
      problem: 'a bare ordering over arguments',
      instead: INSTEAD,
    }));
}

/**
 * What comes from the arguments: references to them, rules that read them, variables bound from
 * such, and parameters of functions that are called with such.
 */
class Taint {
  readonly #base: RuleBase;
  readonly #reach: ArgumentReach;
  readonly #parameters = new Map<Definition, Set<number>>();

  constructor(base: RuleBase) {
    this.#base = base;
    this.#reach = new ArgumentReach(base);
    let changed = true;
    while (changed) changed = base.definitions.some((definition) => this.#passOn(definition));
  }

  /** Names of the local variables of a definition that hold something of the arguments. */
  variablesOf(definition: Definition): Set<string> {
    const names = new Set<string>();
    const parameters = this.#parameters.get(definition) ?? new Set();
    for (const [i, term] of (definition.rule.head.args ?? []).entries()) {
      if (parameters.has(i)) addNames(term, names);
    }
    for (let size = -1; size !== names.size;) {
      size = names.size;
      walkRule(definition.rule, { expr: (expr) => this.#bind(expr, definition, names) });
    }
    return names;
  }

  isTainted(term: Term, { module }: Definition, variables: ReadonlySet<string>): boolean {
    let tainted = false;
    const look = (part: Term): void => {
      const name = variableName(part);
      if (name !== undefined && variables.has(name)) tainted = true;
      const path = this.#base.resolve(module, part);
      if (!path) return;
      tainted ||= argumentPointer(path) !== undefined;
      tainted ||= this.#base.reached(path).some((next) => this.#reach.of(next).size > 0);
    };
    walkTerm(term, { term: look });
    return tainted;
  }

  /** A line that binds variables to something tainted taints them. */
  #bind(expr: Expr, definition: Definition, names: Set<string>): void {
    const { terms } = expr;
    if (isEvery(terms)) {
      if (!this.isTainted(terms.domain, definition, names)) return;
      addNames(terms.value, names);
      if (terms.key) addNames(terms.key, names);
      return;
    }
    const call = isSome(terms) ? terms.symbols.map(callParts).find(Boolean) : lineCall(expr);
    if (!call || !BINDING.has(call.operator)) return;
    if (!call.operands.some((term) => this.isTainted(term, definition, names))) return;
    for (const term of call.operands) addNames(term, names);
  }

  /** Taints the parameters of what a definition calls; true if something new was tainted. */
  #passOn(definition: Definition): boolean {
    const variables = this.variablesOf(definition);
    let changed = false;
    const visit = (operator: Term | undefined, operands: Term[]): void => {
      const path = operator && this.#base.resolve(definition.module, operator);
      if (!path) return;
      for (const target of this.#base.reached(path).filter(({ rule }) => rule.head.args)) {
        const known = this.#parameters.get(target) ?? new Set();
        for (const [i, term] of operands.entries()) {
          if (known.has(i) || !this.isTainted(term, definition, variables)) continue;
          known.add(i);
          changed = true;
        }
        this.#parameters.set(target, known);
      }
    };
    walkRule(definition.rule, {
      expr: ({ terms }) => {
        if (Array.isArray(terms)) visit(terms[0], terms.slice(1));
      },
      term: (term) => {
        if (term.type === 'call') visit((term.value as Term[])[0], (term.value as Term[]).slice(1));
      },
    });
    return changed;
  }
}

const BINDING = new Set(['assign', 'eq', 'internal.member_2', 'internal.member_3']);

/** The variable that a term is, or that a reference begins with. */
function variableName(term: Term): string | undefined {
  const head = refSteps(term)?.[0] ?? term;
  return head.type === 'var' ? String(head.value) : undefined;
}

function addNames(term: Term, names: Set<string>): void {
  walkTerm(term, {
    term: (part) => {
      if (part.type === 'var') names.add(String(part.value));
    },
  });
}
