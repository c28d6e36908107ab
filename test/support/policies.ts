/** Compiled policies for the tests of the engine, the bundles and the decisions. */
import { loadEngine } from '../../src/engine/engine.ts';
import type { Engine, EngineLimits } from '../../src/engine/types.ts';
import type { Logger } from '../../src/telemetry/logger.ts';
import {
  buildPolicy,
  compileWasm,
  type BuildOptions,
  type BuiltPolicy,
} from '../../src/toolchain/build.ts';
import type { Sources } from '../../src/toolchain/sources.ts';
import { opa, SILENT } from './toolchain.ts';

export const LIMITS: EngineLimits = {
  input_bytes_max: 1_048_576,
  evaluations_per_instance_max: 1_000_000,
  memory_pages_max: 1024,
};

const compiled = new Map<string, Promise<Uint8Array>>();

/** The module of some Rego; each text is compiled once for a test file. */
export function wasmOf(rego: string, ...entrypoints: string[]): Promise<Uint8Array> {
  const key = JSON.stringify([rego, entrypoints]);
  const known = compiled.get(key);
  if (known) return known;
  const module = compileWasm(opa, [{ path: 'policy.rego', text: rego }], entrypoints);
  compiled.set(key, module);
  return module;
}

const built = new Map<string, Promise<BuiltPolicy>>();

/** What a build makes of some sources; they are built once for a test file. */
export function builtOf(sources: Sources, options: BuildOptions = {}): Promise<BuiltPolicy> {
  const key = JSON.stringify([sources.digest, options]);
  const known = built.get(key);
  if (known) return known;
  const made = buildPolicy(opa, sources, options);
  built.set(key, made);
  return made;
}

export async function engineOf(
  rego: string,
  entrypoints: string[],
  options: { data?: object; limits?: Partial<EngineLimits>; log?: Logger } = {},
): Promise<Engine> {
  const wasm = await wasmOf(rego, ...entrypoints);
  const limits = { ...LIMITS, ...options.limits };
  return loadEngine({ wasm, data: options.data ?? {}, limits, log: options.log ?? SILENT });
}
