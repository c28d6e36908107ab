/** Receipts: a record, and a text that proves it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import {
  ENTRY,
  openLog,
  readDisclosed,
  readRecordTexts,
  temporaryDirectory,
} from '../../support/evidence_log.ts';
import { leafOf, path } from '../../support/merkle_oracle.ts';
import { seededRandom } from '../../support/seeded_random.ts';
import { forge } from './fixture.ts';
import { shown, treeOf } from './shown.ts';

const base64 = (text = ''): string => Buffer.from(text).toString('base64');

describe('a receipt', () => {
  test('is the record, and a proof that names index, path and checkpoint', async () => {
    const { directory, tree, log } = await shown(700);
    const texts = readRecordTexts(directory);
    const disclosed = readDisclosed(directory);
    const leaves = texts.map(leafOf);
    for (const index of [0, 255, 256, 699]) {
      const hashes = path(index, leaves, [0, 700]).map((hash) => `${hash.toString('base64')}\n`);
      const receiptWith = (extra = ''): string =>
        `c2sp.org/tlog-proof@v1\nextra ${base64(extra)}\nindex ${index}\n` +
        `${hashes.join('')}\n${tree.checkpoint()}`;
      expect(disclosed[index]).toHaveLength(1);
      const whole = [texts[index], ...disclosed[index]!].join('\t');
      expect(await tree.receiptOf(index)).toBe(receiptWith(whole));
      expect(await tree.receiptOf(index, true)).toBe(receiptWith(texts[index]));
    }
    await log.close();
  });

  test('of a record that no checkpoint covers yet waits for one', async () => {
    const { tree, log } = await shown(3, 2);
    const receipt = await tree.receiptOf(4);
    expect(treeOf(tree.checkpoint()).size).toBe(5);
    expect(receipt).toContain(tree.checkpoint());
    await log.close();
  });

  test.each([2, -1, 0.5, NaN, Infinity])('of record %p there is none', async (index) => {
    const { tree, log } = await shown(2);
    expect(await tree.receiptOf(index)).toBeUndefined();
    await log.close();
  });

  test('of a log of one record has an empty path', async () => {
    const { directory, tree, log } = await shown(1);
    const [text] = readRecordTexts(directory);
    expect(await tree.receiptOf(0, true)).toBe(
      `c2sp.org/tlog-proof@v1\nextra ${base64(text)}\nindex 0\n\n${tree.checkpoint()}`,
    );
    await log.close();
  });

  test('is not given where a tile over it was changed', async () => {
    const { directory, tree, log } = await shown(300);
    const file = join(directory, 'tile/0/000');
    const bytes = readFileSync(file);
    bytes[40] = bytes[40]! ^ 1;
    writeFileSync(file, bytes);
    await expect(tree.receiptOf(10)).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `record 10 in \`${directory}\`, or a tile over it, is not what was signed`,
    });
    await log.close();
  });

  test('is not given of a record that was changed, not even with a new hash', async () => {
    const { directory, tree, log } = await shown(3);
    const file = join(directory, '0000000000000000.log');
    const lines = readFileSync(file, 'utf8').split('\n');
    lines[1] = forge(lines[1]!, '"one"', '"two"');
    writeFileSync(file, lines.join('\n'));
    await expect(tree.receiptOf(1)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
    lines[1] = lines[1].replace('"two"', '"six"');
    writeFileSync(file, lines.join('\n'));
    await expect(tree.receiptOf(1)).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `line 2 of \`${file}\` is not what was written`,
    });
    await log.close();
  });
});

test('records are found in large segments and across them', async () => {
  const directory = temporaryDirectory();
  const settings = { segment_bytes_max: 3 * 1024 * 1024, record_bytes_max: 1024 * 1024 };
  const log = await openLog(directory, { settings });
  const random = seededRandom(4);
  for (let group = 0; group < 12; group += 1) {
    const sizes = Array.from({ length: 30 }, () => random.pick([10, 100, 60_000, 300_000]));
    await Promise.all(
      sizes.map((bytes) => log.append({ ...ENTRY, detail: 'x'.repeat(random.below(bytes)) })),
    );
  }
  const texts = readRecordTexts(directory);
  for (const index of [0, 1, 29, 30, 100, 177, 203, 358, 359]) {
    const [, extra] = (await log.tree.receiptOf(index, true))!.split('\n', 2);
    expect(extra === `extra ${base64(texts[index])}`).toBe(true);
  }
  await log.close();
});
