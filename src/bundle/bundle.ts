/** A standard OPA bundle with a WASM policy, and the policy data that is laid over it. */
import { digestOf } from '../contract/digest.ts';
import type { BundleMetadata, Policy, Projection } from '../contract/types.gen.ts';
import { isObject, readData, type Data } from './data_files.ts';
import { digestOfFiles, invalid, type BundleFiles } from './files.ts';
import { readManifest, type Manifest } from './manifest.ts';
import { preparePolicyData } from './policy_data.ts';

export interface Bundle {
  manifest: Manifest;
  wasm: Uint8Array;
  data: Data;
  /** Over every file of the bundle. */
  digest: string;
}

/** A bundle together with the data laid over it: everything that a decision depends on. */
export interface PolicyBundle {
  identity: Required<Policy>;
  wasm: Uint8Array;
  /** What the policy reads as `data`. */
  data: Data;
  projection: Projection;
  /** Absent where only OPA built the bundle. */
  metadata: BundleMetadata | undefined;
}

/** A policy with this entrypoint is the policy library, whoever built it. */
const LIBRARY_ENTRYPOINT = 'mcp/main/decision';

/** Revisions are cut from the digest where a bundle states none. */
export const REVISION_CHARACTERS = 12;

/** Reads the files of a bundle. Throws `BUNDLE_INVALID`, or `DATA_INVALID` for its data. */
export function readBundle(files: BundleFiles): Bundle {
  const manifest = readManifest(files.get('.manifest'));
  const wasm = files.get(modulePath(manifest));
  if (!wasm) throw invalid(`it is no bundle: it holds no \`${modulePath(manifest)}\``);
  const data = readData(files);
  refuseForeignData(data, manifest.roots);
  return { manifest, wasm, data, digest: digestOfFiles(files) };
}

function modulePath(manifest: Manifest): string {
  const modules = new Set(manifest.wasm.map(({ module }) => module.replace(/^\//, '')));
  if (modules.size > 1) throw invalid('the bundle spreads its entrypoints over several modules');
  const [path = 'policy.wasm'] = modules;
  return path;
}

/** Data outside the roots belongs to another bundle, as in OPA. */
function refuseForeignData(data: Data, roots: readonly string[]): void {
  const paths = roots.map((root) => root.split('/').filter((segment) => segment !== ''));
  const isOwned = (value: unknown, at: string[]): boolean => {
    if (paths.some((root) => root.every((segment, i) => at[i] === segment))) return true;
    const leadsToRoot = paths.some((root) => at.every((segment, i) => root[i] === segment));
    if (!leadsToRoot || !isObject(value)) return false;
    return Object.entries(value).every(([name, inner]) => isOwned(inner, [...at, name]));
  };
  if (!isOwned(data, [])) throw invalid('the bundle holds data outside the roots of its .manifest');
}

/**
 * Lays data over a bundle: each root of `overlay` replaces the bundle's root of that name. Throws
 * `DATA_INVALID` with a pointer.
 */
export function layPolicyData(bundle: Bundle, overlay?: Data): PolicyBundle {
  const { manifest, wasm } = bundle;
  const digest = overlay ? digestOf([bundle.digest, digestOf(overlay)]) : bundle.digest;
  const revision =
    manifest.revision || digest.slice('sha256:'.length, 'sha256:'.length + REVISION_CHARACTERS);
  return {
    identity: { revision, digest },
    wasm,
    ...preparePolicyData({
      own: bundle.data,
      overlay,
      metadata: manifest.portcullis,
      library: manifest.wasm.some(({ entrypoint }) => entrypoint === LIBRARY_ENTRYPOINT),
    }),
    metadata: manifest.portcullis,
  };
}
