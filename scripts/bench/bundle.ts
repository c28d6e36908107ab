/** Builds reference policies as `portcullis build` does, and lays them out for each system. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { layPolicyData, readBundle } from '../../src/bundle/bundle.ts';
import { writeBundle } from '../../src/bundle/files.ts';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { opaAt } from '../../src/toolchain/opa_run.ts';
import { gatherSources, readSources } from '../../src/toolchain/sources.ts';
import { referencePolicy, type PolicyKind } from './policy.ts';
import { readSettings } from '../../src/cli/policy_tools.ts';

/** A policy that was built. */
export interface Built {
  kind: PolicyKind;
  packages: number;
  /** Path of the bundle, which both systems read. */
  bundle: string;
  /** Folder of its Rego and data, unpacked: the other way in which OPA takes a policy. */
  sources: string;
  entrypoint: string;
  /** Digest of the arguments that a guard sends, which it states in each request. */
  projection: string;
}

const LIBRARY = join(import.meta.dirname, '../../policies/mcp');

export async function buildReference(
  opa: string,
  kind: PolicyKind,
  packages: number,
  folder: string,
): Promise<Built> {
  const { files, entrypoint } = referencePolicy(kind, packages);
  const { policy, toolchain } = readSettings();
  const library = kind === 'library' ? readSources(LIBRARY, policy) : [];
  const options = kind === 'library' ? {} : { entrypoint };
  const built = await buildPolicy(opaAt(opa, toolchain), gatherSources(files, library), options);
  const name = `${kind}_${packages}`;
  const bundle = join(folder, `${name}.tar.gz`);
  const sources = join(folder, name);
  writeFileSync(bundle, writeBundle(built.files));
  // The index that the decision point lays beside the data is part of the same question.
  const laid = layPolicyData(readBundle(built.files));
  const data = Buffer.from(JSON.stringify(laid.data));
  for (const [path, bytes] of [...built.files, ['data.json', data] as const]) {
    if (!/\.(rego|json)$/u.test(path)) continue;
    mkdirSync(dirname(join(sources, path)), { recursive: true });
    writeFileSync(join(sources, path), bytes);
  }
  return { kind, packages, bundle, sources, entrypoint, projection: laid.projection.digest };
}
