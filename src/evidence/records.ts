/** Records by their place: found by bisection, because each line says its own index. */
import type { EvidenceFile, EvidenceFiles } from './files.ts';
import {
  type Place,
  type Segment,
  type StoredRecord,
  damaged,
  findLineAfter,
  listSegments,
  missing,
  readSegment,
} from './segment.ts';

/** A stretch of a segment that is read to its end rather than cut in two again. */
const STRETCH_BYTES = 16 * 1024;

/** So many lines are read through rather than looked for. */
const NEAR_RECORDS = 8;

/**
 * Records `from` to `to` - 1, which were durable. Throws `EVIDENCE_DAMAGED` at one that is not what
 * was written, or is not there.
 */
export async function* readRecords(
  files: EvidenceFiles,
  directory: string,
  from: number,
  to: number,
): AsyncGenerator<StoredRecord> {
  if (from < to) yield* readListed(files, directory, listSegments(files, directory), [from, to]);
}

/** Single records, by their rising indices. Throws as above. */
export async function* readSingleRecords(
  files: EvidenceFiles,
  directory: string,
  indices: readonly number[],
): AsyncGenerator<StoredRecord> {
  const segments = listSegments(files, directory);
  const wanted = new Set(indices);
  for (let at = 0, end = 0; at < indices.length; at = end) {
    end = at + 1;
    while ((indices[end] as number) - (indices[end - 1] as number) <= NEAR_RECORDS) end += 1;
    const range = [indices[at] as number, (indices[end - 1] as number) + 1] as const;
    for await (const found of readListed(files, directory, segments, range)) {
      if (wanted.has(found.record.index)) yield found;
    }
  }
}

async function* readListed(
  files: EvidenceFiles,
  directory: string,
  segments: readonly Segment[],
  [from, to]: readonly [from: number, to: number],
): AsyncGenerator<StoredRecord> {
  let next = from;
  while (next < to) {
    const at = segments.findLastIndex(({ first }) => first <= next);
    const segment = segments[at];
    if (!segment) throw missing(next, { path: directory });
    const following = segments[at + 1]?.first;
    const end = Math.min(to, following ?? to);
    yield* readPart(files, { ...segment, following }, next, end);
    next = end;
  }
}

async function* readPart(
  files: EvidenceFiles,
  segment: Segment & { following: number | undefined },
  from: number,
  to: number,
): AsyncGenerator<StoredRecord> {
  const file = files.open(segment.path, 'read');
  try {
    let next = from;
    const place = await findPlace(file, segment, from, segment.following);
    for await (const found of readSegment(file, segment, place)) {
      if ('torn_at_bytes' in found) break;
      if (found.record.index < from) continue;
      yield found;
      next = found.record.index + 1;
      if (next === to) return;
    }
    throw damaged(segment, next - segment.first + 1);
  } finally {
    file.close();
  }
}

/**
 * The place of a record at or before this one, not far from it. Each second step cuts in two; the
 * others guess by the lines known so far, which are of about one length, and by the record that
 * follows the segment.
 */
export async function findPlace(
  file: EvidenceFile,
  { first }: Segment,
  index: number,
  following?: number,
): Promise<Place> {
  let low: Place = { index: first, offset_bytes: 0 };
  let high: End = { index: following, offset_bytes: file.size_bytes() };
  for (let step = 0; high.offset_bytes - low.offset_bytes > STRETCH_BYTES; step += 1) {
    if (index - low.index <= NEAR_RECORDS) break;
    const share = step % 2 === 0 ? shareOf(index, low, high) : 1 / 2;
    const stretch_bytes = high.offset_bytes - low.offset_bytes;
    const position = Math.floor(low.offset_bytes + stretch_bytes * share);
    const line = await findLineAfter(file, position);
    // Where no whole line begins behind the middle, or none that is whole yet, it is before it.
    if (line && line.index <= index && line.index > low.index) low = line;
    else high = { index: line?.index, offset_bytes: position };
  }
  return low;
}

/** The end of where a record is looked for, and the record behind it where that is known. */
interface End {
  index: number | undefined;
  offset_bytes: number;
}

/** How far a record stands from one place to another, or a little before. */
function shareOf(index: number, low: Place, high: End): number {
  if (high.index === undefined || high.index <= index) return 1 / 2;
  const ahead = index - low.index - NEAR_RECORDS / 2;
  return Math.max(0, ahead / (high.index - low.index));
}
