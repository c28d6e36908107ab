/** What lies at the place of a policy, and how it is read. */
import { stat } from 'node:fs/promises';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';
import { about, named } from './about.ts';
import { layPolicyData, readBundle, type PolicyBundle } from './bundle.ts';
import { invalidData, isDataFile, readData, readDataFile, type Data } from './data_files.ts';
import { listFolder, readBounded, readFiles, type BundleLimits } from './files.ts';
import { requireTrusted } from './trust.ts';

/** Where a policy lies. */
export interface PolicyPlace {
  /** Bundle archive or folder. */
  bundle: string;
  /** Data laid over it: a YAML or JSON file, or a folder of `data.json` and `data.yaml`. */
  data: string | null;
}

/** What the files at a place are read as. */
export interface PolicyReader<Candidate> {
  /** Of what cannot be read there. */
  code: 'BUNDLE_INVALID' | 'RBAC_INVALID';
  /** Rejects with `POLICY_UNTRUSTED`, or with the codes of what it reads. */
  read(place: PolicyPlace, limits: BundleLimits): Promise<Candidate>;
}

/** A bundle, and the data over it. */
export const BUNDLES: PolicyReader<PolicyBundle> = { code: 'BUNDLE_INVALID', read: readPolicy };

/**
 * Reads the bundle and the data over it. Throws `POLICY_UNTRUSTED`, `BUNDLE_INVALID` or
 * `DATA_INVALID`.
 */
async function readPolicy(
  { bundle: path, data }: PolicyPlace,
  settings: BundleLimits,
): Promise<PolicyBundle> {
  const { files_max } = settings;
  await requireTrusted('bundle', path, files_max);
  const bundle = await about(path, async () => readBundle(await readFiles(path, settings)));
  if (data === null) return about(path, () => layPolicyData(bundle));
  await requireTrusted('policy data', data, files_max);
  const overlay = await about(data, () => readOverlay(data, settings));
  try {
    return layPolicyData(bundle, overlay);
  } catch (error) {
    throw named(rootOf(error) in overlay ? data : path, error);
  }
}

/** The root of the data that an error speaks of: each comes from one of the two, whole. */
function rootOf(error: unknown): string {
  const pointer = error instanceof PortcullisError ? error.pointer : undefined;
  return pointer?.split('/')[1] ?? '';
}

async function readOverlay(path: string, limits: BundleLimits): Promise<Data> {
  try {
    if ((await stat(path)).isFile()) {
      return readDataFile(path, await readBounded(path, limits.unpacked_bytes_max));
    }
    const stray = (await listFolder(path, limits.files_max)).find(isStrayData);
    if (stray !== undefined)
      throw invalidData(`only data.json and data.yaml are read: \`${stray}\``);
    return readData(await readFiles(path, limits));
  } catch (cause) {
    if (cause instanceof PortcullisError && cause.code === 'DATA_INVALID') throw cause;
    throw unreadableAs('DATA_INVALID', path, cause);
  }
}

/** A file that looks like data but would be passed over. */
function isStrayData(path: string): boolean {
  return /\.(?:json|ya?ml)$/.test(path) && !isDataFile(path);
}

export type UnreadableCode = PolicyReader<unknown>['code'] | 'DATA_INVALID';

/** What the system said of a path that cannot be read. */
export function unreadableAs(code: UnreadableCode, path: string, cause: unknown): PortcullisError {
  const isTold = cause instanceof PortcullisError;
  const message = isTold ? cause.message : `cannot read \`${path}\`: ${systemReason(cause)}`;
  return new PortcullisError(code, message, { cause });
}
