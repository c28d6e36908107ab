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
const STRETCH_BYTES = 256 * 1024;

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
  if (from >= to) return;
  const segments = listSegments(files, directory);
  let next = from;
  while (next < to) {
    const at = segments.findLastIndex(({ first }) => first <= next);
    const segment = segments[at];
    if (!segment) throw missing(next, { path: directory });
    const end = Math.min(to, segments[at + 1]?.first ?? to);
    yield* readPart(files, segment, next, end);
    next = end;
  }
}

async function* readPart(
  files: EvidenceFiles,
  segment: Segment,
  from: number,
  to: number,
): AsyncGenerator<StoredRecord> {
  const file = files.open(segment.path, 'read');
  try {
    let next = from;
    for await (const found of readSegment(file, segment, await findPlace(file, segment, from))) {
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

/** The place of a record at or before this one, not far from it. */
async function findPlace(file: EvidenceFile, segment: Segment, index: number): Promise<Place> {
  let place: Place = { index: segment.first, offset_bytes: 0 };
  let end_bytes = file.size_bytes();
  while (end_bytes - place.offset_bytes > STRETCH_BYTES) {
    const middle = Math.floor((place.offset_bytes + end_bytes) / 2);
    const line = await findLineAfter(file, middle);
    // Where no whole line begins behind the middle, or none that is whole yet, it is before it.
    if (line && line.index <= index && line.index > place.index) place = line;
    else end_bytes = middle;
  }
  return place;
}
