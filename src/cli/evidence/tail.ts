/**
 * `portcullis evidence tail`: the newest records, and with `--follow` each as it comes. A folder is
 * read from so many records back; a service is asked for so many that the filter finds.
 */
import { watch } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { EvidenceRecord } from '../../contract/types.gen.ts';
import { meets, type RecordFilter } from '../../evidence/index/fields.ts';
import type { Order } from '../../evidence/index/candidates.ts';
import { countRecords, readStored } from '../../evidence/read.ts';
import { stopSignal } from '../stop_signal.ts';
import { writeLine, type Terminal } from '../terminal.ts';
import { countOf, filterOf, type FilterOptions } from './filter_options.ts';
import { requireLog } from './log_folder.ts';
import { openRecords, type RecordSource, type SourceOptions } from './record_source.ts';
import { recordLines } from './record_text.ts';

/** How often a log is looked at where nobody tells of changes. */
const LOOK_INTERVAL_MS = 1_000;

const LINES_MAX = 100_000;
/** Of a service, at once. */
const PAGE_RECORDS = 50;

export interface TailOptions extends FilterOptions, Omit<SourceOptions, 'index'> {
  lines: string;
  follow?: true;
  json?: true;
}

interface Tail {
  filter: RecordFilter;
  count: number;
  follow: boolean;
  signal: AbortSignal;
}

export async function tailRecords(options: TailOptions, terminal: Terminal): Promise<number> {
  const { log, url, tokenFile, lines, follow = false, json } = options;
  const filter = filterOf(options);
  const count = countOf(lines, '--lines', LINES_MAX);
  await using opened = new AsyncDisposableStack();
  const ended = new AbortController();
  if (follow) void stopSignal(opened).then(() => ended.abort());
  const tail = { filter, count, follow, signal: ended.signal };
  const isFolder = log !== undefined && url === undefined && tokenFile === undefined;
  const records = isFolder
    ? tailOfFolder(log, tail, opened)
    : tailOfService(
        opened.adopt(openRecords(options), (source) => source.close()),
        tail,
      );
  for await (const record of records) {
    const [line = ''] = json ? [JSON.stringify(record)] : recordLines([record], terminal.stdout);
    if (ended.signal.aborted || !(await writeLine(terminal.stdout, line))) return 0;
  }
  return 0;
}

async function* tailOfFolder(
  log: string,
  { filter, count, follow, signal }: Tail,
  opened: AsyncDisposableStack,
): AsyncGenerator<EvidenceRecord> {
  requireLog(log);
  let next = Math.max(0, (await countRecords(log)) - count);
  const changes = changesOf(log, opened);
  do {
    for await (const { record } of readStored(log, { from: next })) {
      next = record.index + 1;
      if (meets(record, filter)) yield record;
    }
    if (follow) await changes(signal);
  } while (follow && !signal.aborted);
}

/** Times of a log never go back, so that what comes is found from the time of the last one on. */
async function* tailOfService(
  source: RecordSource,
  { filter, count, follow, signal }: Tail,
): AsyncGenerator<EvidenceRecord> {
  const newest: EvidenceRecord[] = [];
  for await (const record of walk(source, filter, 'newest')) {
    newest.push(record);
    if (newest.length === count) break;
  }
  yield* newest.toReversed();
  let [last] = newest;
  while (follow && !signal.aborted) {
    await pause(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    const from = last ? { from_ms: Date.parse(last.time) } : {};
    for await (const record of walk(source, { ...filter, ...from }, 'oldest')) {
      if (last && record.index <= last.index) continue;
      last = record;
      yield record;
    }
  }
}

/** All pages of a filter. */
async function* walk(
  source: RecordSource,
  filter: RecordFilter,
  order: Order,
): AsyncGenerator<EvidenceRecord> {
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const query = { filter, order, limit: PAGE_RECORDS };
    const page = await source.page({ ...query, ...(cursor !== undefined && { cursor }) });
    yield* page.records;
    cursor = page.next;
  }
}

/** Resolves when something in a folder changed, or may have. */
function changesOf(
  folder: string,
  opened: AsyncDisposableStack,
): (signal: AbortSignal) => Promise<void> {
  let changed = Promise.withResolvers<void>();
  const watcher = watch(folder, () => changed.resolve());
  // What the watcher does not tell the interval does.
  watcher.on('error', () => {});
  opened.defer(() => watcher.close());
  return async (signal) => {
    const waited = new AbortController();
    const both = AbortSignal.any([signal, waited.signal]);
    const interval = pause(LOOK_INTERVAL_MS, undefined, { signal: both }).catch(() => {});
    await Promise.race([changed.promise, interval]);
    waited.abort();
    changed = Promise.withResolvers();
  };
}
