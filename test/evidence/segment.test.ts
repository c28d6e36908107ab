/** One file of a log, read by its bytes: lines, places in it, and what is too long or torn. */
import { describe, expect, test } from '@jest/globals';
import type { EvidenceFile } from '../../src/evidence/files.ts';
import { nodeFiles } from '../../src/evidence/files.ts';
import { formatFlush } from '../../src/evidence/line.ts';
import {
  findLineAfter,
  readExactly,
  readLastRecord,
  readLines,
  readSegment,
  type RawLine,
  type Segment,
  type StoredRecord,
  type TornTail,
  useFile,
} from '../../src/evidence/segment.ts';

const SEGMENT: Segment = { path: '/evidence/0000000000000002.log', first: 2 };
const LINE_BYTES_MAX = 128 * 1024 * 1024;

/** Bytes to read, in pieces of a size at most, with how many were asked for. */
class Bytes implements EvidenceFile {
  asked_bytes = 0;
  readonly #bytes: Buffer;
  readonly #piece_bytes: number;

  constructor(bytes: Buffer, piece_bytes = Infinity) {
    this.#bytes = bytes;
    this.#piece_bytes = piece_bytes;
  }

  size_bytes(): number {
    return this.#bytes.length;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    if (into.length === 0) throw new Error('asked for nothing');
    this.asked_bytes += into.length;
    const end = Math.min(position + this.#piece_bytes, this.#bytes.length);
    return this.#bytes.copy(into, 0, Math.min(position, end), end);
  }

  write = refused;
  truncate = refused;
  flush = refused;
  close = refused;
}

function refused(): never {
  throw new Error('is only read');
}

/** The lines of records from an index on, each in a flush of its own. */
function linesFrom(first: number, count: number, detail = 'x'): Buffer[] {
  return Array.from({ length: count }, (_, at) => {
    const text = `{"detail":"${detail}","index":${first + at},"v":1}`;
    return formatFlush([{ text, disclosed: [] }]).bytes;
  });
}

const offsetOf = (lines: readonly Buffer[], at: number): number =>
  Buffer.concat(lines.slice(0, at)).length;

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe('the line after a position', () => {
  const lines = linesFrom(2, 4);
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = lines;
  const file = new Bytes(Buffer.concat(lines));

  test.each([
    ['inside of a line', 5, 1],
    ['where a line begins', 0, 1],
    ['where the second begins', first.length, 2],
    ['of the line feed before it', first.length - 1, 1],
  ])('is found from %s', async (_where, position, at) => {
    const found = { index: 2 + at, offset_bytes: offsetOf(lines, at) };
    expect(await findLineAfter(file, position)).toEqual(found);
  });

  test('is none in the last one, at the end and behind it', async () => {
    const end = offsetOf(lines, 4);
    for (const position of [offsetOf(lines, 3), end - 1, end, end + 9]) {
      expect(await findLineAfter(file, position)).toBeUndefined();
    }
  });

  test('is none where that line is damaged, whatever stands behind it', async () => {
    const bad = Buffer.from(String(second).replace('"x"', '"y"'));
    const bytes = Buffer.concat([first, bad, ...lines.slice(2)]);
    expect(await findLineAfter(new Bytes(bytes), 5)).toBeUndefined();
  });

  test('is none where that line has no end', async () => {
    const bytes = Buffer.concat([first, second.subarray(0, -1)]);
    expect(await findLineAfter(new Bytes(bytes), 5)).toBeUndefined();
  });
});

describe('the last record', () => {
  test('is found without reading a long file, nor anything that is not there', async () => {
    const lines = linesFrom(2, 20, 'x'.repeat(100_000));
    const file = new Bytes(Buffer.concat(lines));
    expect(await readLastRecord(file, SEGMENT)).toMatchObject({ index: 21 });
    expect(file.asked_bytes).toBe(256 * 1024);
    const short = new Bytes(Buffer.concat(linesFrom(2, 2)));
    expect(await readLastRecord(short, SEGMENT)).toMatchObject({ index: 3 });
    expect(short.asked_bytes).toBe(short.size_bytes());
  });

  test('is damaged where another byte stands for its line feed', async () => {
    const bytes = Buffer.concat(linesFrom(2, 2));
    bytes[bytes.length - 1] = 0x20;
    await expect(readLastRecord(new Bytes(bytes), SEGMENT)).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: 'the last line of `/evidence/0000000000000002.log` is not what was written',
    });
  });
});

describe('reading from a place on', () => {
  const read = (lines: readonly Buffer[], at: number): Promise<(StoredRecord | TornTail)[]> => {
    const place = { index: SEGMENT.first + at, offset_bytes: offsetOf(lines, at) };
    return all(readSegment(new Bytes(Buffer.concat(lines)), SEGMENT, place));
  };

  test('counts the lines from the begin of the file', async () => {
    const lines = linesFrom(2, 3);
    expect(await read([...lines, Buffer.from('torn')], 2)).toMatchObject([
      { record: { index: 4 }, offset_bytes: offsetOf(lines, 2) },
      { torn_at_bytes: offsetOf(lines, 3), line: 4 },
    ]);
  });

  test('tells which line is damaged', async () => {
    const lines = [...linesFrom(2, 2), ...linesFrom(9, 1)];
    await expect(read(lines, 1)).rejects.toThrow(
      'line 3 of `/evidence/0000000000000002.log` is not what was written',
    );
  });
});

describe('a line', () => {
  /** Of a file of so many bytes: its first line is that long, and what is not is `end`. */
  const longLine = async (bytes: number, end: string): Promise<RawLine[]> => {
    const buffer = Buffer.alloc(bytes, 'a');
    return await all(readLines(new Bytes(Buffer.concat([buffer, Buffer.from(end)])), 0));
  };

  test('is read up to 128 MiB with its line feed, and beyond only passed over', async () => {
    const more = 'b'.repeat(600_000);
    const [taken, after] = await longLine(LINE_BYTES_MAX - 1, `\n${more}\n`);
    expect(taken).toMatchObject({ number: 1, complete: true, end_bytes: LINE_BYTES_MAX });
    expect(taken?.bytes).toHaveLength(LINE_BYTES_MAX - 1);
    expect(after).toMatchObject({ number: 2, bytes: Buffer.from(more), complete: true });
    const [passed, next] = await longLine(LINE_BYTES_MAX, '\nb\n');
    expect(passed).toMatchObject({ complete: true, end_bytes: LINE_BYTES_MAX + 1 });
    expect(passed?.bytes).toHaveLength(0);
    expect(next).toMatchObject({ number: 2, bytes: Buffer.from('b'), complete: true });
  });

  test('of that length without an end is what stands there', async () => {
    const [torn, ...more] = await longLine(LINE_BYTES_MAX, '');
    expect(torn).toMatchObject({ complete: false, end_bytes: LINE_BYTES_MAX });
    expect(torn?.bytes).toHaveLength(LINE_BYTES_MAX);
    expect(more).toEqual([]);
  });

  test('of a file that has many is as long as it is, however late in the file', async () => {
    const lines = linesFrom(2, 3000, 'x'.repeat(100));
    const read = await all(readLines(new Bytes(Buffer.concat(lines), 1000), 0));
    expect(read.map(({ bytes }) => bytes.length + 1)).toEqual(lines.map(({ length }) => length));
    expect(read.map(({ offset_bytes }) => offset_bytes).at(-1)).toBe(offsetOf(lines, 2999));
  });
});

test('bytes are asked for until they are there, and no more', async () => {
  const file = new Bytes(Buffer.from('abcdef'), 2);
  expect(String(await readExactly(file, 1, 4))).toBe('bcde');
  expect(file.asked_bytes).toBe(4 + 2);
  expect(String(await readExactly(file, 4, 9))).toBe('ef');
});

test('a segment is opened to be read, and closed after, also when that fails', async () => {
  const told: string[] = [];
  const file = Object.assign(new Bytes(Buffer.alloc(0)), { close: () => void told.push('close') });
  const open: (typeof nodeFiles)['open'] = (path, use) => {
    told.push(`${use} ${path}`);
    return file;
  };
  expect(await useFile({ ...nodeFiles, open }, SEGMENT, async () => 'read')).toBe('read');
  const fails = useFile({ ...nodeFiles, open }, SEGMENT, () => Promise.reject(new Error('bad')));
  await expect(fails).rejects.toThrow('bad');
  const once = [`read ${SEGMENT.path}`, 'close'];
  expect(told).toEqual([...once, ...once]);
});
