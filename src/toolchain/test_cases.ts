/** The tests of a policy, by name. */
import { walkRule, type Module } from './ast.ts';
import type { ParsedPolicy } from './policy.ts';
import { headName, packagePath, type RuleBase } from './references.ts';

export interface TestCase {
  name: string;
  file: string;
  row: number;
  /** Replaces data that activation would index, so it runs over data without an index. */
  replaces_indexed: boolean;
}

/** The tests in the order of their names; `todo_test_` rules are left out, as in OPA. */
export function testCases({ tests, base }: ParsedPolicy): TestCase[] {
  const cases = new Map<string, TestCase>();
  for (const module of tests) {
    const replaces_indexed = replacesIndexed(module, base);
    for (const rule of module.rules ?? []) {
      if (!headName(rule).startsWith('test_')) continue;
      const name = [...packagePath(module).slice(1), headName(rule)].join('.');
      const { file, row } = rule.location;
      if (!cases.has(name)) cases.set(name, { name, file, row, replaces_indexed });
    }
  }
  return [...cases.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Roots whose content the decision point finds through its index. */
const INDEXED = ['agents', 'grants', 'portcullis', 'surfaces'];

function replacesIndexed(module: Module, base: RuleBase): boolean {
  let replaces = false;
  for (const rule of module.rules ?? []) {
    walkRule(rule, {
      expr: (expr) => {
        for (const { target } of expr.with ?? []) {
          const path = base.resolve(module, target) ?? [];
          replaces ||= path[0] === 'data' && (path.length === 1 || INDEXED.includes(path[1] ?? ''));
        }
      },
    });
  }
  return replaces;
}
