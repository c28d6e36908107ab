/** A policy as parsed: the rule contract is checked on it and the build generates from it. */
import { PortcullisError } from '../errors.ts';
import type { Module } from './ast.ts';
import type { Opa } from './opa_run.ts';
import { RuleBase } from './references.ts';
import { rulePackages, type RulePackage } from './rule_package.ts';
import type { SourceFile, Sources } from './sources.ts';
import { staged } from './stage.ts';

export interface ParsedPolicy {
  sources: Sources;
  /** Modules without tests; the library's too. */
  base: RuleBase;
  rules: RulePackage[];
  /** Parsed tests of the author. */
  tests: Module[];
}

/** A place in a policy that breaks the contract, and what to write instead. */
export interface Finding {
  /** Name of the check. */
  check: string;
  /** `policy/rules/payments/refund.rego:12` */
  place: string;
  /** What is wrong there. */
  problem: string;
  /** What to do. */
  instead: string;
}

const PARSERS_AT_ONCE = 8;

/** Parses all files. Throws `RULES_REFUSED` with OPA's own words where one is not Rego. */
export async function parsePolicy(opa: Opa, sources: Sources): Promise<ParsedPolicy> {
  return staged([...sources.modules, ...sources.tests], async (folder) => {
    const modules = await parseAll(opa, folder, sources.modules);
    const base = new RuleBase(modules);
    const tests = await parseAll(opa, folder, sources.tests);
    return { sources, base, rules: rulePackages(base), tests };
  });
}

async function parseAll(opa: Opa, folder: string, files: readonly SourceFile[]): Promise<Module[]> {
  const modules: Module[] = [];
  for (let i = 0; i < files.length; i += PARSERS_AT_ONCE) {
    const group = files.slice(i, i + PARSERS_AT_ONCE);
    modules.push(...(await Promise.all(group.map((file) => parseFile(opa, folder, file)))));
  }
  return modules;
}

async function parseFile(opa: Opa, folder: string, file: SourceFile): Promise<Module> {
  const args = ['parse', '--format', 'json', '--json-include', 'locations,-comments', file.path];
  const { code, stdout, stderr } = await opa(args, { cwd: folder });
  if (code !== 0) throw new PortcullisError('RULES_REFUSED', (stderr || stdout).trim());
  return JSON.parse(stdout) as Module;
}

/** True for the modules that the author wrote. */
export function isAuthored(module: Module): boolean {
  return fileOf(module).startsWith('policy/');
}

export function fileOf(module: Module): string {
  return module.package.location?.file ?? '';
}

/** Where a finding points. */
export function placeOf(location: { file: string; row: number } | undefined): string {
  return location ? `${location.file}:${location.row}` : '';
}
