/** Small files that are read and replaced whole. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readWhole, replaceFile } from '../../../src/evidence/tree/whole_file.ts';
import { temporaryDirectory } from '../../support/evidence_log.ts';
import { RecordingDisk } from './recording_disk.ts';

/** A directory with one file, and the disk that it is on. */
function stored(text: string): { directory: string; path: string; disk: RecordingDisk } {
  const directory = temporaryDirectory();
  const path = join(directory, 'keys');
  writeFileSync(path, text);
  return { directory, path, disk: new RecordingDisk(directory) };
}

describe('a file is read', () => {
  test('up to its largest size, which counts its bytes', async () => {
    const { path, disk } = stored('zoë');
    expect(await readWhole(disk.files, path, 4)).toBe('zoë');
    expect(disk).toMatchObject({ done: ['read keys'], open_files: 0 });
  });

  test('not above it, which is damage', async () => {
    const { path, disk } = stored('zoë');
    await expect(readWhole(disk.files, path, 3)).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `\`${path}\` is not what was written`,
    });
    expect(disk.open_files).toBe(0);
  });

  test('as nothing where there is none', async () => {
    const { directory, disk } = stored('');
    expect(await readWhole(disk.files, join(directory, 'checkpoint'), 4)).toBeUndefined();
  });

  test.each(['EACCES', 'EIO', 'EMFILE'])('not as nothing where the disk says %s', async (code) => {
    const { path, disk } = stored('one');
    disk.refused.set('read keys', code);
    await expect(readWhole(disk.files, path, 4)).rejects.toMatchObject({ code });
  });
});

describe('a file is replaced', () => {
  test('by way of a draft that is durable before it gets the name', async () => {
    const { directory, path, disk } = stored('one');
    await replaceFile(disk.files, directory, 'keys', 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(disk).toMatchObject({
      done: ['write keys.new', 'create keys.new', 'flush keys.new', 'rename keys', 'flush '],
      open_files: 0,
    });
  });

  test('whole, also where a crash left a longer draft', async () => {
    const { directory, path, disk } = stored('one');
    writeFileSync(`${path}.new`, 'a longer text than the next');
    await replaceFile(disk.files, directory, 'keys', 'two');
    expect(readFileSync(path, 'utf8')).toBe('two');
    expect(readdirSync(directory)).toEqual(['keys']);
  });

  test('by nothing where its draft was not made durable, and no file stays open', async () => {
    const { directory, path, disk } = stored('one');
    disk.refused.set('flush keys.new', 'EIO');
    const replaced = replaceFile(disk.files, directory, 'keys', 'two');
    await expect(replaced).rejects.toMatchObject({ code: 'EIO' });
    expect(readFileSync(path, 'utf8')).toBe('one');
    expect(disk.open_files).toBe(0);
  });
});
