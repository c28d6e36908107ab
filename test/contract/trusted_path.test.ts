import { chmodSync, lchownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { findPathFault } from '../../src/contract/trusted_path.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';

let top: string;
let file: string;
beforeEach(() => {
  top = temporaryDirectory();
  file = join(top, 'a', 'b', 'file');
  mkdirSync(join(top, 'a', 'b'), { recursive: true });
  writeFileSync(file, '');
  for (const path of ['a', 'a/b', 'a/b/file']) chmodSync(join(top, path), 0o755);
});

function writable(...places: string[]): string {
  const names = places.map((place) => `\`${place}\``).join(', ');
  return `${names} can be written by others (run: chmod go-w ${places.join(' ')})`;
}

test('a file that only we can write, in folders of ours, is trusted', () => {
  expect(findPathFault(file)).toBeUndefined();
  expect(findPathFault(join(top, 'a', 'b'))).toBeUndefined();
  expect(findPathFault('/')).toBeUndefined();
});

test.each([0o775, 0o757, 0o722])('a file or any folder above it of mode %o is named', (mode) => {
  for (const place of [join(top, 'a', 'b', 'file'), join(top, 'a', 'b'), join(top, 'a')]) {
    chmodSync(place, mode);
    expect(findPathFault(file)).toBe(writable(place));
    chmodSync(place, 0o755);
  }
});

test('one command mends all that is writable', () => {
  for (const place of [file, join(top, 'a')]) chmodSync(place, 0o777);
  expect(findPathFault(file)).toBe(writable(join(top, 'a'), file));
});

test('the command quotes a path that a shell would take apart', () => {
  const odd = join(top, "it's odd");
  writeFileSync(odd, '');
  chmodSync(odd, 0o666);
  expect(findPathFault(odd)).toContain(`(run: chmod go-w '${top}/it'\\''s odd')`);
});

test('others may write a sticky folder on the way, but not one that is itself asked about', () => {
  chmodSync(join(top, 'a'), 0o1777);
  expect(findPathFault(file)).toBeUndefined();
  expect(findPathFault(join(top, 'a'))).toBe(writable(join(top, 'a')));
});

test('what lies inside is judged too, and there no folder may be sticky', () => {
  chmodSync(join(top, 'a', 'b'), 0o1777);
  expect(findPathFault(join(top, 'a'))).toBeUndefined();
  expect(findPathFault(join(top, 'a'), ['b', 'b/file'])).toBe(writable(join(top, 'a', 'b')));
});

test('a link is as good as the folder that holds it and the place that it names', () => {
  const link = join(top, 'link');
  mkdirSync(join(top, 'open'));
  symlinkSync('a/b/../b/file', link);
  symlinkSync(join(top, 'a', 'b'), join(top, 'open', 'link'));
  chmodSync(join(top, 'open'), 0o755);
  expect(findPathFault(link)).toBeUndefined();
  expect(findPathFault(join(top, 'open', 'link', 'file'))).toBeUndefined();
  chmodSync(join(top, 'open'), 0o777);
  expect(findPathFault(join(top, 'open', 'link', 'file'))).toBe(writable(join(top, 'open')));
  chmodSync(join(top, 'a'), 0o777);
  expect(findPathFault(link)).toBe(writable(join(top, 'a')));
});

test('a folder that the way passes twice is named once', () => {
  const link = join(top, 'link');
  symlinkSync('./a//b/../b/./file', link);
  chmodSync(join(top, 'a'), 0o777);
  chmodSync(join(top, 'a', 'b'), 0o777);
  expect(findPathFault(link)).toBe(writable(join(top, 'a'), join(top, 'a', 'b')));
});

test('as many links are followed as the system follows', () => {
  let link = file;
  for (let links = 1; links <= 40; links += 1) {
    symlinkSync(link, join(top, `link${links}`));
    link = join(top, `link${links}`);
  }
  expect([findPathFault(link), statSync(link).isFile()]).toEqual([undefined, true]);
  symlinkSync(link, join(top, 'link41'));
  for (const follow of [findPathFault, statSync]) {
    expect(() => follow(join(top, 'link41'))).toThrow(expect.objectContaining({ code: 'ELOOP' }));
  }
});

test('a link that leads in a circle, and a path where nothing lies, throw', () => {
  symlinkSync('circle', join(top, 'circle'));
  expect(() => findPathFault(join(top, 'circle'))).toThrow('too many links');
  expect(() => findPathFault(join(top, 'absent'))).toThrow('ENOENT');
});

const { geteuid } = process;
afterEach(() => {
  Object.assign(process, { geteuid });
});

/** Root gives the file away; who cannot do that is taken for another user instead. */
function giveAway(path: string): void {
  if (process.geteuid?.() === 0) lchownSync(path, 65_534, 65_534);
  else Object.assign(process, { geteuid: () => 65_534 });
}

test('what belongs to root, and to the user who asks, is trusted', () => {
  if (process.geteuid?.() === 0) {
    for (const path of ['', 'a', 'a/b', 'a/b/file']) lchownSync(join(top, path), 65_534, 65_534);
    Object.assign(process, { geteuid: () => 65_534 });
  }
  expect(findPathFault(file)).toBeUndefined();
});

test('where the system has no users, only what belongs to root is trusted', () => {
  giveAway(file);
  Object.assign(process, { geteuid: undefined });
  expect(findPathFault(file)).toMatch(/^`.*` belongs to another user$/);
});

test('what belongs to another user is not trusted, whatever its mode', () => {
  chmodSync(file, 0o400);
  giveAway(file);
  expect(findPathFault(file)).toMatch(/^`.*` belongs to another user$/);
});

test('a link of another user is not trusted, wherever it leads', () => {
  const link = join(top, 'link');
  symlinkSync(file, link);
  giveAway(link);
  expect(findPathFault(link)).toMatch(/^`.*` belongs to another user$/);
});
