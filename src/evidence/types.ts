/** The evidence log as its writers know it. */
import type { EvidenceRecord } from '../contract/types.gen.ts';

/** A record before the log gives it its place and time. */
export type EvidenceEntry = Omit<EvidenceRecord, 'v' | 'index' | 'time' | 'instance'>;

export interface EvidenceLog {
  /**
   * Appends a record and resolves with its index when it is durable. Rejects with
   * `EVIDENCE_UNWRITABLE` where it is not: after the disk failed, every later append does too;
   * where too many records wait, only this one. Rejects with `REQUEST_TOO_LARGE` above the largest
   * record.
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
}
