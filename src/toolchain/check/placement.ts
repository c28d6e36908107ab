import { fileOf, isAuthored, type Finding, type ParsedPolicy } from '../policy.ts';
import { headName, packagePath, startsWith, type Path } from '../references.ts';
import { isTestPackage, RULES_ROOT } from '../rule_package.ts';
import { isTestFile } from '../sources.ts';
import { LIBRARY_ROOTS } from '../tables.ts';
import type { Module } from '../ast.ts';

const CHECK = 'placement';

/**
 * A rule stands in its own package at exactly `mcp.rules.<area>.<title>`. Anything beside that is
 * not found by the router, or hides other rules from it: a partial object at area depth makes every
 * dynamic reference into the rules undefined in the compiled policy.
 */
export function placement({ base, tests, sources }: ParsedPolicy): Finding[] {
  const library = base.modules.filter((module) => !isAuthored(module));
  const taken: Taken = {
    packages: new Set(library.map((module) => packagePath(module).join('.'))),
    roots: new Set([...LIBRARY_ROOTS, ...Object.keys(sources.data)]),
  };
  return [...base.modules, ...tests]
    .filter(isAuthored)
    .flatMap((module) => misplaced(module, taken));
}

/** What a package of the author may not be called: it would add to what is there. */
interface Taken {
  packages: ReadonlySet<string>;
  roots: ReadonlySet<string>;
}

function misplaced(module: Module, taken: Taken): Finding[] {
  const path = packagePath(module);
  const place = `${fileOf(module)}:${module.package.location?.row ?? 1}`;
  const name = path.slice(1).join('.');
  const finding = (problem: string, instead: string): Finding[] => [
    { check: CHECK, place, problem, instead },
  ];
  const odd = path.slice(1).find((step) => !PLAIN_NAME.test(step));
  if (odd !== undefined) {
    return finding(`a package step of ${name} is no plain name`, 'use letters, digits and `_`');
  }
  if (isTestFile(fileOf(module))) return misplacedTest(path, finding);
  if (isTestPackage(path)) {
    return finding(
      `package ${name} is named like a test`,
      'end its file name with `_test.rego`, or rename it',
    );
  }
  const isLibrary = taken.packages.has(path.join('.')) || isForeign(path);
  if (name === 'mcp' || name === 'portcullis' || isLibrary) {
    return finding(
      `package ${name} belongs to the library`,
      'use `mcp.rules.<area>.<title>` or a root of your own',
    );
  }
  if (taken.roots.has(path[1] ?? '')) {
    return finding(
      `package ${name} has the root of data`,
      'rename it; the compiled policy would see the rules, or the data, and not both',
    );
  }
  if (startsWith(path, RULES_ROOT) && path.length !== RULES_ROOT.length + 2) {
    return finding(
      `package ${name} is not at \`mcp.rules.<area>.<title>\``,
      'give each rule a package at that depth',
    );
  }
  return (module.rules ?? []).some((rule) => /^(todo_)?test_/u.test(headName(rule)))
    ? finding('a test stands among the rules', 'move it to a file that ends with `_test.rego`')
    : [];
}

const PLAIN_NAME = /^[A-Za-z_]\w*$/u;

/** A rule in a test file would be left out of the build without a word. */
function misplacedTest(
  path: Path,
  finding: (problem: string, instead: string) => Finding[],
): Finding[] {
  if (!startsWith(path, RULES_ROOT) || isTestPackage(path)) return [];
  return finding('a test file holds the package of a rule', 'name the package `<package>_test`');
}

function isForeign(path: Path): boolean {
  return ['mcp', 'portcullis'].includes(path[1] ?? '') && !startsWith(path, RULES_ROOT);
}
