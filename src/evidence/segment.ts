/** Segments: the files of a log, each named by the index of its first record. */
import { join } from 'node:path';
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceFile, EvidenceFiles } from './files.ts';
import { type Line, parseLine } from './line.ts';

export interface Segment {
  path: string;
  /** Index of the first record, also where there is none yet. */
  first: number;
}

/** A record and where it stands. */
export interface StoredRecord extends Line {
  record: EvidenceRecord;
  offset_bytes: number;
  end_bytes: number;
}

/** Where the line of a record begins. */
export interface Place {
  index: number;
  offset_bytes: number;
}

/** Bytes at the end of a segment that an interrupted flush left; nobody was answered on them. */
export interface TornTail {
  torn_at_bytes: number;
  line: number;
}

/** As many digits as the largest safe integer has, so that names sort as numbers do. */
const NAME = /^(\d{16})\.log$/;
const CHUNK_BYTES = 256 * 1024;
/** Whoever looks for one line reads little; who reads on reads much at a time. */
const FIRST_CHUNK_BYTES = 16 * 1024;
/** Above every line that can be written; what is longer is damage, and is not held in memory. */
const LINE_BYTES_MAX = 128 * 1024 * 1024;
const LINE_FEED = 10;

/** The segment that begins with a record. */
export function segmentAt(directory: string, first: number): Segment {
  return { path: join(directory, `${String(first).padStart(16, '0')}.log`), first };
}

/** The segments of a directory in order. Throws `EVIDENCE_DAMAGED` where the first is missing. */
export function listSegments(files: EvidenceFiles, directory: string): Segment[] {
  const segments = files
    .names(directory)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .sort()
    .map((digits) => segmentAt(directory, Number(digits)));
  const [oldest] = segments;
  if (oldest && oldest.first !== 0) throw missing(0, oldest);
  return segments;
}

/**
 * What stands in a segment, in order, from the place of a record on. A torn tail is yielded last.
 * Throws `EVIDENCE_DAMAGED` where a line that was durable is not what was written, or an index is
 * left out.
 */
export async function* readSegment(
  file: EvidenceFile,
  segment: Segment,
  place: Place = { index: segment.first, offset_bytes: 0 },
): AsyncGenerator<StoredRecord | TornTail> {
  let { index } = place;
  let torn: TornTail | undefined;
  for await (const raw of readLines(file, place.offset_bytes, index - segment.first + 1)) {
    const line = raw.complete ? parseLine(raw.bytes) : undefined;
    if (torn) {
      if (line?.begins_flush) throw damaged(segment, torn.line);
    } else if (line) {
      const { record } = line;
      if (record?.index !== index) throw damaged(segment, raw.number);
      index += 1;
      const { offset_bytes, end_bytes } = raw;
      yield { ...line, record, offset_bytes, end_bytes };
    } else {
      torn = { torn_at_bytes: raw.offset_bytes, line: raw.number };
    }
  }
  if (torn) yield torn;
}

/** Opens a segment to read it, and closes it after. */
export async function useFile<T>(
  files: EvidenceFiles,
  segment: Segment,
  use: (file: EvidenceFile) => Promise<T>,
): Promise<T> {
  const file = files.open(segment.path, 'read');
  try {
    return await use(file);
  } finally {
    file.close();
  }
}

/** The last record of a segment that another one follows, found without reading all of it. */
export async function readLastRecord(
  file: EvidenceFile,
  segment: Segment,
): Promise<EvidenceRecord> {
  const size_bytes = file.size_bytes();
  for (let window = CHUNK_BYTES; ; window *= 4) {
    const from = Math.max(0, size_bytes - window);
    const bytes = await readExactly(file, from, size_bytes - from);
    const begin = bytes.lastIndexOf(LINE_FEED, -2) + 1;
    if (begin === 0 && from > 0) continue;
    const line = bytes.at(-1) === LINE_FEED ? parseLine(bytes.subarray(begin, -1)) : undefined;
    if (!line?.record) throw damaged(segment, 'the last');
    return line.record;
  }
}

/** The first line that begins behind a position and is what was written; undefined without one. */
export async function findLineAfter(
  file: EvidenceFile,
  position: number,
): Promise<Place | undefined> {
  let is_first = true;
  for await (const { bytes, complete, offset_bytes } of readLines(file, position)) {
    const line = !is_first && complete ? parseLine(bytes) : undefined;
    if (line?.record) return { index: line.record.index, offset_bytes };
    if (!is_first) return undefined;
    is_first = false;
  }
  return undefined;
}

/** The bytes of a part of a file, fewer where it ends before. */
export async function readExactly(
  file: EvidenceFile,
  position: number,
  length: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const taken = await file.read(bytes.subarray(done), position + done);
    if (taken === 0) break;
    done += taken;
  }
  return bytes.subarray(0, done);
}

export interface RawLine {
  /** Counted from 1. */
  number: number;
  offset_bytes: number;
  end_bytes: number;
  /** Without the line feed; empty for a line beyond the limit. */
  bytes: Buffer;
  /** Whether a line feed ends it. */
  complete: boolean;
}

export async function* readLines(
  file: EvidenceFile,
  from_bytes: number,
  first_number = 1,
): AsyncGenerator<RawLine> {
  let pieces: Buffer[] = [];
  let number = first_number;
  let offset_bytes = from_bytes;
  let end_bytes = from_bytes;
  const cut = (complete: boolean): RawLine => {
    const kept = end_bytes - offset_bytes <= LINE_BYTES_MAX ? pieces : [];
    const line = { number, offset_bytes, end_bytes, bytes: Buffer.concat(kept), complete };
    pieces = [];
    number += 1;
    offset_bytes = end_bytes;
    return line;
  };
  for (let chunk_bytes = FIRST_CHUNK_BYTES; ; chunk_bytes = CHUNK_BYTES) {
    const chunk = await readExactly(file, end_bytes, chunk_bytes);
    if (chunk.length === 0) break;
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      pieces.push(chunk.subarray(from, at));
      end_bytes += at + 1 - from;
      from = at + 1;
      yield cut(true);
    }
    end_bytes += chunk.length - from;
    if (end_bytes - offset_bytes <= LINE_BYTES_MAX) pieces.push(chunk.subarray(from));
  }
  if (end_bytes > offset_bytes) yield cut(false);
}

/** A line is not what was written. */
export function damaged({ path }: Segment, line: number | 'the last'): PortcullisError {
  const place = line === 'the last' ? 'the last line' : `line ${line}`;
  return new PortcullisError('EVIDENCE_DAMAGED', `${place} of \`${path}\` is not what was written`);
}

/** Records are left out before a segment. */
export function missing(index: number, { path }: Pick<Segment, 'path'>): PortcullisError {
  return new PortcullisError(
    'EVIDENCE_DAMAGED',
    `record ${index} does not stand before the records of \`${path}\``,
  );
}
