/** What is read from the front of a spool. */
import { checksum, type Kept, type Line } from './line.ts';

/** What waits longest, and where it ends. */
export interface Batch {
  kept: Kept[];
  place: Place;
}

/** Behind what was read. */
export interface Place {
  /** Number of the last that was read. */
  number: number;
  /** Where the segment begins, and how far in it. */
  first: number;
  offset_bytes: number;
}

export function batchOf(kept: Kept[], place: Place): Batch | undefined {
  return kept.length === 0 ? undefined : { kept, place };
}

/** 0 for a mark, which has none. */
export function numberOf(line: Line): number {
  return 'number' in line ? line.number : 0;
}

/** What a line brings, after what should have stood before it and is gone. */
export function unread(line: Line, after: number, bytes: Buffer): Kept[] {
  if (!('number' in line) || line.number <= after) return [];
  const { number, delivered = 0, ...kept } = line;
  const count = number - Math.max(after, delivered) - 1;
  if (count === 0) return [kept];
  // The same each time that it is read, so that it is recorded once.
  const id = `damaged:${after + 1}:${number - 1}:${checksum(bytes)}`;
  return [{ unreported: { id, count, cause: 'damaged' } }, kept];
}
