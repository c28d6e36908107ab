/** Makes the mutants of a Rego library: its text is cut by the places of rules. */
import type { Rule } from '../../src/toolchain/ast.ts';
import type { Opa } from '../../src/toolchain/opa_run.ts';
import { parsePolicy } from '../../src/toolchain/policy.ts';
import { headName } from '../../src/toolchain/references.ts';
import { librarySources, isTestFile, type SourceFile } from '../../src/toolchain/sources.ts';

export interface Mutant {
  /** `grants.rego:12 removed _within` */
  name: string;
  path: string;
  /** The file with the mutation. */
  text: string;
}

/** Each definition removed, and each body replaced by `true`. */
export async function mutants(opa: Opa, files: readonly SourceFile[]): Promise<Mutant[]> {
  const sources = librarySources(files.filter(({ path }) => path.endsWith('.rego')));
  const { base } = await parsePolicy(opa, sources);
  return base.definitions
    .filter(({ rule }) => !isTestFile(rule.location.file))
    .flatMap(({ rule }) => mutantsOf(rule, files));
}

function mutantsOf(rule: Rule, files: readonly SourceFile[]): Mutant[] {
  const path = rule.location.file.replace(/^mcp\//u, '');
  const file = files.find((candidate) => candidate.path === path);
  if (!file) return [];
  const lines = file.text.split('\n');
  const begin = rule.location.row - 1;
  const end = endOf(lines, begin);
  const place = `${path}:${rule.location.row}`;
  const made = [{ way: 'removed', block: [] as string[] }, ...madeTrue(lines.slice(begin, end))];
  return made.map(({ way, block }) => ({
    name: `${place} ${way} ${headName(rule)}`,
    path,
    text: [...lines.slice(0, begin), ...block, ...lines.slice(end)].join('\n'),
  }));
}

/** Formatted Rego separates definitions by an empty line. */
function endOf(lines: readonly string[], begin: number): number {
  const empty = lines.indexOf('', begin);
  return empty < 0 ? lines.length : empty;
}

/** `head if { … }` becomes `head if true`; a definition without a body has nothing to replace. */
function madeTrue(block: readonly string[]): { way: string; block: string[] }[] {
  const text = block.join('\n');
  const at = text.search(/ if (\{\n|[^\n]*$)/u);
  if (at < 0 || text.startsWith('default ')) return [];
  const mutated = `${text.slice(0, at)} if true`;
  return mutated === text ? [] : [{ way: 'true', block: mutated.split('\n') }];
}
