/** What in a rule comes from the arguments of the call. */
import { ArgumentReach, argumentPointer } from './arguments.ts';
import {
  callParts,
  isEvery,
  isSome,
  lineCall,
  refSteps,
  walkRule,
  walkTerm,
  type Expr,
  type Term,
} from './ast.ts';
import type { Definition, RuleBase } from './references.ts';

/**
 * What comes from the arguments: references to them, rules that read them, variables bound from
 * such, and parameters of functions that are called with such.
 */
export class Taint {
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
      const [operator] = part.type === 'call' ? (part.value as Term[]) : [];
      const path = this.#base.resolve(module, operator ?? part);
      if (!path) return;
      tainted ||= argumentPointer(path) !== undefined;
      tainted ||= this.#base.reached(path).some((next) => this.#reach.of(next).size > 0);
    };
    walkTerm(term, { term: look });
    return tainted;
  }

  /** Names that a line binds to something tainted, or by looking into it. */
  #bind(expr: Expr, definition: Definition, names: Set<string>): void {
    const { terms } = expr;
    this.#bindSteps(expr, definition, names);
    if (isEvery(terms)) {
      if (!this.isTainted(terms.domain, definition, names)) return;
      addNames(terms.value, names);
      if (terms.key) addNames(terms.key, names);
      return;
    }
    const call = isSome(terms) ? terms.symbols.map(callParts).find(Boolean) : lineCall(expr);
    // `object.get(xs, "a", 0, x)` binds its last operand, so a call taints what it is given too.
    if (!call || COMPARING.has(call.operator)) return;
    if (!call.operands.some((term) => this.isTainted(term, definition, names))) return;
    for (const term of call.operands) addNames(term, names);
  }

  /** `xs[i]` binds `i`: a name of a member, and of a set the member itself. */
  #bindSteps(expr: Expr, definition: Definition, names: Set<string>): void {
    const visit = (term: Term): void => {
      const [head, ...steps] = refSteps(term) ?? [];
      if (!head || !steps.some(({ type }) => type === 'var')) return;
      if (!this.isTainted({ type: 'ref', value: withoutVariables(term) }, definition, names))
        return;
      for (const step of steps) addNames(step, names);
    };
    const { terms } = expr;
    if (Array.isArray(terms)) for (const term of terms.slice(1)) walkTerm(term, { term: visit });
    else if ('value' in terms && !isEvery(terms)) walkTerm(terms, { term: visit });
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

/** Calls that bind nothing. */
const COMPARING = new Set(['equal', 'gt', 'gte', 'lt', 'lte', 'neq']);

/** A reference up to its first step that is no constant. */
function withoutVariables(ref: Term): Term[] {
  const steps = refSteps(ref) ?? [];
  const dynamic = steps.findIndex(({ type }, i) => i > 0 && type === 'var');
  return dynamic < 0 ? steps : steps.slice(0, dynamic);
}

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
