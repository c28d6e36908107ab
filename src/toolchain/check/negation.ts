import { lineCall, refSteps, walkRule, type Expr, type Module, type Term } from '../ast.ts';
import { placeOf, type Finding, type ParsedPolicy } from '../policy.ts';
import type { RuleBase } from '../references.ts';

const INSTEAD = 'name the positive case in a helper rule and write `not _helper`';

/** Calls that answer every value of their operands, so that `not` over them loses nothing. */
const TOTAL = new Set(['contains', 'endswith', 'internal.member_2', 'startswith']);

/**
 * `not f(ref)` is undefined where `ref` is, in OPA and in WASM: the reference is moved out of the
 * `not`, so a denial written so vanishes with its fact. Sound are a bare reference, `==`, and a
 * call over values that are bound already.
 */
export function negation({ base }: ParsedPolicy): Finding[] {
  return base.definitions.flatMap(({ module, rule }) => {
    const found: Finding[] = [];
    walkRule(rule, {
      expr: (expr) => {
        const problem = expr.negated ? unsound(expr, module, base) : undefined;
        const place = placeOf(expr.location ?? rule.location);
        if (problem) found.push({ check: 'negation', place, problem, instead: INSTEAD });
      },
    });
    return found;
  });
}

function unsound(expr: Expr, module: Module, base: RuleBase): string | undefined {
  if (expr.with) return '`not` with a `with`';
  const call = lineCall(expr);
  if (!call) return unsoundTerm(expr.terms as Term, module, base);
  if (call.operator === 'equal' && call.operands.length === 2) {
    return call.operands.map((term) => unsoundTerm(term, module, base)).find(Boolean);
  }
  const operator = (expr.terms as Term[])[0];
  const isHelper = operator !== undefined && base.resolve(module, operator) !== undefined;
  const isSafe = isHelper || TOTAL.has(call.operator);
  if (isSafe && call.operands.every((term) => isBound(term, module, base))) return undefined;
  return `\`not\` over a call of \`${call.operator}\` that is undefined where an operand is`;
}

function unsoundTerm(term: Term, module: Module, base: RuleBase): string | undefined {
  if (isScalar(term)) return undefined;
  if (term.type !== 'ref' && term.type !== 'var') return `\`not\` over a term of type ${term.type}`;
  const [head = term, ...steps] = refSteps(term) ?? [];
  if (head.type !== 'var') return `\`not\` over a member of a ${head.type}`;
  if (!steps.every((step) => isBound(step, module, base))) {
    return '`not` over a reference with another in its brackets';
  }
  return undefined;
}

/** A local variable has a value where the line is reached; a name of the package may have none. */
function isBound(term: Term, module: Module, base: RuleBase): boolean {
  if (isScalar(term)) return true;
  if (term.type === 'set' || term.type === 'array') {
    return (term.value as Term[]).every((member) => isBound(member, module, base));
  }
  return term.type === 'var' && base.resolve(module, term) === undefined;
}

function isScalar(term: Term): boolean {
  return ['string', 'number', 'boolean', 'null'].includes(term.type);
}
