/**
 * A rule as the build sees it: one package under `mcp.rules.<area>.<title>`, its effect, whether it
 * declares a safe region, what its METADATA says, and the capabilities that it can concern.
 */
import { lineCall, type Annotation, type Module, type Rule, type Term } from './ast.ts';
import { headName, packagePath, startsWith, type Path, type RuleBase } from './references.ts';

/** Where rules live; every package below it at exactly two steps is one rule. */
export const RULES_ROOT: Path = ['data', 'mcp', 'rules'];

/** The public names of a rule package. */
export const PUBLIC_NAMES = ['effect', 'applies', 'within', 'obligations', 'eligible'] as const;

export const EFFECTS = ['allow', 'deny', 'limit', 'require_approval', 'oblige'] as const;
export type Effect = (typeof EFFECTS)[number];

/** What METADATA `custom` may say of a rule. */
export interface RuleCustom {
  reason_code?: string;
  safe_message?: string;
  channels?: string[];
  approvals?: number;
  grant?: Record<string, unknown>;
}

export interface RulePackage {
  /** `payments/transfer_limit` */
  id: string;
  /** `data.mcp.rules.payments.transfer_limit` */
  path: Path;
  file: string;
  modules: Module[];
  rules: Rule[];
  effect: Effect | undefined;
  has_within: boolean;
  title: string | undefined;
  custom: RuleCustom;
  /** Capability names from `request.name == "…"` in every `applies`, else `*`. */
  capabilities: string[];
}

/** The rule packages of a policy, in the order of their ids; tests are not among them. */
export function rulePackages(base: RuleBase): RulePackage[] {
  const groups = new Map<string, Module[]>();
  for (const module of base.modules) {
    const path = packagePath(module);
    if (path.length !== RULES_ROOT.length + 2 || !startsWith(path, RULES_ROOT)) continue;
    if (isTestPackage(path)) continue;
    const key = path.slice(RULES_ROOT.length).join('/');
    groups.set(key, [...(groups.get(key) ?? []), module]);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, modules]) => describe(id, modules, base));
}

/** OPA's convention: tests stand in `<package>_test`. */
export function isTestPackage(path: Path): boolean {
  return path.at(-1)?.endsWith('_test') ?? false;
}

function describe(id: string, modules: Module[], base: RuleBase): RulePackage {
  const rules = modules.flatMap((module) => (module.rules ?? []).filter((rule) => !isTest(rule)));
  const annotation = modules.flatMap((module) => module.annotations ?? []).find(isPackageScope);
  return {
    id,
    path: [...RULES_ROOT, ...id.split('/')],
    file: modules[0]?.package.location?.file ?? '',
    modules,
    rules,
    effect: literalEffect(rules),
    has_within: named(rules, 'within').length > 0,
    title: annotation?.title,
    custom: annotation?.custom ?? {},
    capabilities: concerned(modules, base),
  };
}

function isTest(rule: Rule): boolean {
  return /^(todo_)?test_/u.test(headName(rule));
}

function isPackageScope(annotation: Annotation): boolean {
  return annotation.scope === 'package';
}

export function named(rules: readonly Rule[], name: string): Rule[] {
  return rules.filter((rule) => headName(rule) === name);
}

/** The effect, if it is one unconditional literal of the five. */
function literalEffect(rules: readonly Rule[]): Effect | undefined {
  const [only, ...more] = named(rules, 'effect');
  if (!only || more.length > 0 || only.else || !only.body.every((expr) => expr.generated))
    return undefined;
  const value = only.head.value;
  return EFFECTS.find((effect) => value?.type === 'string' && value.value === effect);
}

/**
 * A rule concerns only the capability that each of its `applies` bodies compares the name with. An
 * `else`, a default, or a body without that line may apply to anything.
 */
function concerned(modules: readonly Module[], base: RuleBase): string[] {
  const names = new Set<string>();
  // Each body is read with the imports of its own file: a package may stand in several.
  for (const module of modules)
    for (const rule of named(module.rules ?? [], 'applies')) {
      const found = rule.else || rule.default ? undefined : comparedNames(rule, module, base);
      if (!found) return ['*'];
      for (const name of found) names.add(name);
    }
  return names.size === 0 ? ['*'] : [...names].sort();
}

/** The names that a body demands by `request.name == "…"` or `request.name in {"…"}`. */
function comparedNames(rule: Rule, module: Module, base: RuleBase): string[] | undefined {
  for (const expr of rule.body) {
    if (expr.negated || expr.with) continue;
    const call = lineCall(expr);
    const [left, right] = call?.operands ?? [];
    if (!call || !left || !right || call.operands.length > 2) continue;
    if (call.operator === 'equal' || call.operator === 'eq') {
      const literal = isName(left, module, base)
        ? right
        : isName(right, module, base)
          ? left
          : undefined;
      if (literal?.type === 'string') return [String(literal.value)];
    }
    if (call.operator === 'internal.member_2' && isName(left, module, base))
      return stringMembers(right);
  }
  return undefined;
}

function isName(term: Term, module: Module, base: RuleBase): boolean {
  return base.resolve(module, term)?.join('.') === 'data.mcp.request.name';
}

function stringMembers(term: Term): string[] | undefined {
  if (term.type !== 'set' && term.type !== 'array') return undefined;
  const members = term.value as Term[];
  return members.every((member) => member.type === 'string')
    ? members.map((member) => String(member.value))
    : undefined;
}
