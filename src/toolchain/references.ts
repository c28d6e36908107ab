/**
 * From names as written to paths from the root: `request.groups` under `import data.mcp.request`
 * is `data.mcp.request.groups`. A step that is not a constant stands as `*`.
 */
import { refSteps, walkRule, type Location, type Module, type Rule, type Term } from './ast.ts';

export const ANY = '*';

/** A path from the root, such as ['data', 'mcp', 'request', 'groups']. */
export type Path = readonly string[];

export interface Reference {
  path: Path;
  term: Term;
  location: Location | undefined;
}

/** One definition of a rule, with the file and package it stands in. */
export interface Definition {
  module: Module;
  rule: Rule;
  /** The rule's own path up to its first step that is not a constant. */
  path: Path;
}

/** The modules of one policy, with their rules by path. */
export class RuleBase {
  readonly modules: readonly Module[];
  readonly definitions: readonly Definition[];
  readonly #names: Map<string, Set<string>>;
  /** The paths that lie above a rule: packages, what packages lie in, and beginnings of heads. */
  readonly #above: Set<string>;
  readonly #reached = new Map<string, readonly Definition[]>();

  constructor(modules: readonly Module[]) {
    this.modules = modules;
    this.definitions = modules.flatMap((module) =>
      (module.rules ?? []).map((rule) => ({ module, rule, path: rulePath(module, rule) })),
    );
    this.#above = new Set(
      this.definitions.flatMap(({ path }) => path.map((_, i) => path.slice(0, i).join('.'))),
    );
    this.#names = new Map();
    for (const { module, rule } of this.definitions) {
      const key = packagePath(module).join('.');
      const names = this.#names.get(key) ?? new Set();
      names.add(headName(rule));
      this.#names.set(key, names);
    }
  }

  /** Where a term points, or undefined if it is no reference out of its own body. */
  resolve(module: Module, term: Term): Path | undefined {
    const steps = refSteps(term) ?? (term.type === 'var' ? [term] : undefined);
    const head = steps?.[0];
    if (!steps || head?.type !== 'var') return undefined;
    const base = this.#base(module, String(head.value));
    return base && [...base, ...steps.slice(1).map(constantStep)];
  }

  #base(module: Module, name: string): Path | undefined {
    if (name === 'data' || name === 'input') return [name];
    const imported = (module.imports ?? []).find((entry) => importName(entry) === name);
    if (imported) return importedPath(imported.path);
    const own = packagePath(module);
    return this.#names.get(own.join('.'))?.has(name) ? [...own, name] : undefined;
  }

  /** Every reference that a rule makes, inner ones too. */
  references({ module, rule }: Definition): Reference[] {
    const found: Reference[] = [];
    walkRule(rule, {
      term: (term) => {
        const path = this.resolve(module, term.type === 'call' ? callOperator(term) : term);
        if (path) found.push({ path, term, location: term.location });
      },
      expr: (expr) => {
        if (!Array.isArray(expr.terms) || !expr.terms[0]) return;
        const path = this.resolve(module, expr.terms[0]);
        if (path) found.push({ path, term: expr.terms[0], location: expr.location });
      },
    });
    return found;
  }

  /** True for a path that is no rule itself but has rules below it. */
  isAboveRules(path: Path): boolean {
    return this.#above.has(path.join('.'));
  }

  /** The definitions that a path may read: those under it and those above it. */
  reached(path: Path): readonly Definition[] {
    const key = path.join('.');
    const known = this.#reached.get(key);
    if (known) return known;
    const found = this.definitions.filter((definition) => overlaps(definition.path, path));
    this.#reached.set(key, found);
    return found;
  }
}

/** The path of a package, `data` first. */
export function packagePath(module: Module): Path {
  return module.package.path.map((step) => String(step.value));
}

/** The first name of a rule's head: the name by which its package knows it. */
export function headName(rule: Rule): string {
  const name = rule.head.ref[0]?.value;
  return typeof name === 'string' ? name : (rule.head.name ?? '');
}

export function importName(entry: { path: Term; alias?: string }): string {
  return entry.alias ?? String(refSteps(entry.path)?.at(-1)?.value);
}

/** True when one path is the beginning of the other. */
export function overlaps(a: Path, b: Path): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    if (a[i] !== b[i] && a[i] !== ANY && b[i] !== ANY) return false;
  }
  return true;
}

export function startsWith(path: Path, prefix: Path): boolean {
  return path.length >= prefix.length && overlaps(path, prefix);
}

function rulePath(module: Module, rule: Rule): Path {
  const steps = [headName(rule), ...rule.head.ref.slice(1).map(constantStep)];
  const dynamic = steps.indexOf(ANY);
  return [...packagePath(module), ...(dynamic < 0 ? steps : steps.slice(0, dynamic))];
}

function constantStep(step: Term): string {
  return step.type === 'string' ? String(step.value) : ANY;
}

/** An import's path begins with a name: `data`, `input`. */
function importedPath(path: Term): Path {
  const [head, ...steps] = refSteps(path) ?? [];
  return head ? [String(head.value), ...steps.map(constantStep)] : [];
}

function callOperator(term: Term): Term {
  return (term.value as Term[])[0] ?? term;
}
