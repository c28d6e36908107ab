/** What a leaf must be: the canonical text (RFC 8785) of a record that knows its place. */
import { canonicalJson } from '../contract/canonical.ts';
import { JSON_LIMITS, parseJson } from '../contract/json.ts';
import type { EvidenceRecord } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { Refuted } from './fault.ts';
import { RECORD_BYTES_MAX } from './proof.ts';

/** Reads the leaf at an index. Throws `TOO_LARGE`, `RECORD_INVALID` and `RECORD_MISPLACED`. */
export function readRecord(data: Uint8Array, index: number): EvidenceRecord {
  if (data.length > RECORD_BYTES_MAX) {
    throw new Refuted('TOO_LARGE', `a record has at most ${RECORD_BYTES_MAX} bytes`);
  }
  const parsed = parseJson(data, { ...JSON_LIMITS, size_bytes_max: RECORD_BYTES_MAX });
  if (!parsed.ok) throw new Refuted('RECORD_INVALID', 'the record is not strict JSON');
  if (!Buffer.from(canonicalJson(parsed.value)).equals(data)) {
    throw new Refuted('RECORD_INVALID', 'the record is not in its canonical form');
  }
  const judged = VALIDATORS.evidence_record(parsed.value);
  if (!judged.ok) throw new Refuted('RECORD_INVALID', 'the record does not fit its schema');
  if (judged.value.index !== index) throw new Refuted('RECORD_MISPLACED');
  return judged.value;
}
