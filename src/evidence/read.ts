/** Reads a log back, also one that is being written. */
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { type EvidenceFiles, nodeFiles } from './files.ts';
import { findPlace } from './records.ts';
import {
  type Segment,
  type StoredRecord,
  damaged,
  listSegments,
  missing,
  readSegment,
} from './segment.ts';

export interface ReadOptions {
  /** Index of the first record to read. */
  from?: number;
  files?: EvidenceFiles;
}

/**
 * The records of an evidence directory in order. Ends before a flush that is not complete. Throws
 * `EVIDENCE_DAMAGED` at a record that is not what was written, or that is left out.
 */
export async function* readEvidence(
  directory: string,
  options: ReadOptions = {},
): AsyncGenerator<EvidenceRecord> {
  for await (const { record } of readStored(directory, options)) yield record;
}

/** The same with where each stands. */
export async function* readStored(
  directory: string,
  { from = 0, files = nodeFiles }: ReadOptions = {},
): AsyncGenerator<StoredRecord> {
  const segments = listSegments(files, directory);
  let next: number | undefined;
  for (const [at, segment] of segments.entries()) {
    const following = segments[at + 1];
    if (following && following.first <= from) continue;
    if (next !== undefined && next !== segment.first) throw missing(next, segment);
    next = segment.first;
    for await (const found of readFrom(files, segment, from, following === undefined)) {
      next = found.record.index + 1;
      if (found.record.index >= from) yield found;
    }
  }
}

async function* readFrom(
  files: EvidenceFiles,
  segment: Segment,
  from: number,
  is_last: boolean,
): AsyncGenerator<StoredRecord> {
  const file = files.open(segment.path, 'read');
  try {
    const place = await findPlace(file, segment, from);
    for await (const found of readSegment(file, segment, place)) {
      if ('record' in found) yield found;
      else if (!is_last) throw damaged(segment, found.line);
    }
  } finally {
    file.close();
  }
}

/** How many records there are, found at the end of the last segment. */
export async function countRecords(
  directory: string,
  files: EvidenceFiles = nodeFiles,
): Promise<number> {
  const last = listSegments(files, directory).at(-1);
  if (!last) return 0;
  let count = last.first;
  for await (const { record } of readFrom(files, last, Number.MAX_SAFE_INTEGER, true)) {
    count = record.index + 1;
  }
  return count;
}
