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
import { hashLeaf } from './tree/hash.ts';

const MARK_AT = 64;
const BEGINS_FLUSH = ' ';
const SAME_FLUSH = '+';

/** Bytes of a line beside its record. */
export const LINE_OVERHEAD_BYTES = MARK_AT + 2;

/** What a line holds. */
export interface Line {
  begins_flush: boolean;
  /** The record. */
  text: string;
  /** Its hash as a leaf. */
  leaf: Buffer;
}

/** The lines of one flush, and the hashes of their leaves. */
export function formatFlush(records: readonly string[]): { bytes: Buffer; leaves: Buffer[] } {
  const leaves = records.map(hashLeaf);
  const lines = records.map((record, at) => {
    return `${leaves[at]}${at === 0 ? BEGINS_FLUSH : SAME_FLUSH}${record}\n`;
  });
  return {
    bytes: Buffer.from(lines.join('')),
    leaves: leaves.map((leaf) => Buffer.from(leaf, 'hex')),
  };
}

/** The line that stands in these bytes (without the line feed), or undefined if it is damaged. */
export function parseLine(bytes: Buffer): Line | undefined {
  const mark = bytes.toString('latin1', MARK_AT, MARK_AT + 1);
  if (mark !== BEGINS_FLUSH && mark !== SAME_FLUSH) return undefined;
  // Bytes that are not UTF-8 decode to something else and fail the hash.
  const text = bytes.toString('utf8', MARK_AT + 1);
  const leaf = bytes.toString('latin1', 0, MARK_AT);
  if (hashLeaf(text) !== leaf) return undefined;
  return { begins_flush: mark === BEGINS_FLUSH, text, leaf: Buffer.from(leaf, 'hex') };
}
