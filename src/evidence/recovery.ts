/**
 * Opens what an earlier process left, whatever ended it. Only the last segment can hold anything
 * that was not durable, because a segment is begun after the flush of the one before; of the others
 * the last record is read, which shows a segment that was lost or cut short.
 */
import { PortcullisError } from '../errors.ts';
import type { EvidenceFile, EvidenceFiles } from './files.ts';
import {
  type Segment,
  listSegments,
  missing,
  readExactly,
  readLastRecord,
  readSegment,
  segmentAt,
  useFile,
} from './segment.ts';

/** Where the log goes on. */
export interface Recovered {
  segment: Segment;
  file: EvidenceFile;
  size_bytes: number;
  /** Index of the next record. */
  next: number;
  /** Time of the last record. */
  last_time_ms: number;
  /** Bytes of a torn tail that were cut off. */
  dropped_bytes: number;
}

/**
 * Finds the end of a log, or begins one. `signed` is how many records were signed once: so many are
 * there, or nothing is touched. Throws `EVIDENCE_DAMAGED`, or what the disk throws.
 */
export async function recoverLog(
  files: EvidenceFiles,
  directory: string,
  signed: number,
): Promise<Recovered> {
  const segments = listSegments(files, directory);
  const last = segments.pop();
  if (!last && signed > 0) throw cutOff(directory, 0, signed);
  const last_time_ms = await followSegments(files, segments, last);
  const segment = last ?? segmentAt(directory, 0);
  const file = files.open(segment.path, last ? 'write' : 'create');
  try {
    const end = await findEnd(file, segment, last_time_ms);
    if (end.next < signed) throw cutOff(segment.path, end.next, signed);
    const dropped_bytes = file.size_bytes() - end.size_bytes;
    if (dropped_bytes > 0) file.truncate(end.size_bytes);
    await makeDurable(file, end);
    await files.flushDirectory(directory);
    return { segment, file, dropped_bytes, ...end };
  } catch (error) {
    file.close();
    throw error;
  }
}

function cutOff(path: string, size: number, signed: number): PortcullisError {
  return new PortcullisError(
    'EVIDENCE_DAMAGED',
    `record ${size} is not at the end of \`${path}\`: it was cut off or changed, ` +
      `for the checkpoint covers ${signed} records`,
  );
}

/** Demands that each segment ends where the next begins; returns the time of their last record. */
async function followSegments(
  files: EvidenceFiles,
  earlier: readonly Segment[],
  last: Segment | undefined,
): Promise<number> {
  let last_time_ms = 0;
  for (const [at, segment] of earlier.entries()) {
    const record = await useFile(files, segment, (file) => readLastRecord(file, segment));
    const following = earlier[at + 1] ?? last;
    if (following && record.index + 1 !== following.first) {
      throw missing(following.first - 1, following);
    }
    last_time_ms = Date.parse(record.time);
  }
  return last_time_ms;
}

interface End {
  size_bytes: number;
  /** Where the lines of the last flush begin. */
  last_flush_bytes: number;
  next: number;
  last_time_ms: number;
}

/** Reads the last segment to the end of its last good line. */
async function findEnd(file: EvidenceFile, segment: Segment, last_time_ms: number): Promise<End> {
  const end = { size_bytes: 0, last_flush_bytes: 0, next: segment.first, last_time_ms };
  for await (const found of readSegment(file, segment)) {
    if ('torn_at_bytes' in found) break;
    if (found.begins_flush) end.last_flush_bytes = found.offset_bytes;
    end.size_bytes = found.end_bytes;
    end.next = found.record.index + 1;
    end.last_time_ms = Date.parse(found.record.time);
  }
  return end;
}

/**
 * What was read may stand in the page cache only: the last process may have died before its flush,
 * and after a flush that failed the kernel holds the pages for clean, so that no later flush writes
 * them. Writing the last flush again, in place, makes them dirty again; a crash in between harms
 * nothing, since old and new bytes are the same.
 */
async function makeDurable(file: EvidenceFile, end: End): Promise<void> {
  const length = end.size_bytes - end.last_flush_bytes;
  writeFully(file, await readExactly(file, end.last_flush_bytes, length), end.last_flush_bytes);
  await file.flush();
}

/** Writes all of the bytes, going on after a short write. */
export function writeFully(file: EvidenceFile, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) {
    const taken = file.write(bytes.subarray(done), position + done);
    if (taken === 0) throw new Error('the disk took no byte');
    done += taken;
  }
}
