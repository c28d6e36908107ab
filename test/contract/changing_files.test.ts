/** Files that change while they are used: when they are looked at, and what is seen. */
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readAsTheyChange, versionOf } from '../../src/contract/changing_files.ts';

const START_MS = Date.UTC(2027, 0, 1);
let now_ms: number;
let folder: string;
let first: string;
let second: string;
/** How often the files were read. */
let reads: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'portcullis-changing-'));
  [first, second] = [join(folder, 'first'), join(folder, 'second')];
  writeFileSync(first, 'a');
  writeFileSync(second, 'b');
  now_ms = START_MS;
  reads = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What stands in both, and what did before. */
function watched(): () => { text: string; before: string | undefined } {
  const clock = { now_ms: () => now_ms };
  return readAsTheyChange<{ text: string; before: string | undefined }>(
    [first, second],
    clock,
    (before) => {
      reads += 1;
      const text = [first, second].map((path) => readFileSync(path, 'utf8')).join('');
      return { text, before: before?.text };
    },
  );
}

test('nothing is read before somebody asks', () => {
  watched();
  expect(reads).toBe(0);
});

test('what does not change is read once, and is the same object', () => {
  const current = watched();
  const found = current();
  expect(found).toEqual({ text: 'ab', before: undefined });
  for (let seconds = 0; seconds < 5; seconds += 1, now_ms += 1000) expect(current()).toBe(found);
  expect(reads).toBe(1);
});

test.each([
  [999, 'ab'],
  [1000, 'xb'],
  [-999, 'ab'],
  [-1000, 'xb'],
])('a change is seen a second after the last look: %d ms', (later_ms, text) => {
  const current = watched();
  current();
  writeFileSync(first, 'x');
  now_ms += later_ms;
  expect(current().text).toBe(text);
});

test('a look that saw no change is the last one too', () => {
  const current = watched();
  current();
  now_ms += 1000;
  current();
  writeFileSync(second, 'xyz');
  now_ms += 999;
  expect(current().text).toBe('ab');
  now_ms += 1;
  expect(current()).toEqual({ text: 'axyz', before: 'ab' });
});

describe('a file is another one', () => {
  const changes: [how: string, change: () => void][] = [
    ['longer', () => writeFileSync(first, 'aa')],
    ['with other permissions', () => chmodSync(first, 0o640)],
    [
      'replaced',
      () => {
        writeFileSync(`${first}.new`, 'a');
        renameSync(`${first}.new`, first);
      },
    ],
  ];
  test.each(changes)('that is %s', (_how, change) => {
    const current = watched();
    current();
    change();
    now_ms += 1000;
    current();
    expect(reads).toBe(2);
  });

  test('by its inode, its size, and both of its times', () => {
    const stats = statSync(first, { bigint: true });
    const changed = (['ino', 'size', 'mtimeNs', 'ctimeNs'] as const).map((name) =>
      versionOf({ ...stats, [name]: stats[name] + 1n }),
    );
    expect(new Set([versionOf(stats), ...changed]).size).toBe(5);
    const alike = { ...stats, ino: 1n, size: 12n };
    expect(versionOf(alike)).not.toBe(versionOf({ ...stats, ino: 11n, size: 2n }));
  });
});

test('two files that changed places are others', () => {
  const current = watched();
  current();
  renameSync(first, `${first}.kept`);
  renameSync(second, first);
  renameSync(`${first}.kept`, second);
  now_ms += 1000;
  expect(current()).toEqual({ text: 'ba', before: 'ab' });
});

describe('what cannot be read', () => {
  test('is thrown to whoever asks, each time until it can', () => {
    const current = watched();
    rmSync(first);
    for (let times = 0; times < 3; times += 1) expect(current).toThrow('ENOENT');
    writeFileSync(first, 'n');
    expect(current()).toEqual({ text: 'nb', before: undefined });
  });

  test('later does not leave what was read before', () => {
    const current = watched();
    current();
    rmSync(first);
    now_ms += 1000;
    for (let times = 0; times < 3; times += 1) expect(current).toThrow('ENOENT');
    writeFileSync(first, 'n');
    expect(current()).toEqual({ text: 'nb', before: undefined });
  });
});
