/**
 * A line of the log: 64 hexadecimal digits, one mark, the leaf of a record as canonical JSON
 * (RFC 8785), the disclosures of what it seals, each behind a tab, and a line feed. Canonical JSON
 * holds neither of the two. The digits are the hash of a Merkle tree leaf (RFC 6962, section 2.1),
 * so that a torn or changed line is recognised, and a tree can stand on the same lines; the seals
 * in the leaf do the same for the disclosures. One that is absent was redacted.
 *
 * The mark is a space where the line begins a flush and `+` where it was flushed together with the
 * line before. A flush begins only after the one before it ended: what stands before a space was
 * durable. A bad line that is followed by a space is therefore damage, never a torn tail, even on a
 * disk that keeps the later pages of an interrupted write and loses the earlier ones.
 */
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { type SealedRecord, openSeals } from './seal.ts';
import { hashLeaf } from './tree/hash.ts';

const MARK_AT = 64;
const BEGINS_FLUSH = ' ';
const SAME_FLUSH = '+';
const TAB = '\t';

/** What a line holds. */
export interface Line extends SealedRecord {
  begins_flush: boolean;
  /** Hash of the leaf. */
  leaf: Buffer;
  /** With what is disclosed put back; undefined where the leaf is no record of this version. */
  record: EvidenceRecord | undefined;
}

/** Bytes of the line of a record. */
export function lineBytes({ text, disclosed }: SealedRecord): number {
  let size_bytes = MARK_AT + 2 + Buffer.byteLength(text);
  for (const disclosure of disclosed) size_bytes += 1 + Buffer.byteLength(disclosure);
  return size_bytes;
}

/** The lines of one flush, and the hashes of their leaves. */
export function formatFlush(records: readonly SealedRecord[]): { bytes: Buffer; leaves: Buffer[] } {
  const leaves = records.map(({ text }) => hashLeaf(text));
  const lines = records.map((record, at) => formatLine(leaves[at] as string, at === 0, record));
  return {
    bytes: Buffer.from(lines.join('')),
    leaves: leaves.map((leaf) => Buffer.from(leaf, 'hex')),
  };
}

/** `leaf` is the hash of the leaf in hexadecimal. */
export function formatLine(leaf: string, begins_flush: boolean, record: SealedRecord): string {
  let line = `${leaf}${begins_flush ? BEGINS_FLUSH : SAME_FLUSH}${record.text}`;
  for (const disclosure of record.disclosed) line += TAB + disclosure;
  return `${line}\n`;
}

/** The line that stands in these bytes (without the line feed), or undefined if it is damaged. */
export function parseLine(bytes: Buffer): Line | undefined {
  const mark = bytes.toString('latin1', MARK_AT, MARK_AT + 1);
  if (mark !== BEGINS_FLUSH && mark !== SAME_FLUSH) return undefined;
  // Bytes that are not UTF-8 decode to something else and fail the hash.
  const [text = '', ...disclosed] = bytes.toString('utf8', MARK_AT + 1).split(TAB);
  const leaf = bytes.toString('latin1', 0, MARK_AT);
  if (hashLeaf(text) !== leaf) return undefined;
  const shown = parseLeaf(text);
  const record = shown && openSeals(shown, disclosed);
  if (shown && !record) return undefined;
  const begins_flush = mark === BEGINS_FLUSH;
  return { begins_flush, text, disclosed, leaf: Buffer.from(leaf, 'hex'), record };
}

/** A record of the version that this code reads; its hash was checked before. */
function parseLeaf(text: string): EvidenceRecord | undefined {
  try {
    const record = JSON.parse(text) as EvidenceRecord | null;
    return record?.v === 1 ? record : undefined;
  } catch {
    return undefined;
  }
}
