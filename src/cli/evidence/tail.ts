/** `portcullis evidence tail`: the newest records, and with `--follow` each as it comes. */
import { watch } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { meets } from '../../evidence/index/fields.ts';
import { countRecords, readStored } from '../../evidence/read.ts';
import { stopSignal } from '../stop_signal.ts';
import { writeLine, type Terminal } from '../terminal.ts';
import { countOf, filterOf, type FilterOptions } from './filter_options.ts';
import { requireLog } from './log_folder.ts';
import { recordLines } from './record_text.ts';

/** How often a log is looked at where the system does not tell of changes. */
const LOOK_INTERVAL_MS = 1_000;

const LINES_MAX = 100_000;

export async function tailRecords(
  options: FilterOptions & { log: string; lines: string; follow?: true; json?: true },
  terminal: Terminal,
): Promise<number> {
  const { log, lines, follow, json } = options;
  requireLog(log);
  const filter = filterOf(options);
  const count = countOf(lines, '--lines', LINES_MAX);
  await using opened = new AsyncDisposableStack();
  const ended = new AbortController();
  if (follow) void stopSignal(opened).then(() => ended.abort());
  let next = Math.max(0, (await countRecords(log)) - count);
  const changes = changesOf(log, opened);
  do {
    for await (const { record } of readStored(log, { from: next })) {
      next = record.index + 1;
      if (!meets(record, filter)) continue;
      const [line = ''] = json ? [JSON.stringify(record)] : recordLines([record], terminal.stdout);
      if (ended.signal.aborted || !(await writeLine(terminal.stdout, line))) return 0;
    }
    if (follow) await changes(ended.signal);
  } while (follow && !ended.signal.aborted);
  return 0;
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
