/**
 * Opens what an earlier process left, whatever ended it. Lines stand for themselves, so one that is
 * damaged takes no other with it. What a torn end held was never called kept, but somebody did it:
 * it is cut off, and that it is missing is kept in its place.
 *
 * What is there after a flush that failed may be in the memory of the machine alone, and no later
 * flush writes it. What is kept next therefore begins with a line feed (`begun`), so that a gap in
 * front of it would not run into it.
 */
import { join } from 'node:path';
import type { Random } from '../contract/ambient.ts';
import type { EvidenceFile, EvidenceFiles } from '../evidence/files.ts';
import { writeFully } from '../evidence/recovery.ts';
import { readLines } from '../evidence/segment.ts';
import { formatLine, parseLine, wasMark, type Line } from './line.ts';

/** A file of the spool, named by the number of what is kept first in it. */
export interface Segment {
  path: string;
  first: number;
  size_bytes: number;
}

export interface Recovered {
  /** In their order; the last one is written. */
  segments: Segment[];
  file: EvidenceFile;
  /** Number of what is kept next. */
  next: number;
  /** The last number that is known to be recorded. */
  delivered: number;
  /** Of a torn end that was cut off. */
  dropped_bytes: number;
}

export interface RecoveryParts {
  directory: string;
  files: EvidenceFiles;
  random: Random;
}

const LINE_FEED = Buffer.from('\n');

/** As many digits as the largest safe integer has, so that names sort as numbers do. */
const NAME = /^(\d{16})\.spool$/;

export function segmentAt(directory: string, first: number): Segment {
  const name = `${String(first).padStart(16, '0')}.spool`;
  return { path: join(directory, name), first, size_bytes: 0 };
}

/**
 * Rejects with what the disk says. Who wrote the torn end itself (`isOwn`) knows what became of it,
 * and it is only cut off.
 */
export async function recoverSpool(parts: RecoveryParts, isOwn = false): Promise<Recovered> {
  const { directory, files } = parts;
  const segments = listSegments(parts);
  const last = segments.at(-1) ?? segmentAt(directory, 1);
  const file = files.open(last.path, segments.length > 0 ? 'write' : 'create');
  try {
    if (segments.length === 0) segments.push(last);
    const found = await scan(files, segments);
    if (isOwn) found.torn = 0;
    const dropped_bytes = cutTornEnd(parts, file, last, found);
    await file.flush();
    await files.flushDirectory(directory);
    const { next, delivered } = found;
    return { segments, file, next, delivered, dropped_bytes };
  } catch (error) {
    file.close();
    throw error;
  }
}

function listSegments({ directory, files }: RecoveryParts): Segment[] {
  return files
    .names(directory)
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .sort()
    .map((digits) => segmentAt(directory, Number(digits)));
}

interface Found {
  next: number;
  delivered: number;
  /** Where the good lines of the last segment end. */
  end_bytes: number;
  /** Line feeds behind them, with which nothing began. */
  blank_bytes: number;
  /** How many lines behind that may have held something. */
  torn: number;
}

async function scan(files: EvidenceFiles, segments: readonly Segment[]): Promise<Found> {
  const first = segments[0]?.first ?? 1;
  const found = { next: first, delivered: first - 1, end_bytes: 0, blank_bytes: 0, torn: 0 };
  for (const segment of segments) {
    found.next = Math.max(found.next, segment.first);
    Object.assign(found, { end_bytes: 0, blank_bytes: 0, torn: 0 });
    for await (const { line, bytes, end_bytes, mark } of linesOf(files, segment)) {
      segment.size_bytes = end_bytes;
      if (line) Object.assign(found, advanced(found, line), { end_bytes, blank_bytes: 0, torn: 0 });
      else if (bytes.length === 0) found.blank_bytes += 1;
      else found.torn += mark ? 0 : 1;
    }
  }
  return found;
}

function advanced(found: Found, line: Line): Pick<Found, 'next' | 'delivered'> {
  const { number = 0, delivered = 0 } = line as { number?: number; delivered?: number };
  return {
    next: Math.max(found.next, number + 1),
    delivered: Math.max(found.delivered, delivered),
  };
}

/** The first line of this process in a file that has others. */
export function begun(line: Buffer, { size_bytes }: Pick<Segment, 'size_bytes'>): Buffer {
  return size_bytes > 0 ? Buffer.concat([LINE_FEED, line]) : line;
}

/** What stands in a segment; `line` is undefined where it is damaged. */
export async function* linesOf(
  files: EvidenceFiles,
  { path }: Segment,
  from_bytes = 0,
): AsyncGenerator<{ line: Line | undefined; bytes: Buffer; end_bytes: number; mark: boolean }> {
  const file = files.open(path, 'read');
  try {
    for await (const { bytes, complete, end_bytes } of readLines(file, from_bytes)) {
      const line = complete ? parseLine(bytes) : undefined;
      yield { line, bytes, end_bytes, mark: wasMark(bytes) };
    }
  } finally {
    file.close();
  }
}

/** Says first what is missing: a crash in between may tell it twice, and never not at all. */
function cutTornEnd(
  { random }: RecoveryParts,
  file: EvidenceFile,
  last: Segment,
  found: Found,
): number {
  const size_bytes = file.size_bytes();
  last.size_bytes = found.end_bytes;
  if (found.torn > 0) {
    const unreported = { id: random.id(), count: found.torn, cause: 'damaged' } as const;
    const line = begun(formatLine({ number: found.next, unreported }), last);
    writeFully(file, line, last.size_bytes);
    last.size_bytes += line.length;
    found.next += 1;
  }
  if (size_bytes > last.size_bytes) file.truncate(last.size_bytes);
  return size_bytes - found.end_bytes - found.blank_bytes;
}
