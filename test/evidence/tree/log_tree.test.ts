/** What others can be shown of a log: checkpoints, tiles, entries and proofs. */
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../../../src/contract/canonical.ts';
import { formatFlush } from '../../../src/evidence/line.ts';
import {
  ENTRY,
  openLog,
  readAll,
  readRecordTexts,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { fakeDisk } from '../../support/fake_disk.ts';
import { mth, path, proof } from '../../support/merkle_oracle.ts';
import { seededRandom } from '../../support/seeded_random.ts';
import { leavesOf, shown, treeOf } from './shown.ts';

describe('a checkpoint', () => {
  test('is there from the first moment on, over nothing', async () => {
    const { tree, log } = await shown(0);
    expect(treeOf(tree.checkpoint())).toEqual({ size: 0, root: mth([]).toString('base64') });
    await log.close();
  });

  test('covers what is durable when it is asked for, and is stored first', async () => {
    const { directory, tree, log } = await shown(300, 5);
    expect(treeOf(tree.checkpoint()).size).toBe(300);
    const note = await tree.sign();
    expect(treeOf(note)).toEqual({
      size: 305,
      root: mth(leavesOf(directory)).toString('base64'),
    });
    expect(readFileSync(join(directory, 'checkpoint'), 'utf8')).toBe(note);
    expect(tree.checkpoint()).toBe(note);
    expect(await tree.sign()).toBe(note);
    await log.close();
  });

  test('is asked for by many at once, and signed once', async () => {
    const { tree, log } = await shown(0, 3);
    const notes = await Promise.all(Array.from({ length: 9 }, () => tree.sign()));
    expect(new Set(notes).size).toBe(1);
    await log.close();
  });

  test('is signed by itself when the log has grown', async () => {
    const directory = temporaryDirectory();
    const log = await openLog(directory, { settings: { checkpoint_interval_ms: 10 } });
    await log.append(ENTRY);
    while (treeOf(log.tree.checkpoint()).size < 1) await new Promise(setImmediate);
    await log.close();
  });

  test('covers all when the log was closed, and after that nothing is signed', async () => {
    const { directory, tree, log } = await shown(2, 2);
    await log.close();
    expect(treeOf(readFileSync(join(directory, 'checkpoint'), 'utf8')).size).toBe(4);
    expect(await tree.sign()).toBe(tree.checkpoint());
  });

  test('that cannot be written stops the log, and is told with what to do', async () => {
    const disk = fakeDisk(seededRandom(1));
    const log = await openLog('/evidence', { files: disk });
    await log.append(ENTRY);
    disk.failAfter(0, 'ENOSPC');
    await expect(log.tree.sign()).rejects.toMatchObject({ code: 'ENOSPC' });
    await expect(log.append(ENTRY)).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
      message: expect.stringContaining('(ENOSPC: the disk is full; free some and start again)'),
    });
    await expect(log.tree.sign()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(treeOf(log.tree.checkpoint()).size).toBe(0);
    await log.close();
  });
});

describe('tiles', () => {
  test('are written when they are full and signed, for this user only', async () => {
    const { directory, log } = await shown(600);
    const folder = join(directory, 'tile', '0');
    expect(readdirSync(folder).sort()).toEqual(['000', '001']);
    const leaves = leavesOf(directory);
    for (const [at, name] of ['000', '001'].entries()) {
      const expected = Buffer.concat(leaves.slice(at * 256, at * 256 + 256));
      expect(readFileSync(join(folder, name)).equals(expected)).toBe(true);
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(existsSync(join(directory, 'tile', '1'))).toBe(false);
    await log.close();
  });

  test('are shown full and in part, from memory and from the disk', async () => {
    const { directory, tree, log } = await shown(300, 300);
    const leaves = leavesOf(directory);
    const tile = async (
      level: number,
      index: number,
      width: number,
    ): Promise<string | undefined> => {
      const bytes = await tree.tile(level, index, width);
      return bytes && Buffer.from(bytes).toString('hex');
    };
    const hex = (from: number, to: number): string =>
      Buffer.concat(leaves.slice(from, to)).toString('hex');
    expect(await tile(0, 0, 256)).toBe(hex(0, 256));
    expect(await tile(0, 0, 1)).toBe(hex(0, 1));
    expect(await tile(0, 1, 256)).toBe(hex(256, 512));
    expect(await tile(0, 1, 44)).toBe(hex(256, 300));
    expect(await tile(0, 2, 88)).toBe(hex(512, 600));
    expect(await tile(1, 0, 2)).toBe(
      mth(leaves, [0, 256]).toString('hex') + mth(leaves, [256, 512]).toString('hex'),
    );
    await log.close();
  });

  test.each([
    [0, 2, 89],
    [0, 3, 1],
    [1, 0, 3],
    [2, 0, 1],
    [64, 0, 1],
    [0, 0, 0],
    [0, 0, 257],
    [0, -1, 1],
    [-1, 0, 1],
    [0, 0.5, 1],
    [0, 0, NaN],
  ])('level %d, index %d, width %d is not there', async (level, index, width) => {
    const { tree, log } = await shown(600);
    expect(await tree.tile(level, index, width)).toBeUndefined();
    await log.close();
  });

  test('that went missing are told as damage, with what mends it', async () => {
    const { directory, tree, log } = await shown(300);
    writeFileSync(join(directory, 'tile/0/000'), 'short');
    const message = `\`${directory}/tile/0/000\` is no tile any more; a start builds it again`;
    await expect(tree.tile(0, 0, 256)).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: expect.stringContaining(message),
    });
    await log.close();
  });
});

describe('entry bundles', () => {
  test('hold the records after their lengths, and each hashes to its leaf', async () => {
    const { directory, tree, log } = await shown(300);
    const texts = readRecordTexts(directory);
    for (const [index, width] of [
      [0, 256],
      [1, 44],
      [1, 1],
    ] as const) {
      const bundle = await tree.entries(index, width);
      const expected = texts.slice(index * 256, index * 256 + width).map((text) => {
        const length = Buffer.alloc(2);
        length.writeUInt16BE(Buffer.byteLength(text));
        return Buffer.concat([length, Buffer.from(text)]);
      });
      expect(bundle).toEqual({ bytes: Buffer.concat(expected) });
    }
    for (const [index, width] of [
      [1, 45],
      [2, 1],
      [0, 0],
      [0, 257],
      [-1, 1],
    ] as const) {
      expect(await tree.entries(index, width)).toBeUndefined();
    }
    await log.close();
  });

  test('hold what is not sealed, and a leaf of 65,536 bytes is refused', async () => {
    const directory = temporaryDirectory();
    const log = await openLog(directory, { settings: { record_bytes_max: 1024 * 1024 } });
    const entry = (bytes: number) => ({ ...ENTRY, caller: 'x'.repeat(bytes) });
    await log.append(entry(0));
    const [text = ''] = readRecordTexts(directory);
    const room = 65_535 - Buffer.byteLength(text);
    await expect(log.append(entry(room + 1))).rejects.toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      message: expect.stringContaining('an entry of the log holds (65535 bytes)'),
    });
    expect(await log.append({ ...entry(room), detail: 'x'.repeat(100_000) })).toBe(1);
    expect(await log.tree.entries(0, 2)).toMatchObject({
      bytes: { length: 65_535 + text.length + 4 },
    });
    await log.close();
  });

  test('of a log from before there were seals may be absent, and the receipt is not', async () => {
    const directory = temporaryDirectory();
    const head = { index: 0, instance: 'one', kind: 'backend_error', v: 1 };
    const time = '2026-12-31T00:00:00.000Z';
    const old = canonicalJson({ ...head, time, detail: 'x'.repeat(65_536) });
    const { bytes } = formatFlush([{ text: old, disclosed: [] }]);
    writeFileSync(join(directory, '0000000000000000.log'), bytes);
    const log = await openLog(directory);
    await log.append(ENTRY);
    expect(await log.tree.entries(0, 2)).toEqual({
      absent:
        `record 0 has ${old.length} bytes, and an entry bundle holds at most 65535 of one; ` +
        'ask for receipts',
    });
    const receipt = await log.tree.receiptOf(0);
    const [, extra = ''] = receipt!.split('\n', 2);
    expect(Buffer.from(extra.slice('extra '.length), 'base64').toString()).toBe(old);
    expect(await readAll(directory)).toMatchObject([{ ...head, time }, ENTRY]);
    await log.close();
  });
});

describe('proofs', () => {
  test('are given for every size that the log had, from tiles on disk and in memory', async () => {
    const { directory, tree, log } = await shown(520, 280);
    const leaves = leavesOf(directory);
    const random = seededRandom(9);
    for (let round = 0; round < 50; round += 1) {
      const size = 1 + random.below(800);
      const index = random.below(size);
      expect(await tree.inclusionProof(index, size)).toEqual(path(index, leaves, [0, size]));
      const parts = await tree.consistencyProof(index + 1, size);
      expect(parts).toEqual(proof(index + 1, leaves, [0, size]));
    }
    await log.close();
  });

  test('are given of all that the tree has, and refused for what it has not', async () => {
    const { directory, tree, log } = await shown(10);
    const leaves = leavesOf(directory);
    expect(await tree.inclusionProof(9, 10)).toEqual(path(9, leaves, [0, 10]));
    expect(await tree.consistencyProof(10, 10)).toEqual([]);
    const refused = (value: number): RangeError =>
      new RangeError(`${value} is not within the tree of which a proof was asked for`);
    await expect(tree.inclusionProof(10, 10)).rejects.toEqual(refused(10));
    await expect(tree.consistencyProof(1, 11)).rejects.toEqual(refused(11));
    for (const [index, size] of [
      [10, 10],
      [0, 11],
      [0, 0],
      [-1, 5],
      [0.5, 5],
      [0, NaN],
    ] as const) {
      await expect(tree.inclusionProof(index, size)).rejects.toThrow(RangeError);
    }
    for (const [older, newer] of [
      [5, 4],
      [1, 11],
      [-1, 5],
      [1.5, 5],
      [0, NaN],
    ] as const) {
      await expect(tree.consistencyProof(older, newer)).rejects.toThrow(RangeError);
    }
    await log.close();
  });
});
