/** `portcullis evidence list`: the records that a filter finds, a page at a time. */
import { print, printJson, styled, type Terminal } from '../terminal.ts';
import { countOf, filterOf, orderOf, type FilterOptions } from './filter_options.ts';
import { recordLines } from './record_text.ts';
import type { RecordSource } from './record_source.ts';

/** As many as the service gives at most. */
const LIMIT_MAX = 1_000;

export async function listRecords(
  source: RecordSource,
  options: FilterOptions & { limit: string; cursor?: string; json?: true },
  terminal: Terminal,
): Promise<number> {
  const { limit, cursor, json } = options;
  const page = await source.page({
    filter: filterOf(options),
    order: orderOf(options),
    limit: countOf(limit, '--limit', LIMIT_MAX),
    ...(cursor !== undefined && { cursor }),
  });
  if (json) {
    printJson(terminal, page);
    return 0;
  }
  for (const line of recordLines(page.records, terminal.stdout)) print(terminal, line);
  const { stderr } = terminal;
  if (page.records.length === 0) stderr.write('no record is found by that\n');
  if (page.next !== null) {
    stderr.write(`${styled(stderr, 'dim', `more with --cursor ${page.next}`)}\n`);
  }
  return 0;
}
