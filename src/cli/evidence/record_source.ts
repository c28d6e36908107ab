/** Where records are read: a folder. */
import { randomBytes } from 'node:crypto';
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import {
  EvidenceIndex,
  indexPathOf,
  type RecordPage,
  type RecordQuery,
} from '../../evidence/index/evidence_index.ts';
import { requireLog } from './log_folder.ts';

/** What `list` and `show` need of a log. */
export interface RecordSource {
  page(query: RecordQuery): Promise<RecordPage>;
  /** Undefined where there is none at that place. */
  record(index: number): Promise<EvidenceRecord | undefined>;
  close(): Promise<void>;
}

export interface SourceOptions {
  /** Folder of the log. */
  log?: string;
  /** File of its index. */
  index?: string;
}

const KEY_BYTES = 32;

/** Throws `ARGUMENT_INVALID` where nothing can be read there. */
export function openFolder(log: string, index = indexPathOf(log)): RecordSource {
  requireLog(log);
  const newKey = (): Buffer => randomBytes(KEY_BYTES);
  const opened = new EvidenceIndex({ directory: log, path: index, newKey });
  return {
    page: (query) => opened.page(query),
    record: async (place) => (await opened.record(place))?.record,
    close: () => opened.close(),
  };
}
