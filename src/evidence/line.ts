/**
 * A line of the log: 64 hexadecimal digits, one mark, the record as canonical JSON (RFC 8785), and
 * a line feed. The digits are the hash of a Merkle tree leaf (RFC 6962, section 2.1), so that a
 * torn or changed line is recognised, and a tree can stand on the same lines.
 *
 * The mark is a space where the line begins a flush and `+` where it was flushed together with the
 * line before. A flush begins only after the one before it ended: what stands before a space was
 * durable. A bad line that is followed by a space is therefore damage, never a torn tail, even on a
 * disk that keeps the later pages of an interrupted write and loses the earlier ones.
 */
import { hash } from 'node:crypto';

const MARK_AT = 64;
const BEGINS_FLUSH = ' ';
const SAME_FLUSH = '+';

/** Bytes of a line beside its record. */
export const LINE_OVERHEAD_BYTES = MARK_AT + 2;

/** What a line holds. */
export interface Line {
  begins_flush: boolean;
  record: string;
}

/** The lines of one flush. */
export function formatFlush(records: readonly string[]): Buffer {
  const lines = records.map((record, at) => formatLine({ begins_flush: at === 0, record }));
  return Buffer.from(lines.join(''));
}

function formatLine({ begins_flush, record }: Line): string {
  return `${leafHash(record)}${begins_flush ? BEGINS_FLUSH : SAME_FLUSH}${record}\n`;
}

/** The line that stands in these bytes (without the line feed), or undefined if it is damaged. */
export function parseLine(bytes: Buffer): Line | undefined {
  const mark = bytes.toString('latin1', MARK_AT, MARK_AT + 1);
  if (mark !== BEGINS_FLUSH && mark !== SAME_FLUSH) return undefined;
  // Bytes that are not UTF-8 decode to something else and fail the hash.
  const record = bytes.toString('utf8', MARK_AT + 1);
  if (leafHash(record) !== bytes.toString('latin1', 0, MARK_AT)) return undefined;
  return { begins_flush: mark === BEGINS_FLUSH, record };
}

/** MTH({d(0)}) = SHA-256(0x00 || d(0)), in hexadecimal. */
function leafHash(record: string): string {
  return hash('sha256', `\0${record}`, 'hex');
}
