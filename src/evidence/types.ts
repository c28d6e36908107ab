/** The evidence log as its writers know it. */
import type { EvidenceRecord, RedactionRequest } from '../contract/types.gen.ts';
import type { ExportStatus } from './exports/types.ts';
import type { SealGroup } from './seal.ts';

/** A record before the log gives it its place, time and seals. */
export type EvidenceEntry = Omit<EvidenceRecord, 'v' | 'index' | 'time' | 'instance' | 'seals'>;

export interface EvidenceLog {
  /**
   * Appends a record and resolves with its index when it is durable. Rejects with
   * `EVIDENCE_UNWRITABLE` where it is not: after the disk failed, every later append does too;
   * where too many records wait, only this one. Rejects with `REQUEST_TOO_LARGE` above the largest
   * record, and where what is not sealed does not fit an entry of the log.
   */
  append(entry: EvidenceEntry): Promise<number>;
  status(): EvidenceStatus;
  /** Flushes what was accepted, then releases the directory. */
  close(): Promise<void>;
}

export interface EvidenceStatus {
  writable: boolean;
  /** Number of durable records. */
  size: number;
  problem?: string;
  /** How each export stands; absent where there is none. */
  exports?: ExportStatus[];
}

/**
 * What others can be shown of a log: its Merkle tree (RFC 6962) in the formats of C2SP. Reading
 * rejects with `EVIDENCE_DAMAGED` where the disk does not hold any more what was written.
 */
export interface EvidenceTree {
  /** Number of leaves, which are the durable records in their order. */
  readonly size: number;
  /** The newest signed checkpoint: a signed note (C2SP tlog-checkpoint). */
  checkpoint(): string;
  /**
   * Resolves with a checkpoint over all that is durable now, signed and stored where there is none
   * yet. Rejects with what the disk said, or `EVIDENCE_UNWRITABLE` after the log was closed.
   */
  sign(): Promise<string>;
  /**
   * The first `width` hashes, 1 to 256, of a tile (C2SP tlog-tiles); undefined where the tree has
   * them not.
   */
  tile(level: number, index: number, width: number): Promise<Uint8Array | undefined>;
  /** The first `width` leaves of an entry bundle; undefined where the log has them not. */
  entries(index: number, width: number): Promise<EntryBundle | undefined>;
  /** RFC 6962, section 2.1.1. Rejects with a `RangeError` unless index < size <= this size. */
  inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]>;
  /** RFC 6962, section 2.1.2. Rejects with a `RangeError` unless older <= newer <= this size. */
  consistencyProof(older: number, newer: number): Promise<readonly Uint8Array[]>;
  /**
   * A record and the proof that it is in the log; undefined where there is no such record. Signs a
   * checkpoint where none covers it yet. `sealed` leaves out what the record discloses.
   */
  receiptOf(index: number, sealed?: boolean): Promise<string | undefined>;
}

/** Records after their lengths, or why the format cannot hold them. */
export type EntryBundle = { bytes: Uint8Array } | { absent: string };

/** A log of which sealed members can be removed. */
export interface RedactableLog {
  /**
   * Removes sealed members from the records that were there when it was called, and records that
   * first. Readers who have a file open finish undisturbed. Where it rejects, with
   * `EVIDENCE_UNWRITABLE` or `EVIDENCE_DAMAGED`, some may be removed and others not; the same
   * asked again finishes it.
   */
  redact(redaction: Redaction): Promise<Redacted>;
}

/** What to remove, and of which records; all that is named must hold. */
export interface Redaction {
  /** Who asks. */
  caller: string;
  /** Where given, records of other tenants, and of none, are left as they are. */
  tenants?: ReadonlySet<string>;
  by: RedactionRequest['by'];
  /** All groups where absent. */
  only?: readonly SealGroup[];
}

export interface Redacted {
  /** Of the record that says so. */
  index: number;
  /** How many records it was about. */
  records: number;
}

/** A log whose records can be proved to others. */
export interface ProvableLog extends EvidenceLog, RedactableLog {
  readonly tree: EvidenceTree;
}
