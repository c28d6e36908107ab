/** The disk of this machine, as far as a file system shows it without a power loss. */
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { nodeFiles } from '../../src/evidence/files.ts';
import { prerequisite } from '../support/prerequisite.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-files-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('bytes are written and read where it is said, and cut off', async () => {
  const file = nodeFiles.open(join(folder, 'a'), 'create');
  expect([file.write(Buffer.from('abcdef'), 0), file.write(Buffer.from('XY'), 2)]).toEqual([6, 2]);
  file.truncate(5);
  expect(file.size_bytes()).toBe(5);
  await file.flush();
  const into = Buffer.alloc(9, '.');
  expect([await file.read(into, 1), String(into)]).toEqual([4, 'bXYe.....']);
  expect(await file.read(into, 5)).toBe(0);
  file.close();
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('abXYe');
});

test('a file is made only where none is, and used only where one is', () => {
  const path = join(folder, 'a');
  for (const use of ['read', 'write'] as const) {
    expect(() => nodeFiles.open(path, use)).toThrow('ENOENT');
  }
  nodeFiles.open(path, 'create').close();
  expect(() => nodeFiles.open(path, 'create')).toThrow('EEXIST');
  const file = nodeFiles.open(path, 'read');
  expect(() => file.write(Buffer.from('a'), 0)).toThrow('EBADF');
  file.close();
});

test('a file that was closed can be neither used nor flushed', async () => {
  const file = nodeFiles.open(join(folder, 'a'), 'create');
  file.close();
  expect(() => file.size_bytes()).toThrow('EBADF');
  expect(() => file.write(Buffer.from('a'), 0)).toThrow('EBADF');
  expect(() => file.truncate(0)).toThrow('EBADF');
  await expect(file.read(Buffer.alloc(1), 0)).rejects.toMatchObject({ code: 'EBADF' });
  await expect(file.flush()).rejects.toMatchObject({ code: 'EBADF' });
});

test('a folder that is not there cannot be flushed', async () => {
  const absent = nodeFiles.flushDirectory(join(folder, 'absent'));
  await expect(absent).rejects.toMatchObject({ code: 'ENOENT' });
});

test('flushing a folder leaves nothing open', async () => {
  const lowest = (): number => {
    const fd = openSync(folder, 'r');
    closeSync(fd);
    return fd;
  };
  const before = lowest();
  for (let times = 0; times < 20; times += 1) await nodeFiles.flushDirectory(folder);
  expect(lowest()).toBeLessThan(before + 20);
});

test('elapsed time is in microseconds', () => {
  const outer_ms = performance.now();
  const from_us = nodeFiles.elapsed_us();
  const inner_ms = performance.now();
  while (performance.now() < inner_ms + 2);
  const until_ms = performance.now();
  const elapsed_us = nodeFiles.elapsed_us() - from_us;
  expect(elapsed_us).toBeGreaterThanOrEqual((until_ms - inner_ms) * 1000);
  expect(elapsed_us).toBeLessThanOrEqual((performance.now() - outer_ms) * 1000);
});

prerequisite(
  '/proc',
  process.platform === 'linux',
  'run it on Linux',
)('a failing flush', () => {
  test('of a folder is told, and leaves nothing open', async () => {
    // The kernel has nothing there to flush.
    await expect(nodeFiles.flushDirectory('/proc')).rejects.toMatchObject({ code: 'EINVAL' });
  });
});
