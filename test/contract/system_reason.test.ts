import { lstatSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { systemReason } from '../../src/contract/system_reason.ts';

/** What whoever gave the path or the address reads, pinned. */
const TOLD = {
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

test.each(Object.entries(TOLD))('%s is told as: %s', (code, told) => {
  expect(systemReason(Object.assign(new Error(`${code}: /secret`), { code }))).toBe(told);
});

test('an error of the system itself is told', () => {
  let told = 'nothing';
  try {
    lstatSync(`${import.meta.filename}/inner`);
  } catch (cause) {
    told = systemReason(cause);
  }
  expect(told).toBe(TOLD.ENOTDIR);
});

test('an error without words here is told by its code, and never by its text', () => {
  expect(systemReason({ code: 'EXDEV', message: 'secret' })).toBe('error EXDEV');
  for (const cause of [new Error('secret'), undefined, null]) {
    expect(systemReason(cause)).toBe('error unknown');
  }
});
