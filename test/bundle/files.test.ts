import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { digestOfFiles, writeBundle, type BundleFiles } from '../../src/bundle/files.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  LIMITS,
  paxRecord,
  readFiles,
  tarOf,
  tgzOf,
  unpack,
  type Entry,
} from '../support/archives.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';

function textsOf(files: BundleFiles): Record<string, string> {
  return Object.fromEntries(
    [...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString()]),
  );
}

function refusalOf(run: () => unknown): string {
  try {
    run();
    return 'taken';
  } catch (error) {
    if (error instanceof PortcullisError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

const FILES = new Map([
  ['policy.wasm', Buffer.from('module')],
  ['data.json', Buffer.from('{}')],
  ['tables/limits/data.yaml', Buffer.from('a: 1\n')],
]);

describe('reading an archive', () => {
  test('names may start with a slash, as OPA writes them, or with a dot', () => {
    const archive = tgzOf(
      { name: '/data.json', bytes: '{}' },
      { name: './a/', type: '5' },
      { name: './a/data.json', bytes: '{"b":1}' },
      { name: 'policy.wasm', bytes: Buffer.alloc(700, 'x') },
    );
    expect(textsOf(unpack(archive))).toEqual({
      'data.json': '{}',
      'a/data.json': '{"b":1}',
      'policy.wasm': 'x'.repeat(700),
    });
  });

  test('long names stand in the prefix or in an extended header', () => {
    const long = `${'d'.repeat(120)}/ключ.json`;
    const archive = tgzOf(
      { name: 'data.json', prefix: 'x'.repeat(120), bytes: 'a' },
      { name: 'PaxHeader', type: 'x', bytes: paxRecord('mtime', '1.5') + paxRecord('path', long) },
      { name: 'cut', bytes: 'b' },
      { name: 'data.json', bytes: 'c' },
    );
    expect(textsOf(unpack(archive))).toEqual({
      [`${'x'.repeat(120)}/data.json`]: 'a',
      [long]: 'b',
      'data.json': 'c',
    });
  });

  test('what the tar of this machine writes', () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'in/deep'), { recursive: true });
    writeFileSync(join(folder, 'in/data.json'), '{}');
    writeFileSync(join(folder, 'in/deep/data.yaml'), 'a: 1\n');
    for (const format of ['ustar', 'gnu', 'posix']) {
      const archive = execFileSync('tar', [
        `--format=${format}`,
        '-C',
        join(folder, 'in'),
        '-cz',
        '.',
      ]);
      expect(textsOf(unpack(archive))).toEqual({ 'data.json': '{}', 'deep/data.yaml': 'a: 1\n' });
    }
  });

  const first = { name: 'data.json', bytes: '{}' };
  const neither = 'BUNDLE_INVALID: entry 1: an entry is neither a file nor a folder';
  const elsewhere = 'BUNDLE_INVALID: file 1 has a name that leads elsewhere';
  const unknown = 'BUNDLE_INVALID: entry 1: an extended header is not known';
  const malformed = 'BUNDLE_INVALID: entry 1: an extended header is malformed';
  test.each<[string, Entry, string]>([
    ['a symbolic link', { name: 'a', type: '2', link: '/etc/passwd' }, neither],
    ['a hard link', { name: 'a', type: '1', link: 'data.json' }, neither],
    ['a device', { name: 'a', type: '3' }, neither],
    ['a pipe', { name: 'a', type: '6' }, neither],
    ['a sparse file', { name: 'a', type: 'S' }, neither],
    ['a contiguous file', { name: 'a', type: '7' }, neither],
    ['a global header', { name: 'a', type: 'g', bytes: paxRecord('path', 'x') }, neither],
    ['a name for the next entry', { name: 'a', type: 'L', bytes: 'b' }, neither],
    [
      'a folder with content',
      { name: 'a/', type: '5', bytes: 'x' },
      'BUNDLE_INVALID: entry 1: a folder has content',
    ],
    [
      'a repeated name',
      { name: './data.json', bytes: '1' },
      'BUNDLE_INVALID: file 1 repeats `data.json`',
    ],
    ['a step up', { name: 'a/../../x' }, elsewhere],
    ['an absolute step up', { name: '/../x' }, elsewhere],
    ['a name of dots', { name: '..' }, elsewhere],
    ['two slashes', { name: '//x' }, elsewhere],
    ['a backslash', { name: 'a\\..\\x' }, elsewhere],
    ['a control character', { name: 'a\nb' }, elsewhere],
    [
      'a name that is not UTF-8',
      { name: Uint8Array.of(0x61, 0xff) },
      'BUNDLE_INVALID: entry 1: a name is not UTF-8',
    ],
    ['an empty name', { name: '' }, elsewhere],
    ['a prototype', { name: '__proto__/data.json' }, elsewhere],
    [
      'a size in an extended header',
      { name: 'p', type: 'x', bytes: paxRecord('size', '9') },
      unknown,
    ],
    ['a sparse map', { name: 'p', type: 'x', bytes: paxRecord('GNU.sparse.name', 'x') }, unknown],
    ['a header without a length', { name: 'p', type: 'x', bytes: 'path=x\n' }, malformed],
    ['a header of a wrong length', { name: 'p', type: 'x', bytes: '99 path=x\n' }, malformed],
    [
      'a key of a megabyte',
      { name: 'p', type: 'x', bytes: paxRecord('k'.repeat(900_000), '') },
      unknown,
    ],
    ['a header of no length', { name: 'p', type: 'x', bytes: '0 path=x\n' }, malformed],
    [
      'a size beyond the end',
      { name: 'a', size: 1_000_000 },
      'BUNDLE_INVALID: entry 1: the archive is cut off',
    ],
  ])('%s refuses the whole archive', (_title, entry, refusal) => {
    expect(refusalOf(() => unpack(tgzOf(first, entry)))).toBe(refusal);
  });

  test('a changed header byte fails its checksum', () => {
    const tar = tarOf(first);
    tar[0] = 'e'.charCodeAt(0);
    expect(refusalOf(() => unpack(gzipSync(tar)))).toBe(
      'BUNDLE_INVALID: entry 0: a checksum is wrong',
    );
  });

  test.each([
    ['cut within a file', (tar: Buffer) => tar.subarray(0, 700)],
    ['cut before the end', (tar: Buffer) => tar.subarray(0, -1024)],
    ['cut within the end', (tar: Buffer) => tar.subarray(0, -512)],
    ['empty', () => Buffer.alloc(0)],
  ])('an archive that is %s', (_title, cut) => {
    const tar = cut(tarOf({ name: 'a', bytes: 'x'.repeat(600) }));
    expect(refusalOf(() => unpack(gzipSync(tar)))).toMatch(/: the archive is cut off$/);
  });

  test('a second archive behind the first', () => {
    const tar = Buffer.concat([tarOf(first), tarOf({ name: 'policy.wasm', bytes: 'other' })]);
    expect(refusalOf(() => unpack(gzipSync(tar)))).toBe(
      'BUNDLE_INVALID: entry 1: something follows the end of the archive',
    );
  });

  test.each([
    ['garbage', Buffer.from('not a bundle'), 'is no gzip'],
    ['nothing', Buffer.alloc(0), 'is no gzip'],
    ['a tar that is not compressed', tarOf(first), 'is no gzip'],
    ['a compressed text that is cut off', tgzOf(first).subarray(0, -4), 'is cut off'],
    ['a compressed text with another byte', tgzOf(first).with(30, 0), 'is damaged'],
  ])('%s is no archive', (_title, bytes, fault) => {
    expect(refusalOf(() => unpack(bytes))).toBe(`BUNDLE_INVALID: the archive ${fault}`);
  });

  test('a bomb stops at the limit', () => {
    const bomb = gzipSync(tarOf({ name: 'data.json', bytes: Buffer.alloc(5_000_000) }));
    expect(bomb.length).toBeLessThan(20_000);
    const limits = { ...LIMITS, unpacked_bytes_max: 1_000_000 };
    expect(refusalOf(() => unpack(bomb, limits))).toMatch(/unpacks to more than 1000000 bytes$/);
  });

  test('too many entries stop at the limit, folders counted', () => {
    const entries = Array.from({ length: 20 }, (_, i) => ({ name: `f${i}/`, type: '5' }));
    const limits = { ...LIMITS, files_max: 20 };
    expect(refusalOf(() => unpack(tgzOf(...entries), limits))).toBe(
      'BUNDLE_INVALID: entry 20: there are too many entries',
    );
  });
});

describe('reading from disk', () => {
  test('a folder and an archive of the same files are the same bundle', async () => {
    const folder = temporaryDirectory();
    mkdirSync(join(folder, 'b/tables/limits'), { recursive: true });
    for (const [path, bytes] of FILES) writeFileSync(join(folder, 'b', path), bytes);
    writeFileSync(join(folder, 'b/.data.json.swp'), 'an editor is at work');
    writeFileSync(join(folder, 'b.tar.gz'), writeBundle(FILES));
    const fromFolder = await readFiles(join(folder, 'b'));
    const fromArchive = await readFiles(join(folder, 'b.tar.gz'));
    expect(textsOf(fromFolder)).toEqual(textsOf(FILES));
    expect(digestOfFiles(fromFolder)).toBe(digestOfFiles(fromArchive));
  });

  test('a link in a folder refuses it', async () => {
    const folder = temporaryDirectory();
    symlinkSync('/etc/passwd', join(folder, 'data.json'));
    await expect(readFiles(folder)).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: '`data.json` is neither a file nor a folder',
    });
  });

  test('a pipe is refused, as the bundle and within its folder, and not waited for', async () => {
    const folder = temporaryDirectory();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    for (const path of [pipe, folder]) {
      await expect(readFiles(path)).rejects.toMatchObject({
        code: 'BUNDLE_INVALID',
        message: expect.stringMatching(/pipe` is neither a file nor a folder$/),
      });
    }
  });

  test('a missing path is named', async () => {
    await expect(readFiles('/nowhere/bundle.tar.gz')).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
      message: 'cannot read `/nowhere/bundle.tar.gz`: there is no such file or folder',
    });
  });

  test('an archive or folder beyond the limit is not read', async () => {
    const folder = temporaryDirectory();
    writeFileSync(join(folder, 'data.json'), Buffer.alloc(2000));
    const archive = { ...LIMITS, archive_bytes_max: 1000 };
    await expect(readFiles(join(folder, 'data.json'), archive)).rejects.toMatchObject({
      code: 'BUNDLE_INVALID',
    });
    const unpacked = { ...LIMITS, unpacked_bytes_max: 1000 };
    await expect(readFiles(folder, unpacked)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
    const none = { ...LIMITS, files_max: 0 };
    await expect(readFiles(folder, none)).rejects.toMatchObject({ code: 'BUNDLE_INVALID' });
  });
});

describe('writing', () => {
  test('the order, the clock and the user do not show in the bytes', () => {
    const reversed = new Map([...FILES].reverse());
    expect(writeBundle(reversed)).toEqual(writeBundle(FILES));
    expect(textsOf(unpack(writeBundle(FILES)))).toEqual(textsOf(FILES));
    expect([...writeBundle(FILES).subarray(0, 10)]).toEqual([31, 139, 8, 0, 0, 0, 0, 0, 2, 255]);
  });

  test('the tar of this machine reads it', () => {
    const input = gunzipSync(writeBundle(FILES));
    const listing = execFileSync('tar', ['-tv', '--numeric-owner', '--utc', '-f', '-'], {
      input,
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    expect(
      listing
        .toString()
        .trim()
        .split('\n')
        .map((line) => line.replace(/\s+/g, ' ')),
    ).toEqual([
      '-rw-r--r-- 0/0 2 1970-01-01 00:00 /data.json',
      '-rw-r--r-- 0/0 6 1970-01-01 00:00 /policy.wasm',
      '-rw-r--r-- 0/0 5 1970-01-01 00:00 /tables/limits/data.yaml',
    ]);
  });

  test('long names are split, and longer ones refused', () => {
    const long = `${'a'.repeat(90)}/${'b'.repeat(90)}`;
    expect([...unpack(writeBundle(new Map([[long, Buffer.from('x')]]))).keys()]).toEqual([long]);
    const longer = 'c'.repeat(120);
    expect(refusalOf(() => writeBundle(new Map([[longer, Buffer.from('x')]])))).toBe(
      'BUNDLE_INVALID: entry 0: a name is too long',
    );
    expect(refusalOf(() => writeBundle(new Map([['../x', Buffer.from('x')]])))).toBe(
      'BUNDLE_INVALID: `../x` cannot be a name in a bundle',
    );
  });

  test('the digest changes with a byte and with a name', () => {
    const digest = digestOfFiles(FILES);
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(digestOfFiles(new Map([...FILES].reverse()))).toBe(digest);
    expect(digestOfFiles(new Map([...FILES, ['x', Buffer.from('')]]))).not.toBe(digest);
    expect(digestOfFiles(new Map([...FILES, ['data.json', Buffer.from('[]')]]))).not.toBe(digest);
  });
});
