/** The files of a log: how much each holds, and reading from one of them on. */
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { nodeFiles } from '../../src/evidence/files.ts';
import { ENTRY, openLog, readAll, temporaryDirectory } from '../support/evidence_log.ts';

const nameOf = (first: number): string => `${String(first).padStart(16, '0')}.log`;

function segmentsOf(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.endsWith('.log'));
}

/** Writes groups of records, each when the one before is durable. */
async function write(
  groups: readonly number[],
  segment_bytes_max: number,
  detail = 'a detail',
): Promise<string> {
  const directory = temporaryDirectory();
  const settings = { segment_bytes_max, record_bytes_max: 4 * 1024 * 1024 };
  const log = await openLog(directory, { settings });
  for (const records of groups) {
    const group = Array.from({ length: records }, () => log.append({ ...ENTRY, detail }));
    await Promise.all(group);
  }
  await log.close();
  return directory;
}

/** Bytes of a line with an index of one digit. */
async function lineBytes(): Promise<number> {
  return statSync(join(await write([1], 64 * 1024), nameOf(0))).size;
}

test('segments are as large as the limit at most, and named by their first record', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { settings: { segment_bytes_max: 1400 } });
  await Promise.all(Array.from({ length: 20 }, () => log.append(ENTRY)));
  await log.close();
  const segments = readdirSync(directory).filter((name) => name.endsWith('.log'));
  const line_bytes = Math.floor(statSync(join(directory, segments[0]!)).size / 4);
  expect(line_bytes * 4).toBeLessThanOrEqual(1400);
  expect(line_bytes * 5).toBeGreaterThan(1400);
  expect(segments).toEqual(
    [0, 4, 8, 12, 16].map((first) => `${String(first).padStart(16, '0')}.log`),
  );
  expect((await readAll(directory)).map(({ index }) => index)).toEqual([...Array(20).keys()]);
  expect((await readAll(directory, { from: 9 })).map(({ index }) => index)).toEqual([
    9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19,
  ]);
});

test('a segment takes what fits exactly, together or one after the other', async () => {
  const limit = 3 * (await lineBytes());
  for (const groups of [[9], [1, 1, 1, 1, 1, 1, 1, 1, 1], [1, 8], [2, 2, 5]]) {
    const directory = await write(groups, limit);
    expect(segmentsOf(directory)).toEqual([0, 3, 6].map(nameOf));
    expect(await readAll(directory)).toHaveLength(9);
  }
  expect(segmentsOf(await write([9], limit - 1))).toEqual([0, 2, 4, 6, 8].map(nameOf));
});

test('what fits in a segment is flushed at once', async () => {
  const directory = await write([9], 3 * (await lineBytes()));
  const marks = segmentsOf(directory).map((name) => {
    const lines = readFileSync(join(directory, name), 'utf8').trimEnd().split('\n');
    return lines.map((line) => line[64]).join('');
  });
  expect(marks).toEqual([' ++', ' ++', ' ++']);
});

test('segments are read in their order, whatever the order of their names', async () => {
  const directory = await write([9], 3 * (await lineBytes()));
  const names = (folder: string): string[] => nodeFiles.names(folder).reverse();
  const records = await readAll(directory, { files: { ...nodeFiles, names } });
  expect(records.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

test('a record that is larger than a segment has one for itself', async () => {
  const directory = await write([1, 3], 10);
  expect(segmentsOf(directory)).toEqual([0, 1, 2, 3].map(nameOf));
  expect(await readAll(directory)).toHaveLength(4);
});

test('a record of a megabyte is read back, and found at the end of a segment', async () => {
  const detail = 'x'.repeat(1024 * 1024);
  const directory = await write([1, 2], 1.5 * 1024 * 1024, detail);
  expect(segmentsOf(directory)).toHaveLength(3);
  const log = await openLog(directory);
  await expect(log.append(ENTRY)).resolves.toBe(3);
  await log.close();
  const details = (await readAll(directory)).map((record) => record.detail);
  expect(details).toEqual([detail, detail, detail, ENTRY.detail]);
});

test('reading from a segment on asks nothing of those before', async () => {
  const directory = await write([9], 3 * (await lineBytes()));
  writeFileSync(join(directory, nameOf(0)), 'damaged\n');
  for (const from of [3, 4, 8]) {
    const indices = (await readAll(directory, { from })).map(({ index }) => index);
    expect(indices).toEqual([3, 4, 5, 6, 7, 8].filter((index) => index >= from));
  }
  await expect(readAll(directory, { from: 2 })).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
});

test('something after the last record of an earlier segment is damage', async () => {
  const directory = await write([6], 3 * (await lineBytes()));
  const path = join(directory, nameOf(0));
  appendFileSync(path, '0123');
  const message = (place: string): string => `${place} of \`${path}\` is not what was written`;
  await expect(readAll(directory)).rejects.toMatchObject({ message: message('line 4') });
  await expect(openLog(directory)).rejects.toMatchObject({ message: message('the last line') });
});

describe('a line with a good hash', () => {
  test.each([
    ['of another version', '{"index":1,"v":2}'],
    ['of an index that is left out', '{"index":2,"v":1}'],
    ['that is null', 'null'],
    ['that is not JSON', '{"index":1'],
  ])('%s is damage', async (_title, record) => {
    const directory = await write([1], 64 * 1024);
    const path = join(directory, nameOf(0));
    const leaf = createHash('sha256').update(`\0${record}`).digest('hex');
    appendFileSync(path, `${leaf} ${record}\n`);
    const damage = {
      code: 'EVIDENCE_DAMAGED',
      message: `line 2 of \`${path}\` is not what was written`,
    };
    await expect(readAll(directory)).rejects.toMatchObject(damage);
    await expect(openLog(directory)).rejects.toMatchObject(damage);
    expect(readFileSync(path, 'utf8')).toContain(record);
  });
});
