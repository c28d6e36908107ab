/** Exports of the evidence: what sends records to a receiver, and what is told of it. */
import type { EvidenceRecord, Status } from '../../contract/types.gen.ts';
import type { StoredRecord } from '../segment.ts';

/** One way to hand records on; each stands in a folder of its own. */
export interface ExportDriver {
  /** A record as its receiver takes it, as JSON; undefined where it is not for that receiver. */
  format(record: EvidenceRecord): string | undefined;
  /**
   * Hands on at least one record, in the order of the log. What it has to wait for it gives up when
   * `signal` says so. Rejects as a receiver that is away does.
   */
  deliver(texts: readonly string[], signal: AbortSignal): Promise<Delivery>;
  close(): Promise<void>;
}

/** What a receiver did with a batch. */
export type Delivery =
  /** It has it, but for so many records of it that it says it left out. */
  | { outcome: 'taken'; rejected_records: number }
  /** Nobody knows, or not now: it is sent again, not before so long. */
  | { outcome: 'away'; reason: string; after_ms?: number }
  /** It will never take all of it. */
  | { outcome: 'refused'; reason: string };

/** Records that a receiver did not get and that are not sent to it again. */
export interface Gap {
  /** Indices of the first and the last. */
  first: number;
  last: number;
  /** How many, in that stretch. */
  records: number;
  reason: string;
}

/** The log as an export reads it. */
export interface RecordSource {
  /** Name of the log in its checkpoints. */
  origin: string;
  /** Number of durable records. */
  size(): number;
  /** Records `from` to `to` - 1. Rejects with `EVIDENCE_DAMAGED`. */
  read(from: number, to: number): AsyncIterable<StoredRecord>;
}

export interface ExportSettings {
  name: string;
  type: string;
  /** Decisions are refused while it is too far behind. */
  required: boolean;
  /** How far that is. */
  lag_records_max: number;
  /** How long a record waits for others. */
  interval_ms: number;
  batch_records_max: number;
  /** Largest batch before it is compressed; a larger record goes alone. */
  batch_bytes_max: number;
  /** Longest wait for a receiver, and for the last records at the end. */
  timeout_ms: number;
  /** Wait after the first failure; it doubles with each further one. */
  retry_interval_ms: number;
  retry_interval_ms_max: number;
}

/** How an export stands, as the status tells it. */
export type ExportStatus = NonNullable<Status['exports']>[number];
