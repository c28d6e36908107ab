/**
 * Receipts: a `.tlog-proof` file whose `extra` line is the record in base64, with some of what it
 * seals or nothing of it. That line is not trusted; it is where the format puts what is needed to
 * compute the leaf, and the leaf is proved.
 */
import { openCheckpoint, type Trust, type TrustedCheckpoint } from './checkpoint.ts';
import { Refuted, verified, type Verified } from './fault.ts';
import { isIncluded, leafHash } from './merkle.ts';
import { parseProof } from './proof.ts';
import { readRecord } from './record.ts';
import { openRecord, splitDisclosures, type OpenedRecord } from './seal.ts';

/** A record that is proved to stand in a log. */
export interface ProvedRecord extends OpenedRecord {
  checkpoint: TrustedCheckpoint;
}

/** Judges a receipt by nothing but its bytes and whom the reader trusts. */
export function verifyReceipt(bytes: Uint8Array, trust: Trust): Verified<ProvedRecord> {
  return verified(() => {
    const proof = parseProof(bytes);
    const checkpoint = openCheckpoint(proof.checkpoint, trust);
    if (!proof.extra) throw new Refuted('RECORD_ABSENT');
    const { leaf, disclosures } = splitDisclosures(proof.extra);
    const place = { index: proof.index, hash: leafHash(leaf) };
    if (!isIncluded(place, proof.path, checkpoint)) throw new Refuted('INCLUSION_FALSE');
    return { ...openRecord(readRecord(leaf, proof.index), disclosures), checkpoint };
  });
}
