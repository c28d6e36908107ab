import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makePrivateFolder } from '../../src/contract/private_folder.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-folder-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('missing parents are made too, for this user only, and named from the outermost', () => {
  const made = ['a', 'a/b', 'a/b/c'].map((path) => join(folder, path));
  expect(makePrivateFolder(join(folder, 'a/b/c'))).toEqual(made);
  expect(made.map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
  expect(makePrivateFolder(join(folder, 'a/b/c'))).toEqual([]);
});

test('a folder that is there stays as it is, also behind a link', () => {
  mkdirSync(join(folder, 'real'), { mode: 0o755 });
  symlinkSync('real', join(folder, 'link'));
  expect(makePrivateFolder(join(folder, 'link/inner'))).toEqual([join(folder, 'link/inner')]);
  expect(statSync(join(folder, 'real')).mode & 0o777).toBe(0o755);
});

test.each([
  ['a file on the way', 'file/inner', 'ENOTDIR'],
  ['a file in its place', 'file', 'EEXIST'],
  ['a link that leads nowhere', 'nowhere', 'EEXIST'],
])('%s is an error that names the place', (_what, path, code) => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync('absent', join(folder, 'nowhere'));
  const place: unknown = expect.objectContaining({ code, path: join(folder, path) });
  expect(() => makePrivateFolder(join(folder, path))).toThrow(place);
});
