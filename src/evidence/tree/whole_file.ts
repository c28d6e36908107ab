/** Small files beside the log, which are read and replaced whole. */
import { join } from 'node:path';
import { PortcullisError } from '../../errors.ts';
import type { EvidenceFile, EvidenceFiles } from '../files.ts';
import { writeFully } from '../recovery.ts';
import { readExactly } from '../segment.ts';

/** The bytes of a file as text; undefined where there is none. Throws `EVIDENCE_DAMAGED` above. */
export async function readWhole(
  files: EvidenceFiles,
  path: string,
  size_bytes_max: number,
): Promise<string | undefined> {
  const file = openThere(files, path, 'read');
  if (!file) return undefined;
  try {
    const size_bytes = file.size_bytes();
    if (size_bytes > size_bytes_max) {
      throw new PortcullisError('EVIDENCE_DAMAGED', `\`${path}\` is not what was written`);
    }
    return (await readExactly(file, 0, size_bytes)).toString('utf8');
  } finally {
    file.close();
  }
}

/** Replaces a file durably: whoever looks, now or after a crash, finds the old or the new one. */
export async function replaceFile(
  files: EvidenceFiles,
  directory: string,
  name: string,
  text: string,
): Promise<void> {
  const path = join(directory, name);
  const draft = `${path}.new`;
  await writeFile(files, draft, Buffer.from(text));
  files.rename(draft, path);
  await files.flushDirectory(directory);
}

/** Makes the bytes of a file durable, but not its name. */
export async function writeFile(
  files: EvidenceFiles,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  const file = openThere(files, path, 'write') ?? files.open(path, 'create');
  try {
    file.truncate(0);
    writeFully(file, bytes, 0);
    await file.flush();
  } finally {
    file.close();
  }
}

/** Opens a file, if there is one. */
export function openThere(
  files: EvidenceFiles,
  path: string,
  use: 'read' | 'write',
): EvidenceFile | undefined {
  try {
    return files.open(path, use);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
