/** `portcullis build`: from sources to a standard OPA bundle; same input, same bytes. */
import { constants } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpack } from '../bundle/files.ts';
import { canonicalJson } from '../contract/canonical.ts';
import type { BundleMetadata } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { PortcullisError } from '../errors.ts';
import { checkPolicy, strictCompile } from './check.ts';
import { OPA_VERSION } from './opa.ts';
import type { Opa } from './opa_run.ts';
import { hasMask, MASK_ENTRYPOINT } from './mask.ts';
import { parsePolicy, type Finding, type ParsedPolicy } from './policy.ts';
import { argumentPointers, plainPointers } from './projection.ts';
import { routerSource } from './router.ts';
import type { SourceFile, Sources } from './sources.ts';
import { staged } from './stage.ts';
import { tableNames, tablesSource } from './tables.ts';

/** Entrypoints of the library. */
const LIBRARY_ENTRYPOINTS = {
  entrypoint: 'mcp/main/decision',
  discovery: 'mcp/list/items',
  approval: 'mcp/approval/eligible',
} as const;

export interface BuildOptions {
  /** Default: the first twelve hex digits of the sources' digest. */
  revision?: string | undefined;
  /** A policy of its own contract: its entrypoint, such as `authz/allow`. No library is added. */
  entrypoint?: string | undefined;
  /** That policy's second entrypoint for lists. */
  discovery?: string | undefined;
  /** Stamped on every record; the decision point must be told to accept it. */
  unsafe_allow_all?: boolean | undefined;
}

/** The files of a bundle by path; the bundle format packs them. */
export interface BuiltPolicy {
  files: Map<string, Uint8Array>;
  metadata: BundleMetadata;
  revision: string;
}

/** Checks, generates, compiles, describes. Throws `RULES_REFUSED` with all findings. */
export async function buildPolicy(
  opa: Opa,
  sources: Sources,
  options: BuildOptions = {},
): Promise<BuiltPolicy> {
  const policy = await parsePolicy(opa, sources);
  refuseFindings(await findings(opa, policy, options));
  const modules = options.entrypoint ? sources.modules : staticModules(policy);
  const metadata = describe(policy, options);
  const wasm = await compileWasm(opa, modules, entrypointsOf(metadata));
  const revision =
    options.revision ?? sources.digest.slice('sha256:'.length, 'sha256:'.length + 12);
  return { files: bundleFiles(policy, modules, metadata, revision, wasm), metadata, revision };
}

/** What stands against building a policy. */
export function findings(
  opa: Opa,
  policy: ParsedPolicy,
  options: BuildOptions,
): Promise<Finding[]> {
  return options.entrypoint ? strictCompile(opa, policy) : checkPolicy(opa, policy);
}

/** Findings as the text of one error, a line each. */
export function refuseFindings(found: readonly Finding[]): void {
  if (found.length === 0) return;
  const lines = found.map(
    ({ check, place, problem, instead }) => `${place}: ${problem} (${check}): ${instead}`,
  );
  throw new PortcullisError('RULES_REFUSED', lines.join('\n'));
}

/** The policy with the tables that its data has, and with the library's scanning router. */
export function scanningModules({ sources }: ParsedPolicy): SourceFile[] {
  return replaced(sources.modules, { 'mcp/tables.rego': tablesSource(tableNames(sources.data)) });
}

/** The policy as it is compiled: with a router that is generated from its rules. */
export function staticModules(policy: ParsedPolicy): SourceFile[] {
  return replaced(scanningModules(policy), { [ROUTER]: routerSource(policy.rules) });
}

/** The library's scanning provider, which a build replaces. */
export const ROUTER = 'mcp/router.rego';

function replaced(files: readonly SourceFile[], texts: Record<string, string>): SourceFile[] {
  return files.map(({ path, text }) => ({ path, text: texts[path] ?? text }));
}

/**
 * The data of the bundle: the author's, and what the METADATA of each rule says, keyed by rule.
 * All rules stand there, so that no grant can take the name of one.
 */
export function bundleData({ sources, rules }: ParsedPolicy): Record<string, unknown> {
  const custom = Object.fromEntries(rules.map((rule) => [rule.id, rule.custom]));
  return { ...sources.data, portcullis: { rules: custom } };
}

function describe(policy: ParsedPolicy, options: BuildOptions): BundleMetadata {
  const { sources, base, rules } = policy;
  const plain = options.entrypoint !== undefined;
  const entrypoints = plain
    ? { entrypoint: options.entrypoint, ...(options.discovery && { discovery: options.discovery }) }
    : LIBRARY_ENTRYPOINTS;
  const metadata = {
    schema_version: 1,
    ...entrypoints,
    ...(hasMask(policy) && { mask: MASK_ENTRYPOINT }),
    arguments: plain ? plainPointers(base) : argumentPointers(base, rules),
    tables: plain ? [] : tableNames(sources.data),
    self_tests: sources.self_tests,
    ...(options.unsafe_allow_all && { unsafe_allow_all: true }),
    sources_digest: sources.digest,
    opa_version: OPA_VERSION,
  };
  const result = VALIDATORS.bundle_metadata(metadata);
  if (result.ok) return result.value;
  const { pointer, problem } = result.fault;
  const message = `the self-tests do not fit their schema: ${problem}`;
  throw new PortcullisError('DATA_INVALID', message, { pointer });
}

function entrypointsOf({ entrypoint, discovery, approval, mask }: BundleMetadata): string[] {
  return [entrypoint, discovery, approval, mask].filter((path) => path !== undefined);
}

/** What OPA makes of sources that are bounded themselves. */
const UNBOUNDED = {
  archive_bytes_max: Infinity,
  unpacked_bytes_max: constants.MAX_LENGTH,
  files_max: Infinity,
};

/** The compiled module of some entrypoints. Throws `RULES_REFUSED` with OPA's words. */
export async function compileWasm(
  opa: Opa,
  modules: readonly SourceFile[],
  entrypoints: readonly string[],
): Promise<Uint8Array> {
  return staged(modules, async (cwd) => {
    const named = entrypoints.flatMap((path) => ['--entrypoint', path]);
    const target = ['build', '--target', 'wasm', '--output', 'bundle.tar.gz', ...named, '.'];
    const { code, stdout, stderr } = await opa(target, { cwd });
    if (code !== 0) throw new PortcullisError('RULES_REFUSED', (stderr || stdout).trim());
    const bundle = readFileSync(join(cwd, 'bundle.tar.gz'));
    const module = unpack(bundle, UNBOUNDED).get('policy.wasm');
    if (module) return module;
    throw new PortcullisError('INTERNAL', 'opa build made no policy.wasm');
  });
}

/** The Rego travels along, so that any OPA can explain what the compiled module decided. */
function bundleFiles(
  policy: ParsedPolicy,
  modules: readonly SourceFile[],
  metadata: BundleMetadata,
  revision: string,
  wasm: Uint8Array,
): Map<string, Uint8Array> {
  const manifest = {
    revision,
    roots: [''],
    rego_version: 1,
    wasm: entrypointsOf(metadata).map((entrypoint) => ({ entrypoint, module: '/policy.wasm' })),
    metadata: { portcullis: metadata },
  };
  const data = metadata.approval ? bundleData(policy) : policy.sources.data;
  return new Map([
    ['.manifest', Buffer.from(canonicalJson(manifest))],
    ['data.json', Buffer.from(canonicalJson(data))],
    ['policy.wasm', wasm],
    ...modules.map(({ path, text }): [string, Uint8Array] => [path, Buffer.from(text)]),
  ]);
}
