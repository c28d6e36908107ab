/** A policy as parsed: the rule contract is checked on it and the build generates from it. */
import { PortcullisError } from '../errors.ts';
import type { Module } from './ast.ts';
import type { Opa } from './opa_run.ts';
import { RuleBase, type Definition } from './references.ts';
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
export async function parsePolicy(
  opa: Opa,
  sources: Sources,
  known: ParsedFiles = new Map(),
): Promise<ParsedPolicy> {
  await parseUnknown(opa, [...sources.modules, ...sources.tests], known);
  const of = (file: SourceFile): Module[] => known.get(keyOf(file)) ?? [];
  const base = new RuleBase(sources.modules.flatMap(of));
  return { sources, base, rules: rulePackages(base), tests: sources.tests.flatMap(of) };
}

/** Trees by path and text, for whoever parses the same files again. */
export type ParsedFiles = Map<string, Module[]>;

function keyOf({ path, text }: SourceFile): string {
  return `${path}\n${text}`;
}

async function parseUnknown(
  opa: Opa,
  files: readonly SourceFile[],
  known: ParsedFiles,
): Promise<void> {
  const unknown = files.filter((file) => !known.has(keyOf(file)));
  await staged(unknown, async (folder) => {
    for (let i = 0; i < unknown.length; i += PARSERS_AT_ONCE) {
      const group = unknown.slice(i, i + PARSERS_AT_ONCE);
      const trees = await Promise.all(group.map((file) => parseFile(opa, folder, file)));
      for (const [j, file] of group.entries()) known.set(keyOf(file), trees.slice(j, j + 1));
    }
  });
}

async function parseFile(opa: Opa, folder: string, file: SourceFile): Promise<Module> {
  const args = ['parse', '--format', 'json', '--json-include', 'locations,-comments', file.path];
  const { code, stdout, stderr } = await opa(args, { cwd: folder });
  if (code !== 0) throw new PortcullisError('RULES_REFUSED', opaErrors(stderr || stdout));
  return JSON.parse(stdout) as Module;
}

/** True for the modules that the author wrote. */
export function isAuthored(module: Module): boolean {
  return fileOf(module).startsWith('policy/');
}

/** The definitions and all that they refer to among those of the author. */
export function reachedFrom(roots: readonly Definition[], base: RuleBase): Set<Definition> {
  const seen = new Set<Definition>(roots);
  for (const definition of seen) {
    for (const { path } of base.references(definition)) {
      for (const next of base.reached(path)) if (isAuthored(next.module)) seen.add(next);
    }
  }
  return seen;
}

export function fileOf(module: Module): string {
  return module.package.location?.file ?? '';
}

/** Where a finding points. */
export function placeOf(location: { file: string; row: number } | undefined): string {
  return location ? `${location.file}:${location.row}` : '';
}

/** OPA's own findings, a line each, from its JSON or as it printed them. */
export function opaErrors(output: string): string {
  return parseOpaErrors(output)
    .map(({ message, location }) => (location ? `${placeOf(location)}: ${message}` : message))
    .join('\n');
}

export interface OpaError {
  message: string;
  location?: { file: string; row: number };
}

export function parseOpaErrors(output: string): OpaError[] {
  try {
    return (JSON.parse(output) as { errors?: OpaError[] }).errors ?? [];
  } catch {
    return [{ message: output.trim() }];
  }
}
