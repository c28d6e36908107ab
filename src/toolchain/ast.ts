/**
 * The part of OPA's syntax tree that the rule contract needs (`opa parse --format json
 * --json-include locations`), with one walker over it. Trees are as parsed: references still go
 * through import aliases, which references.ts resolves.
 */

import { PortcullisError } from '../errors.ts';

export interface Location {
  file: string;
  row: number;
  col: number;
}

/** A value or a name. `value` depends on the type; see the accessors below. */
export interface Term {
  type: string;
  value?: unknown;
  location?: Location;
}

/** One line of a body. */
export interface Expr {
  terms: Term | Term[] | SomeDeclaration | Every | Block;
  negated?: boolean;
  with?: { target: Term; value: Term }[];
  location?: Location;
  generated?: boolean;
}

export interface SomeDeclaration {
  symbols: Term[];
}

export interface Every {
  key?: Term | null;
  value: Term;
  domain: Term;
  body: Expr[];
}

/** `{ … } or { … }` and `not { … }`, which later versions of Rego have. */
export type Block = { type: 'or'; lhs: Expr[]; rhs: Expr[] } | { type: 'not'; body: Expr[] };

export interface Head {
  name?: string;
  ref: Term[];
  args?: Term[];
  key?: Term;
  value?: Term;
  assign?: boolean;
}

export interface Rule {
  head: Head;
  body: Expr[];
  else?: Rule;
  default?: boolean;
  location: Location;
}

export interface Import {
  path: Term;
  alias?: string;
  location?: Location;
}

export interface Annotation {
  scope: string;
  title?: string;
  description?: string;
  custom?: Record<string, unknown>;
  entrypoint?: boolean;
  location?: Location;
}

/** A parsed file. */
export interface Module {
  package: { path: Term[]; location?: Location };
  imports?: Import[];
  rules?: Rule[];
  annotations?: Annotation[];
}

/** The steps of a reference: its head and the terms in its brackets or after its dots. */
export function refSteps(term: Term): Term[] | undefined {
  return term.type === 'ref' ? (term.value as Term[]) : undefined;
}

/** A call's operator and operands, whether it stands as a line or inside a term. */
export function callParts(term: Term): { operator: string; operands: Term[] } | undefined {
  if (term.type !== 'call') return undefined;
  return operatorAndOperands(term.value as Term[]);
}

/** The operator and operands of a line that is a call. */
export function lineCall(expr: Expr): { operator: string; operands: Term[] } | undefined {
  return Array.isArray(expr.terms) ? operatorAndOperands(expr.terms) : undefined;
}

function operatorAndOperands(terms: Term[]): { operator: string; operands: Term[] } {
  const [operator, ...operands] = terms;
  const steps = operator ? refSteps(operator) : undefined;
  return { operator: (steps ?? []).map((step) => String(step.value)).join('.'), operands };
}

export function isSome(terms: Expr['terms']): terms is SomeDeclaration {
  return !Array.isArray(terms) && 'symbols' in terms;
}

export function isEvery(terms: Expr['terms']): terms is Every {
  return !Array.isArray(terms) && 'domain' in terms;
}

export function isBlock(terms: Expr['terms']): terms is Block {
  return !Array.isArray(terms) && ('lhs' in terms || 'body' in terms) && !isEvery(terms);
}

/** What a walk calls back; each is called before what lies inside. */
export interface Visitor {
  term?: (term: Term) => void;
  expr?: (expr: Expr) => void;
}

/** Visits a rule whole: head, body, and each `else`. A reference's first name is part of it. */
export function walkRule(rule: Rule, visitor: Visitor): void {
  for (const step of rule.head.ref.slice(1)) walkTerm(step, visitor);
  for (const term of rule.head.args ?? []) walkTerm(term, visitor);
  if (rule.head.key) walkTerm(rule.head.key, visitor);
  if (rule.head.value) walkTerm(rule.head.value, visitor);
  walkBody(rule.body, visitor);
  if (rule.else) walkRule(rule.else, visitor);
}

function walkBody(body: Expr[], visitor: Visitor): void {
  for (const expr of body) walkExpr(expr, visitor);
}

function walkExpr(expr: Expr, visitor: Visitor): void {
  visitor.expr?.(expr);
  for (const clause of expr.with ?? []) {
    walkTerm(clause.target, visitor);
    walkTerm(clause.value, visitor);
  }
  const { terms } = expr;
  if (isSome(terms)) for (const symbol of terms.symbols) walkTerm(symbol, visitor);
  else if (isEvery(terms)) {
    walkTerm(terms.domain, visitor);
    walkBody(terms.body, visitor);
  } else if (isBlock(terms)) {
    for (const body of terms.type === 'or' ? [terms.lhs, terms.rhs] : [terms.body])
      walkBody(body, visitor);
  } else if (Array.isArray(terms)) for (const term of terms.slice(1)) walkTerm(term, visitor);
  else if ('value' in terms) walkTerm(terms, visitor);
  else throw new PortcullisError('RULES_REFUSED', `${where(expr)}: syntax that is not known here`);
}

function where({ location }: Expr): string {
  return location ? `${location.file}:${location.row}` : 'a rule';
}

export function walkTerm(term: Term, visitor: Visitor): void {
  visitor.term?.(term);
  const { value } = term;
  if (COMPREHENSIONS.has(term.type)) {
    const parts = value as { term?: Term; key?: Term; value?: Term; body: Expr[] };
    for (const part of [parts.term, parts.key, parts.value]) if (part) walkTerm(part, visitor);
    walkBody(parts.body, visitor);
  } else if (term.type === 'ref') {
    const [head, ...steps] = value as Term[];
    for (const part of head?.type === 'var' ? steps : (value as Term[])) walkTerm(part, visitor);
  } else if (term.type === 'templatestring') {
    for (const part of (value as { parts: (Term | Expr)[] }).parts) walkPart(part, visitor);
  } else if (term.type === 'call') {
    for (const part of (value as Term[]).slice(1)) walkTerm(part, visitor);
  } else if (term.type === 'object') {
    for (const [key, member] of value as [Term, Term][]) {
      walkTerm(key, visitor);
      walkTerm(member, visitor);
    }
  } else if (Array.isArray(value)) {
    for (const part of value as Term[]) walkTerm(part, visitor);
  }
}

function walkPart(part: Term | Expr, visitor: Visitor): void {
  if ('terms' in part) walkExpr(part, visitor);
  else walkTerm(part, visitor);
}

const COMPREHENSIONS = new Set(['arraycomprehension', 'setcomprehension', 'objectcomprehension']);

/** A call anywhere in a rule. */
export interface Call {
  operator: string;
  operands: Term[];
  location: Location;
}

/** All calls of a rule, lines and terms. */
export function callsIn(rule: Rule): Call[] {
  const calls: Call[] = [];
  walkRule(rule, {
    expr: (expr) => {
      const call = lineCall(expr);
      if (call) calls.push({ ...call, location: expr.location ?? rule.location });
    },
    term: (term) => {
      const call = callParts(term);
      if (call) calls.push({ ...call, location: term.location ?? rule.location });
    },
  });
  return calls;
}
