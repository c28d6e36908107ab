/** Files that somebody else wrote, read within a limit. */
import { open } from 'node:fs/promises';
import { systemReason } from '../contract/system_reason.ts';
import { PortcullisError } from '../errors.ts';

/**
 * The bytes of a file, of a longer one no more than one byte above the most; undefined where there
 * is none. Rejects with the errors of `node:fs`.
 */
export async function readAtMost(path: string, bytes_max: number): Promise<Buffer | undefined> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  if (!file) return undefined;
  try {
    const chunks: Buffer[] = [];
    const stream = file.createReadStream({ start: 0, end: bytes_max, autoClose: false });
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    await file.close();
  }
}

/** The same of a file that was named on the command line. Rejects with `ARGUMENT_INVALID`. */
export async function readGiven(path: string, bytes_max: number): Promise<Buffer> {
  try {
    const bytes = await readAtMost(path, bytes_max);
    if (bytes) return bytes;
  } catch (cause) {
    const message = `\`${path}\` cannot be read: ${systemReason(cause)}`;
    throw new PortcullisError('ARGUMENT_INVALID', message, { cause });
  }
  throw new PortcullisError('ARGUMENT_INVALID', `there is no file \`${path}\``);
}
