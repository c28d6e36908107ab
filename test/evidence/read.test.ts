/** Logs read back from an index on, and counted, without reading all of them. */
import { describe, expect, test } from '@jest/globals';
import { countRecords, readEvidence } from '../../src/evidence/read.ts';
import { readAll, temporaryDirectory } from '../support/evidence_log.ts';
import { linesOf, watchedFiles, writeSegment } from '../support/evidence_segments.ts';

/** Three segments, each larger than what is read at once; the last one as given. */
function written(last = linesOf(2000, 1000)): string {
  const directory = temporaryDirectory();
  for (const first of [0, 1000]) writeSegment(directory, first, linesOf(first, 1000));
  writeSegment(directory, 2000, last);
  return directory;
}

describe('how many records there are', () => {
  test.each<[string, string, number]>([
    ['behind the last one', linesOf(2000, 1000), 3000],
    ['before a torn end', `${linesOf(2000, 3)}torn`, 2003],
    ['before a segment that was just begun', '', 2000],
  ])('is counted %s', async (_what, last, expected) => {
    const files = watchedFiles();
    expect(await countRecords(written(last), files)).toBe(expected);
    expect([files.opened, files.open_now]).toEqual([1, 0]);
  });

  test('is none in a folder without a log', async () => {
    expect(await countRecords(temporaryDirectory())).toBe(0);
  });

  test('is found without reading all of the last segment', async () => {
    const directory = temporaryDirectory();
    writeSegment(directory, 0, linesOf(0, 4000, 2000));
    const files = watchedFiles();
    expect(await countRecords(directory, files)).toBe(4000);
    // To read all of it takes more than thirty.
    expect(files.reads).toBeLessThan(15);
  });
});

describe('records from an index on', () => {
  test.each([0, 1, 999, 1000, 1500, 2999, 3000])('are those of %d and later', async (from) => {
    const files = watchedFiles();
    const records = await readAll(written(), { from, files });
    expect(records.map(({ index }) => index)).toEqual(
      Array.from({ length: 3000 - from }, (_, at) => from + at),
    );
    expect(files.open_now).toBe(0);
  });

  test('leave no file open where the reader goes before their end', async () => {
    const files = watchedFiles();
    for await (const { index } of readEvidence(written(), { from: 1, files })) {
      expect(files.open_now).toBe(1);
      if (index === 2) break;
    }
    expect(files.open_now).toBe(0);
  });
});
