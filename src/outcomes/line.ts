/**
 * A line of a spool: the CRC-32 of its text as eight hexadecimal digits, a space, the text as JSON,
 * and a line feed. What is kept has a number, one more than what was kept before, so that a line
 * that is gone is missed; a mark says up to which number the decision point has recorded it, and so
 * does what is kept first in a file that was emptied.
 *
 * The CRC tells what a crash or the disk did; against whoever can write the folder nothing helps.
 */
import { crc32 } from 'node:zlib';
import type { OutcomeReport, Unreported } from '../contract/types.gen.ts';

/** What waits to be recorded. */
export type Kept = { report: OutcomeReport } | { unreported: Unreported };

export type Line = (Kept & { number: number; delivered?: number }) | { delivered: number };

const TEXT_AT = 9;

export function formatLine(line: Line): Buffer {
  const text = JSON.stringify(line);
  return Buffer.from(`${checksum(text)} ${text}\n`);
}

/** The line that stands in these bytes (without the line feed), or undefined if it is damaged. */
export function parseLine(bytes: Buffer): Line | undefined {
  const text = bytes.toString('utf8', TEXT_AT);
  if (bytes.toString('latin1', 0, TEXT_AT) !== `${checksum(text)} `) return undefined;
  return JSON.parse(text) as Line;
}

/** Whether a damaged line seems to have been a mark, with which nothing is lost. */
export function wasMark(bytes: Buffer): boolean {
  return bytes.toString('latin1', TEXT_AT, TEXT_AT + 5) === '{"del';
}

export function checksum(text: string | Buffer): string {
  return crc32(text).toString(16).padStart(8, '0');
}
