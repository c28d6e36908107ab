/** Names the error of a disk and what to do about it. */
import { PortcullisError } from '../errors.ts';

/** An `EVIDENCE_UNWRITABLE` that tells the code of its cause. */
export function unwritable(message: string, cause?: unknown): PortcullisError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  const told = code === undefined ? message : `${message} (${adviceOn(code)})`;
  return new PortcullisError('EVIDENCE_UNWRITABLE', told, { cause });
}

function adviceOn(code: string): string {
  const advice = ADVICE[code];
  return advice === undefined ? code : `${code}: ${advice}`;
}

const OWN_IT = 'let this user own it, or name another directory in evidence.directory';

/** What helps against an error of the disk. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: OWN_IT,
  EPERM: OWN_IT,
  // The lock's file could not be opened.
  ERR_SQLITE_ERROR: OWN_IT,
  EROFS: 'it is read-only; name a directory on another disk in evidence.directory',
  ENOENT: 'no folder can be made there; name another in evidence.directory',
  ENOTDIR: 'a part of the path is a file; name another in evidence.directory',
  EEXIST: 'a part of the path is a file; name another in evidence.directory',
  ENOSPC: 'the disk is full; free some and start again',
  EDQUOT: 'the quota is used up; free some and start again',
  EIO: 'the disk fails; replace it and start again',
};
