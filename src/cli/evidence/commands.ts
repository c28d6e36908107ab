/** The commands that read records, with their options. */
import type { Command } from 'commander';
import type { Terminal } from '../terminal.ts';
import { exportRecords } from './export.ts';
import { withFilters } from './filter_options.ts';
import { listRecords } from './list.ts';
import { openRecords, type RecordSource, type SourceOptions } from './record_source.ts';
import { showRecord } from './show.ts';
import { tailRecords, type TailOptions } from './tail.ts';

/** Describes the commands; `done` is told the exit code. */
export function readingCommands(
  evidence: Command,
  terminal: Terminal,
  done: (code: number) => void,
): void {
  const command = (name: string, description: string, example: string): Command =>
    evidence
      .command(name)
      .description(description)
      .addHelpText('after', `\nExample:\n  $ portcullis evidence ${example}`);
  const json = (text: string): [string, string] => ['--json', text];
  const folder = ['--log <folder>', 'the log: setting evidence.directory'] as const;
  const place = (of: Command): Command =>
    of
      .option(...folder)
      .option(
        '--url <url>',
        'in its place a running service, such as unix:.portcullis/run/pdp.sock',
      )
      .option('--token-file <file>', 'a token that the service takes');
  const records = (of: Command): Command =>
    place(of).option(
      '--index <file>',
      'its index, made where there is none (default: <log>.index)',
    );

  withFilters(records(command('list', 'the records that a filter finds, the newest first', LIST)))
    .option('--oldest', 'the oldest first')
    .option('--limit <number>', 'most records, up to 1000', '50')
    .option('--cursor <text>', 'go on where a list ended')
    .option(...json('print the page as JSON'))
    .action(async (options: ListOptions) =>
      done(await withSource(options, (source) => listRecords(source, options, terminal))),
    );
  records(command('show <record>', 'a record, and what belongs to the same request', SHOW))
    .option(...json('print them as JSON'))
    .action(async (name: string, options: ShowOptions) =>
      done(await withSource(options, (source) => showRecord(source, name, options, terminal))),
    );
  withFilters(place(command('tail', 'the newest records, and each that comes', TAIL)))
    .option('--lines <number>', 'how far back it begins: so many records', '10')
    .option('--follow', 'go on until it is told to stop')
    .option(...json('print each as a line of JSON'))
    .action(async (options: TailOptions) => done(await tailRecords(options, terminal)));
  withFilters(command('export', 'records as JSON lines, for others to keep', EXPORT))
    .requiredOption(...folder)
    .option('--format <name>', 'jsonl', 'jsonl')
    .option('--receipts', 'with each record the receipt that proves it')
    .action(async (options: ExportOptions) => done(await exportRecords(options, terminal)));
}

type ListOptions = Parameters<typeof listRecords>[1] & SourceOptions;
type ShowOptions = Parameters<typeof showRecord>[2] & SourceOptions;

type ExportOptions = Parameters<typeof exportRecords>[0];

const LIST = 'list --log .portcullis/evidence --subject user:alice@example.com --outcome deny';
const SHOW = 'show 4711 --log .portcullis/evidence';
const TAIL = 'tail --log .portcullis/evidence --follow --outcome deny';
const EXPORT = 'export --log .portcullis/evidence --tenant acme --receipts > acme.jsonl';

async function withSource(
  options: SourceOptions,
  run: (source: RecordSource) => Promise<number>,
): Promise<number> {
  const source = openRecords(options);
  try {
    return await run(source);
  } finally {
    await source.close();
  }
}
