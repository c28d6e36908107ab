/**
 * House style: formatted by `opa fmt`, every rule with a title and a test of its own. A gate for
 * the library, and for authors who ask for it with `--strict-style`; never an error that stops a
 * build.
 */
import type { Opa } from './opa_run.ts';
import { fileOf, type Finding, type ParsedPolicy } from './policy.ts';
import { packagePath } from './references.ts';
import { staged } from './stage.ts';

export async function styleFindings(opa: Opa, policy: ParsedPolicy): Promise<Finding[]> {
  return [...(await unformatted(opa, policy)), ...untitled(policy), ...untested(policy)];
}

async function unformatted(opa: Opa, { sources }: ParsedPolicy): Promise<Finding[]> {
  const files = [...sources.modules, ...sources.tests].filter(({ path }) =>
    isSubject(path, sources),
  );
  return staged(files, async (cwd) => {
    const { stdout } = await opa(['fmt', '--list', '.'], { cwd });
    const paths = stdout.split('\n').filter((line) => line !== '');
    return paths.map((place) => ({
      check: 'style',
      place,
      problem: 'the file is not formatted',
      instead: 'run `opa fmt --write` over it',
    }));
  });
}

function untitled({ rules, sources }: ParsedPolicy): Finding[] {
  return rules
    .filter((rule) => isSubject(rule.file, sources) && !rule.title)
    .map((rule) => ({
      check: 'style',
      place: rule.file,
      problem: `rule ${rule.id} has no title`,
      instead: 'write `# METADATA` and `# title: …` above its package',
    }));
}

function untested({ rules, tests, sources }: ParsedPolicy): Finding[] {
  const tested = new Set(tests.map((module) => packagePath(module).join('.')));
  return rules
    .filter((rule) => isSubject(rule.file, sources) && !tested.has(`${rule.path.join('.')}_test`))
    .map((rule) => ({
      check: 'style',
      place: rule.modules[0] ? fileOf(rule.modules[0]) : rule.id,
      problem: `rule ${rule.id} has no test`,
      instead: `write package ${rule.path.slice(1).join('.')}_test in a file beside it`,
    }));
}

function isSubject(path: string, { subject }: ParsedPolicy['sources']): boolean {
  return path.startsWith(`${subject}/`);
}
