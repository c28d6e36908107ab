/** A record as a line: the record itself, by RFC 8785 as in the log. */
import { canonicalJson } from '../../../contract/canonical.ts';
import type { EvidenceRecord } from '../../../contract/types.gen.ts';

export function jsonLine(record: EvidenceRecord): string {
  return canonicalJson(record);
}
