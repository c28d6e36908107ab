import type { SealedRecord } from '../seal.ts';

/**
 * The text that proves a record to somebody who has nothing but a public key (C2SP tlog-proof). Its
 * `extra` line, which the format leaves to the log, holds the bytes of the leaf and, each behind a
 * tab, the disclosures of what it seals; `sealed` leaves those out.
 */
export function formatReceipt(
  { text, disclosed }: SealedRecord,
  { index, path, note, sealed }: ReceiptParts,
): string {
  const extra = Buffer.from([text, ...(sealed ? [] : disclosed)].join('\t')).toString('base64');
  const hashes = path.map((hash) => `${Buffer.from(hash).toString('base64')}\n`);
  const head = `c2sp.org/tlog-proof@v1\nextra ${extra}\nindex ${index}\n`;
  return `${head}${hashes.join('')}\n${note}`;
}

export interface ReceiptParts {
  index: number;
  path: readonly Uint8Array[];
  /** The checkpoint. */
  note: string;
  /** Whether what the record seals stays sealed. */
  sealed: boolean;
}
