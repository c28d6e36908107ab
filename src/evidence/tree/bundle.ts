/** Entry bundles: the leaves of records, as C2SP tlog-tiles hands them out. */
import type { EntryBundle } from '../types.ts';

/** A length is written in two bytes. The log takes no larger leaf; one from before may be. */
export const ENTRY_BYTES_MAX = 65_535;

/** Each record after its length. A format that cannot say a length cannot hold the record. */
export function formatBundle(records: readonly { index: number; text: string }[]): EntryBundle {
  const parts: Buffer[] = [];
  for (const { index, text } of records) {
    const bytes = Buffer.from(text);
    if (bytes.length > ENTRY_BYTES_MAX) {
      const limit = `an entry bundle holds at most ${ENTRY_BYTES_MAX} of one`;
      return {
        absent: `record ${index} has ${bytes.length} bytes, and ${limit}; ask for receipts`,
      };
    }
    parts.push(Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes);
  }
  return { bytes: Buffer.concat(parts) };
}
