/** What an error of the operating system means for whoever gave the path or the address. */

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EADDRINUSE: 'another process listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  EEXIST: 'a file is in the way',
  EIO: 'the disk fails',
  EISDIR: 'it is a folder',
  ELOOP: 'its links run in a circle',
  EMFILE: 'this process has too many files open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is a file',
  ENOTFOUND: 'the host name is unknown',
  EPERM: 'this user may not',
  EROFS: 'the file system is read-only',
};

/** The reason in words, or the error's code where it has none here. */
export function systemReason(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | null | undefined)?.code ?? 'unknown';
  return REASONS[code] ?? `error ${code}`;
}
