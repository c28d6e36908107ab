/** The file of a static RBAC policy, read strictly; what it says is judged by whoever decides. */
import { stat } from 'node:fs/promises';
import { digestOfBytes } from '../contract/digest.ts';
import { JSON_LIMITS, type JsonLimits } from '../contract/json.ts';
import type { Policy } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { REVISION_CHARACTERS } from './bundle.ts';
import { readBounded } from './files.ts';
import type { PolicyPlace, PolicyReader } from './policy_files.ts';
import { requireTrusted } from './trust.ts';
import { parseYaml } from './yaml_data.ts';

export interface RbacFile {
  /** Over the bytes of the file; the revision is cut from the digest. */
  identity: Required<Policy>;
  value: unknown;
  /** `PATH, line 3, column 5` for a JSON Pointer into the value. */
  place(pointer: string): string;
}

/** As a configuration file; who has more to say writes data for a compiled policy. */
const SIZE_BYTES_MAX = 1_048_576;
const LIMITS: JsonLimits = { ...JSON_LIMITS, size_bytes_max: SIZE_BYTES_MAX };

export const RBAC_FILES: PolicyReader<RbacFile> = { code: 'RBAC_INVALID', read: readRbacFile };

async function readRbacFile({ bundle: path }: PolicyPlace): Promise<RbacFile> {
  const bytes = await readBytes(path);
  const result = parseYaml(bytes, LIMITS);
  if (!result.ok) throw invalid(`\`${path}\` cannot be read: ${result.why}`);
  const digest = digestOfBytes(bytes);
  const start = 'sha256:'.length;
  return {
    identity: { revision: digest.slice(start, start + REVISION_CHARACTERS), digest },
    value: result.value,
    place: (pointer) => `\`${path}\`, ${result.place(pointer)}`,
  };
}

/** Of a pipe or a device nobody knows the size, and reading it may never end. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    if (!(await stat(path)).isFile()) throw invalid(`\`${path}\` is no file`);
    await requireTrusted('file of roles', path, 1);
    return await readBounded(path, SIZE_BYTES_MAX);
  } catch (cause) {
    const isTold = cause instanceof PortcullisError && cause.code !== 'BUNDLE_INVALID';
    if (isTold) throw cause;
    throw invalid(
      cause instanceof PortcullisError ? cause.message : `cannot read \`${path}\``,
      cause,
    );
  }
}

function invalid(message: string, cause?: unknown): PortcullisError {
  return new PortcullisError('RBAC_INVALID', message, { cause });
}
