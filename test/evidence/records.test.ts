/** Records by their place, in segments that are not read from their begin. */
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { findPlace, readRecords, readSingleRecords } from '../../src/evidence/records.ts';
import {
  type Place,
  type Segment,
  type StoredRecord,
  useFile,
} from '../../src/evidence/segment.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';
import { lineOf, linesOf, watchedFiles, writeSegment } from '../support/evidence_segments.ts';

const LINE_BYTES = 128;
/** What is read through rather than looked in. */
const STRETCH_BYTES = 16 * 1024;
const NEAR_RECORDS = 8;

async function indicesOf(records: AsyncIterable<StoredRecord>): Promise<number[]> {
  const indices: number[] = [];
  for await (const { record } of records) indices.push(record.index);
  return indices;
}

/** Where a record is looked for, and how many pieces of the segment were read for it. */
async function place(
  segment: Segment,
  index: number,
  following?: number,
): Promise<Place & { reads: number }> {
  const files = watchedFiles();
  const found = await useFile(files, segment, (file) => findPlace(file, segment, index, following));
  return { ...found, reads: files.reads };
}

describe('the place of a record', () => {
  const FIRST = 5000;
  const COUNT = 4000;
  const END = FIRST + COUNT;
  const segment = writeSegment(temporaryDirectory(), FIRST, linesOf(FIRST, COUNT, LINE_BYTES));

  test('is found at once where lines are of one length and the next segment is known', async () => {
    for (const index of [FIRST + 9, FIRST + 10, FIRST + 1234, END - 700, END - 200]) {
      const { index: at, offset_bytes, reads } = await place(segment, index, END);
      expect(offset_bytes).toBe((at - FIRST) * LINE_BYTES);
      expect(index - at).toBeGreaterThanOrEqual(0);
      expect(index - at).toBeLessThanOrEqual(NEAR_RECORDS);
      expect(reads).toBe(1);
    }
  });

  test('is the begin for the records next to it, which nothing is read for', async () => {
    const begin = { index: FIRST, offset_bytes: 0, reads: 0 };
    for (const index of [FIRST, FIRST + 1, FIRST + NEAR_RECORDS]) {
      expect(await place(segment, index, END)).toEqual(begin);
      expect(await place(segment, index)).toEqual(begin);
    }
  });

  test('is found in a few steps where no segment follows', async () => {
    for (const index of [FIRST + 9, FIRST + 700, FIRST + COUNT / 4, FIRST + COUNT / 2]) {
      const { index: at, offset_bytes, reads } = await place(segment, index);
      expect(offset_bytes).toBe((at - FIRST) * LINE_BYTES);
      expect(index - at).toBeGreaterThanOrEqual(0);
      expect(index - at).toBeLessThanOrEqual(NEAR_RECORDS);
      expect(reads).toBeLessThanOrEqual(3);
    }
  });

  test('is not far from the end for the last record, and for one that is not there', async () => {
    for (const index of [END - 1, END, Number.MAX_SAFE_INTEGER]) {
      const { index: at, offset_bytes, reads } = await place(segment, index);
      expect(offset_bytes).toBe((at - FIRST) * LINE_BYTES);
      expect(END - at).toBeLessThanOrEqual(STRETCH_BYTES / LINE_BYTES);
      // Five times 500 KiB are halved; the last time meets the end of the file, which is one more.
      expect(reads).toBe(6);
    }
  });

  test('is a record itself that stands where it is looked for', async () => {
    const index = FIRST + COUNT / 2 + 1;
    const offset_bytes = (index - FIRST) * LINE_BYTES;
    expect(await place(segment, index)).toEqual({ index, offset_bytes, reads: 1 });
  });

  test('is not looked for in what is read at once', async () => {
    const directory = temporaryDirectory();
    const count = STRETCH_BYTES / LINE_BYTES;
    const small = writeSegment(directory, 0, linesOf(0, count, LINE_BYTES));
    expect(await place(small, count - 1)).toEqual({ index: 0, offset_bytes: 0, reads: 0 });
    const text = linesOf(0, count - 1, LINE_BYTES) + lineOf(count - 1, LINE_BYTES + 1);
    const larger = writeSegment(directory, 0, text);
    expect(await place(larger, count - 1)).toMatchObject({ index: count / 2 + 1 });
  });

  test('is found in steps that halve where long lines mislead each guess', async () => {
    const long = linesOf(2000, 60, 40_000);
    const uneven = writeSegment(temporaryDirectory(), 0, linesOf(0, 2000, LINE_BYTES) + long);
    const { index, offset_bytes, reads } = await place(uneven, 1900, 2060);
    expect(offset_bytes).toBe(index * LINE_BYTES);
    expect(index).toBeLessThanOrEqual(1900);
    // A step into the long lines reads twice.
    expect(reads).toBeLessThanOrEqual(25);
  });

  test('stands before a last line that is longer than all others together', async () => {
    const text = linesOf(0, 100, LINE_BYTES) + lineOf(100, 60_000);
    const long_end = writeSegment(temporaryDirectory(), 0, text);
    for (const following of [undefined, 101]) {
      const { index, offset_bytes } = await place(long_end, 100, following);
      expect(offset_bytes).toBe(index * LINE_BYTES);
    }
    const records = readRecords(watchedFiles(), join(long_end.path, '..'), 100, 101);
    expect(await indicesOf(records)).toEqual([100]);
  });
});

describe('a range of records', () => {
  function threeSegments(): string {
    const directory = temporaryDirectory();
    for (const first of [0, 300, 600]) writeSegment(directory, first, linesOf(first, 300));
    return directory;
  }

  test('is read over all its segments, and each of them is closed', async () => {
    const files = watchedFiles();
    const indices = await indicesOf(readRecords(files, threeSegments(), 290, 610));
    expect(indices).toEqual(Array.from({ length: 320 }, (_, at) => 290 + at));
    expect([files.opened, files.open_now]).toEqual([3, 0]);
  });

  test('of none asks nothing of the disk', async () => {
    const nowhere = join(temporaryDirectory(), 'nowhere');
    for (const at of [0, 7]) {
      expect(await indicesOf(readRecords(watchedFiles(), nowhere, at, at))).toEqual([]);
    }
  });

  test('of a folder without a log is missing', async () => {
    const directory = temporaryDirectory();
    await expect(indicesOf(readRecords(watchedFiles(), directory, 0, 1))).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `record 0 does not stand before the records of \`${directory}\``,
    });
  });

  test('that ends before its end is damage, at the line that is not there', async () => {
    const directory = temporaryDirectory();
    writeSegment(directory, 0, linesOf(0, 30));
    const { path } = writeSegment(directory, 30, linesOf(30, 20));
    const files = watchedFiles();
    await expect(indicesOf(readRecords(files, directory, 25, 51))).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `line 21 of \`${path}\` is not what was written`,
    });
    expect(files.open_now).toBe(0);
  });

  test('behind a line that stands there again and again is damage', async () => {
    const directory = temporaryDirectory();
    writeSegment(directory, 301, linesOf(301, 1));
    const { path } = writeSegment(directory, 0, linesOf(0, 1).repeat(700) + linesOf(1, 300));
    await expect(indicesOf(readRecords(watchedFiles(), directory, 200, 201))).rejects.toMatchObject(
      { code: 'EVIDENCE_DAMAGED', message: `line 2 of \`${path}\` is not what was written` },
    );
  });

  test.each<[string, number[], number]>([
    ['none', [], 0],
    ['one', [450], 1],
    ['neighbours', [100, 101, 102], 1],
    ['some that are near to each other', [100, 104, 112], 1],
    ['one too far from the one before it', [100, 109], 2],
    ['near and far ones', [0, 8, 17, 25, 290], 3],
    ['some in two segments', [298, 301], 2],
    ['the first and the last', [0, 899], 2],
  ])('is not read for single records: %s', async (_what, indices, opened) => {
    const files = watchedFiles();
    expect(await indicesOf(readSingleRecords(files, threeSegments(), indices))).toEqual(indices);
    expect([files.opened, files.open_now]).toEqual([opened, 0]);
  });

  test('is missing for a single record behind the last one', async () => {
    const records = readSingleRecords(watchedFiles(), threeSegments(), [899, 900]);
    await expect(indicesOf(records)).rejects.toMatchObject({ code: 'EVIDENCE_DAMAGED' });
  });
});
