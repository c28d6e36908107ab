/** The lock within a process; processes.test.ts has it across processes. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { lockDirectory } from '../../src/evidence/lock.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';

test('a directory has one holder, until it is released', () => {
  const directory = temporaryDirectory();
  const release = lockDirectory(directory);
  // The refused one does not drop the lock of the first.
  for (let times = 0; times < 2; times += 1) {
    expect(() => lockDirectory(directory)).toThrow(
      expect.objectContaining({
        code: 'EVIDENCE_LOCKED',
        message: `another process writes to the evidence directory \`${directory}\``,
        cause: expect.objectContaining({ message: 'database is locked' }),
      }),
    );
  }
  release();
  lockDirectory(directory)();
});

test('two directories have two holders', () => {
  const releases = [temporaryDirectory(), temporaryDirectory()].map(lockDirectory);
  for (const release of releases) release();
});

test('the lock is a file for this user only, with nothing in it', () => {
  const directory = temporaryDirectory();
  lockDirectory(directory)();
  const { mode, size } = statSync(join(directory, 'lock'));
  expect([mode & 0o777, size]).toEqual([0o600, 0]);
});

test('why a directory cannot be used is told as the system says it', () => {
  const directory = temporaryDirectory();
  expect(() => lockDirectory(join(directory, 'absent'))).toThrow('ENOENT');
  writeFileSync(join(directory, 'file'), '');
  expect(() => lockDirectory(join(directory, 'file', 'inner'))).toThrow('ENOTDIR');
});

test('what is no lock is not told as somebody who holds one', () => {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, 'lock'));
  const other = temporaryDirectory();
  writeFileSync(join(other, 'lock'), 'not a lock'.repeat(1000));
  for (const directory of [folder, other]) {
    expect(() => lockDirectory(directory)).toThrow(
      expect.objectContaining({ code: 'ERR_SQLITE_ERROR' }),
    );
  }
});
