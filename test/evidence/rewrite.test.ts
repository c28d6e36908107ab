/** Segments written again with fewer disclosures, and what is left where that fails. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { formatFlush } from '../../src/evidence/line.ts';
import { holdsDisclosures, removeDrafts, rewriteSegment } from '../../src/evidence/rewrite.ts';
import { sealRecord } from '../../src/evidence/seal.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';
import { lineOf, linesOf, watchedFiles, writeSegment } from '../support/evidence_segments.ts';

const PIECE_BYTES = 256 * 1024;

const NONE = (): string[] => [];

/** Two records of one flush that disclose something, with and without what they disclose. */
function disclosing(first: number): { whole: string; redacted: string } {
  const records = [first, first + 1].map((index) =>
    sealRecord({ detail: 'secret', index, kind: 'start', v: 1 }, () => 'A'.repeat(22)),
  );
  const lines = (disclosed: boolean): string =>
    formatFlush(
      records.map((record) => (disclosed ? record : { ...record, disclosed: [] })),
    ).bytes.toString();
  return { whole: lines(true), redacted: lines(false) };
}

describe('a segment that is written again', () => {
  test('keeps every line but for what is not kept of it, over what an attempt left', async () => {
    const directory = temporaryDirectory();
    const { whole, redacted } = disclosing(0);
    const segment = writeSegment(directory, 0, whole);
    // Longer than what is written.
    writeFileSync(`${segment.path}.new`, whole.repeat(3));
    const files = watchedFiles();
    await rewriteSegment(files, directory, segment, ({ record, disclosed }) =>
      record.index === 0 ? [] : disclosed,
    );
    const [first] = redacted.split('\n');
    const [, second] = whole.split('\n');
    expect(readFileSync(segment.path, 'utf8')).toBe(`${first}\n${second}\n`);
    await rewriteSegment(files, directory, segment, NONE);
    expect(readFileSync(segment.path, 'utf8')).toBe(redacted);
    expect(readdirSync(directory)).toEqual(['0000000000000000.log']);
    expect([files.open_now, files.folder_flushes]).toEqual([0, 2]);
  });

  test('is written a piece at a time', async () => {
    const directory = temporaryDirectory();
    const large = lineOf(0, PIECE_BYTES);
    const many = linesOf(1, 2100);
    const { whole, redacted } = disclosing(2101);
    const segment = writeSegment(directory, 0, large + many + whole);
    const files = watchedFiles();
    await rewriteSegment(files, directory, segment, NONE);
    expect(readFileSync(segment.path, 'utf8')).toBe(large + many + redacted);
    const rest = many.length + redacted.length - PIECE_BYTES;
    expect(files.writes).toEqual([PIECE_BYTES, PIECE_BYTES, rest]);
  });

  test('stays as it was where its end is torn, and nothing stands beside it', async () => {
    const directory = temporaryDirectory();
    const text = `${linesOf(0, 2)}torn`;
    const segment = writeSegment(directory, 0, text);
    const files = watchedFiles();
    await expect(rewriteSegment(files, directory, segment, NONE)).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `line 3 of \`${segment.path}\` is not what was written`,
    });
    expect(readFileSync(segment.path, 'utf8')).toBe(text);
    expect(readdirSync(directory)).toEqual(['0000000000000000.log']);
    expect(files.open_now).toBe(0);
  });

  test('tells what went wrong also where the disk does not take the removal', async () => {
    const directory = temporaryDirectory();
    const segment = writeSegment(directory, 0, linesOf(0, 2));
    const files = watchedFiles();
    const full = Object.assign(new Error('full'), { code: 'ENOSPC' });
    files.remove = () => {
      throw new Error('not removed');
    };
    const keep = (): never => {
      throw full;
    };
    await expect(rewriteSegment(files, directory, segment, keep)).rejects.toBe(full);
    expect(files.open_now).toBe(0);
  });
});

describe('whether a segment holds disclosures', () => {
  test.each<[string, string, boolean]>([
    ['nothing is written', '', false],
    ['nothing is disclosed', linesOf(0, 3), false],
    ['something is', disclosing(0).whole, true],
    ['nothing is in a whole piece', lineOf(0, PIECE_BYTES), false],
    ['something is behind a piece', lineOf(0, PIECE_BYTES) + disclosing(1).whole, true],
    ['nothing is behind a piece', lineOf(0, PIECE_BYTES) + disclosing(1).redacted, false],
  ])('is known where %s', async (_what, text, expected) => {
    const segment = writeSegment(temporaryDirectory(), 0, text);
    const files = watchedFiles();
    expect(await holdsDisclosures(files, segment)).toBe(expected);
    expect(files.open_now).toBe(0);
  });
});

describe('what a killed process left', () => {
  test('is removed durably, and nothing else is', async () => {
    const directory = temporaryDirectory();
    const draft = '0000000000000300.log.new';
    const others = ['0000000000000000.log', '0000000000000300.log.newer', `a${draft}`, 'log.new'];
    for (const name of [draft, ...others]) writeFileSync(join(directory, name), '');
    const files = watchedFiles();
    await removeDrafts(files, directory);
    expect(readdirSync(directory).sort()).toEqual(others.sort());
    expect(files.folder_flushes).toBe(1);
    await removeDrafts(files, directory);
    // Where there was none the disk has nothing to do.
    expect(files.folder_flushes).toBe(1);
  });
});
