/** Receipts out of the files of a log, also while it is written. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nodeFiles } from '../../../src/evidence/files.ts';
import { readRecords } from '../../../src/evidence/records.ts';
import type { StoredRecord } from '../../../src/evidence/segment.ts';
import { openSignedLog } from '../../../src/evidence/tree/signed_log.ts';
import { signerOf, temporaryDirectory } from '../../support/evidence_log.ts';
import { shown } from './shown.ts';

/** Below, at and above a tile, and where a level has a part of one. */
describe.each([1, 2, 255, 256, 257, 600])('a log that signed %i records', (size) => {
  test('gives the same receipts by its files as by itself', async () => {
    const { directory, tree, log } = await shown(size, 3);
    const signed = await openSignedLog(nodeFiles, directory);
    expect(signed.checkpoint.note).toBe(tree.checkpoint());
    expect(signed.keys.map(({ verifier }) => verifier.vkey)).toEqual([signerOf(1).verifier.vkey]);
    for (const index of new Set([0, Math.floor(size / 2), size - 1])) {
      expect(await signed.receiptOf(index)).toBe(await tree.receiptOf(index));
    }
    await log.close();
  });

  test('gives none of what it did not sign yet', async () => {
    const { directory, log } = await shown(size, 3);
    const signed = await openSignedLog(nodeFiles, directory);
    await expect(signed.receiptOf(size)).rejects.toMatchObject({
      code: 'ARGUMENT_INVALID',
      message: `the log has signed ${size} records, and not yet record ${size}`,
    });
    await log.close();
  });
});

test('a log that signed nothing is named', async () => {
  const directory = temporaryDirectory();
  await expect(openSignedLog(nodeFiles, directory)).rejects.toMatchObject({
    code: 'ARGUMENT_INVALID',
    message: `no log has signed anything in \`${directory}\``,
  });
});

test('a missing tile is made of the records, and a changed one gives nothing', async () => {
  const { directory, tree, log } = await shown(300);
  const [expected, file] = [await tree.receiptOf(290), join(directory, 'tile/0/000')];
  const bytes = readFileSync(file);
  rmSync(file);
  expect(await (await openSignedLog(nodeFiles, directory)).receiptOf(290)).toBe(expected);
  bytes[40] = bytes[40]! ^ 1;
  writeFileSync(file, bytes);
  const changed = await openSignedLog(nodeFiles, directory);
  await expect(changed.receiptOf(290)).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
    message: `record 290 in \`${directory}\`, or a tile over it, is not what was signed`,
  });
  await log.close();
});

test('a record that was read already is not read again', async () => {
  const { directory, tree, log } = await shown(3);
  const signed = await openSignedLog(nodeFiles, directory);
  const found: StoredRecord[] = [];
  for await (const each of readRecords(nodeFiles, directory, 0, 2)) found.push(each);
  const [read, other] = found;
  expect(await signed.receiptOf(0, { read: read! })).toBe(await tree.receiptOf(0));
  await expect(signed.receiptOf(0, { read: other! })).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
  });
  await log.close();
});

test('a checkpoint that nobody listed signed is not believed', async () => {
  const { directory, log } = await shown(3);
  await log.close();
  const file = join(directory, 'checkpoint');
  writeFileSync(file, readFileSync(file, 'utf8').replace('\n3\n', '\n2\n'));
  await expect(openSignedLog(nodeFiles, directory)).rejects.toMatchObject({
    code: 'EVIDENCE_DAMAGED',
  });
});
