/** Where records are read: a folder, or a service that writes the log. */
import { randomBytes } from 'node:crypto';
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import {
  EvidenceIndex,
  indexPathOf,
  type RecordPage,
  type RecordQuery,
} from '../../evidence/index/evidence_index.ts';
import { PortcullisError } from '../../errors.ts';
import { requireLog } from './log_folder.ts';
import { openService } from './service_source.ts';

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
  /** Address of a service, or `unix:` and the path of its socket. */
  url?: string;
  tokenFile?: string;
}

/** Throws `ARGUMENT_INVALID` where the options name no log, or two. */
export function openRecords({ log, index, url, tokenFile }: SourceOptions): RecordSource {
  if ((log === undefined) === (url === undefined)) {
    throw new PortcullisError('ARGUMENT_INVALID', 'name a log with --log, or a service with --url');
  }
  if (url === undefined && tokenFile === undefined) return openFolder(log as string, index);
  if (url !== undefined && index === undefined) return openService(url, tokenFile);
  const message = '--index belongs to --log, and --token-file to --url';
  throw new PortcullisError('ARGUMENT_INVALID', message);
}

const KEY_BYTES = 32;

/** Throws `ARGUMENT_INVALID` where nothing can be read there. */
function openFolder(log: string, index = indexPathOf(log)): RecordSource {
  requireLog(log);
  const newKey = (): Buffer => randomBytes(KEY_BYTES);
  const opened = new EvidenceIndex({ directory: log, path: index, newKey });
  return {
    page: (query) => opened.page(query),
    record: async (place) => (await opened.record(place))?.record,
    close: () => opened.close(),
  };
}
