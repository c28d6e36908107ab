/** What a log does no more once it failed, and what it leaves open when it cannot be opened. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type EvidenceFile, type EvidenceFiles, nodeFiles } from '../../src/evidence/files.ts';
import { ENTRY, openLog, temporaryDirectory } from '../support/evidence_log.ts';
import { namesOf } from './tree/fixture.ts';

const SEGMENT = '0000000000000000.log';

/** The disk of this machine, of which files with some names refuse what changes them. */
class Failing {
  /** Part of the names. */
  fails: string | undefined;
  opened = 0;
  closed = 0;
  /** Where each write began. */
  readonly written: number[] = [];
  readonly files: EvidenceFiles = {
    ...nodeFiles,
    open: (path, use) => {
      this.#require(path, use);
      this.opened += 1;
      return this.#file(path, nodeFiles.open(path, use));
    },
  };

  #file(path: string, file: EvidenceFile): EvidenceFile {
    return {
      ...file,
      write: (bytes, position) => {
        this.#require(path, 'write');
        if (path.endsWith(SEGMENT)) this.written.push(position);
        return file.write(bytes, position);
      },
      close: () => {
        this.closed += 1;
        file.close();
      },
    };
  }

  #require(path: string, use: string): void {
    const is_meant = this.fails !== undefined && path.includes(this.fails) && use !== 'read';
    if (is_meant) throw Object.assign(new Error('fails'), { code: 'EIO' });
  }
}

const unwritable = { code: 'EVIDENCE_UNWRITABLE', cause: { code: 'EIO' } };

describe('a log of which the disk took no record', () => {
  const failed = async () => {
    const directory = temporaryDirectory();
    const disk = new Failing();
    const log = await openLog(directory, { files: disk.files });
    await log.append(ENTRY);
    disk.fails = SEGMENT;
    await expect(log.append(ENTRY)).rejects.toMatchObject(unwritable);
    disk.fails = undefined;
    return { directory, log };
  };

  test('signs nothing more', async () => {
    const { log } = await failed();
    const before = log.tree.checkpoint();
    await expect(log.tree.sign()).rejects.toMatchObject(unwritable);
    expect(log.tree.checkpoint()).toBe(before);
    await log.close();
  });

  test('redacts nothing, and begins no other segment for it', async () => {
    const { directory, log } = await failed();
    const names = namesOf(directory);
    const redacted = log.redact({ caller: 'main', by: { record: 0 } });
    await expect(redacted).rejects.toMatchObject(unwritable);
    expect(namesOf(directory)).toEqual(names);
    await log.close();
  });
});

test('a log of which the disk took no checkpoint takes no record', async () => {
  const disk = new Failing();
  const log = await openLog(temporaryDirectory(), { files: disk.files });
  await log.append(ENTRY);
  disk.fails = 'checkpoint';
  await expect(log.tree.sign()).rejects.toMatchObject({ code: 'EIO' });
  await new Promise(setImmediate);
  expect(log.status()).toMatchObject({ writable: false, size: 1 });
  await expect(log.append(ENTRY)).rejects.toMatchObject(unwritable);
  await log.close();
});

test('a log whose records are not those that were signed leaves no file open', async () => {
  const [directory, other] = [temporaryDirectory(), temporaryDirectory()];
  for (const [at, detail] of [
    [directory, 'a'],
    [other, 'b'],
  ] as const) {
    const log = await openLog(at);
    await log.append({ ...ENTRY, server: detail });
    await log.close();
  }
  copyFileSync(join(other, SEGMENT), join(directory, SEGMENT));
  const disk = new Failing();
  await expect(openLog(directory, { files: disk.files })).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
  });
  expect(disk.opened).toBeGreaterThan(1);
  expect(disk.closed).toBe(disk.opened);
});

test('a start writes the last flush again, and nothing before it', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  for (let at = 0; at < 3; at += 1) await log.append(ENTRY);
  await log.close();
  const lines = readFileSync(join(directory, SEGMENT), 'utf8').split('\n');
  const disk = new Failing();
  await (await openLog(directory, { files: disk.files })).close();
  expect(disk.written).toEqual([lines[0]!.length + 1 + lines[1]!.length + 1]);
});
