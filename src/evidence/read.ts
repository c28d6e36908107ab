/** Reads a log back, also one that is being written. */
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { type EvidenceFiles, nodeFiles } from './files.ts';
import { type Segment, damaged, listSegments, missing, readSegment } from './segment.ts';

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
  { from = 0, files = nodeFiles }: ReadOptions = {},
): AsyncGenerator<EvidenceRecord> {
  const segments = listSegments(files, directory);
  let next: number | undefined;
  for (const [at, segment] of segments.entries()) {
    const following = segments[at + 1];
    if (following && following.first <= from) continue;
    if (next !== undefined && next !== segment.first) throw missing(next, segment);
    next = segment.first;
    for await (const record of readRecords(files, segment, following === undefined)) {
      next = record.index + 1;
      if (record.index >= from) yield record;
    }
  }
}

async function* readRecords(
  files: EvidenceFiles,
  segment: Segment,
  is_last: boolean,
): AsyncGenerator<EvidenceRecord> {
  const file = files.open(segment.path, 'read');
  try {
    for await (const found of readSegment(file, segment)) {
      if ('record' in found) yield found.record;
      else if (!is_last) throw damaged(segment, found.line);
    }
  } finally {
    file.close();
  }
}
