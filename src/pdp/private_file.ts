/** Files with secrets: only their owner, we or root, can read them or put others in their place. */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { makePrivateFolder } from '../contract/private_folder.ts';
import { systemReason } from '../contract/system_reason.ts';
import { findPathFault } from '../contract/trusted_path.ts';
import { PortcullisError } from '../errors.ts';

const OPEN_TO_OTHERS = 0o077;
const ROOT = 0;

/** A file by its path, and by what it is, such as `token file`, for messages. */
export interface PrivateFile {
  path: string;
  what: string;
}

/** The bytes of the file. Throws `CONFIGURATION_INVALID` where it is absent or not private. */
export function readPrivateFile(file: PrivateFile): Uint8Array {
  try {
    requirePrivate(file);
    return readFileSync(file.path);
  } catch (cause) {
    if (cause instanceof PortcullisError) throw cause;
    throw privateFileFault(file, `cannot be read: ${systemReason(cause)}`, { cause });
  }
}

/**
 * Makes the file, unless there is one. It appears whole or not at all, because another process that
 * starts at the same moment reads it. Throws `CONFIGURATION_INVALID`.
 */
export function ensurePrivateFile(file: PrivateFile, textOf: () => string): void {
  const { path } = file;
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    makePrivateFolder(dirname(path));
    if (existsSync(path)) return;
    writeFileSync(draft, textOf(), { mode: 0o600, flag: 'wx' });
    publish(draft, path);
  } catch (cause) {
    throw privateFileFault(file, `cannot be made: ${systemReason(cause)}`, { cause });
  }
}

/**
 * Replaces the text of the file, at once for whoever reads it meanwhile. The draft is made before
 * the file is read, and only once, so that no change by another process is lost.
 */
export function changePrivateFile(file: PrivateFile, textOf: () => string): void {
  const draft = `${file.path}.new`;
  makePrivateFolder(dirname(file.path));
  let made = false;
  try {
    const descriptor = openSync(draft, 'wx', 0o600);
    made = true;
    try {
      writeFileSync(descriptor, textOf());
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(draft, file.path);
  } catch (cause) {
    if (made) rmSync(draft, { force: true });
    if (cause instanceof PortcullisError) throw cause;
    throw privateFileFault(file, cannotChange(draft, cause), { cause });
  }
}

function cannotChange(draft: string, cause: unknown): string {
  const { code } = cause as NodeJS.ErrnoException;
  if (code !== 'EEXIST') return `cannot be written: ${systemReason(cause)}`;
  return `is being changed by another command; if there is none, one was killed: rm ${draft}`;
}

/** What is wrong with the file, never with what stands in it. */
export function privateFileFault(
  { path, what }: PrivateFile,
  fault: string,
  detail: { cause?: unknown } = {},
): PortcullisError {
  return new PortcullisError('CONFIGURATION_INVALID', `the ${what} \`${path}\` ${fault}`, detail);
}

/** A link, unlike a rename, never replaces what another process made in between. */
function publish(draft: string, path: string): void {
  try {
    linkSync(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
}

function requirePrivate(file: PrivateFile): void {
  const { path } = file;
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) throw privateFileFault(file, 'does not exist');
  if (!found.isFile()) throw privateFileFault(file, 'is no file');
  if (found.uid !== ROOT && found.uid !== process.geteuid?.()) {
    throw privateFileFault(file, 'belongs to another user');
  }
  if ((found.mode & OPEN_TO_OTHERS) !== 0) {
    throw privateFileFault(file, `is open to others (run: chmod 600 ${path})`);
  }
  const fault = findPathFault(dirname(path));
  if (fault) throw privateFileFault(file, `is not safe where it is: ${fault}`);
}
