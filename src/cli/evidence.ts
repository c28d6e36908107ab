/**
 * `portcullis evidence`: what others need to check a record, out of the files of a log, whether or
 * not a service writes it; and what nobody is to read any more. The commands that read records
 * stand in `evidence/`.
 */
import type { Command } from 'commander';
import { PortcullisError } from '../errors.ts';
import { nodeFiles } from '../evidence/files.ts';
import { readEvidence } from '../evidence/read.ts';
import { openSignedLog } from '../evidence/tree/signed_log.ts';
import { readingCommands } from './evidence/commands.ts';
import { requireLog } from './evidence/log_folder.ts';
import { runRedact, type RedactOptions } from './redact.ts';
import { print, printJson, type Terminal } from './terminal.ts';

interface EvidenceOptions {
  /** Folder of the log. */
  log: string;
  json?: true;
}

interface ReceiptOptions extends EvidenceOptions {
  sealed?: boolean;
}

/** Describes the commands; `done` is told the exit code. */
export function evidenceCommand(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
): void {
  const evidence = program
    .command('evidence')
    .description('read evidence, redact it, or give others what they check it by');
  const command = (name: string, description: string, example: string): Command =>
    evidence
      .command(name)
      .description(description)
      .requiredOption('--log <folder>', 'the log: setting evidence.directory')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', `\nExample:\n  $ portcullis evidence ${example}`);
  command('receipt <record>', 'the receipt of a record, by its index or evaluation id', RECEIPT)
    .option('--sealed', 'leave out what the record seals')
    // Before the options, because an id may begin with a dash.
    .action(async (record: string, options: ReceiptOptions) =>
      done(await giveReceipt(record, options, terminal)),
    );
  command('keys', 'the public keys that signed the log', 'keys --log evidence > log.vkey').action(
    async (options: EvidenceOptions) => done(await giveKeys(options, terminal)),
  );
  readingCommands(evidence, terminal, done);
  command('redact', 'remove what records seal, for good, while no service writes the log', REDACT)
    .option('--subject <id>', 'of records that name this id in what they seal')
    .option('--tenant <name>', 'of records about this tenant')
    .option('--record <record>', 'of the record of this index or evaluation id')
    .option('--before <time>', 'of records from before a time such as 2027-01-01T00:00:00Z')
    .option('--only <groups>', 'of request, arguments, items and internals these, with commas')
    .action(async (options: RedactOptions) => {
      requireLog(options.log);
      done(await runRedact(options, terminal));
    });
}

const REDACT = 'redact --log .portcullis/evidence --subject user:alice@example.com';

const RECEIPT = 'receipt 4711 --log .portcullis/evidence > decision.tlog-proof';

async function giveReceipt(
  record: string,
  { log, json, sealed = false }: ReceiptOptions,
  terminal: Terminal,
): Promise<number> {
  requireLog(log);
  const index = await indexOf(record, log);
  const signed = await openSignedLog(nodeFiles, log);
  const receipt = await signed.receiptOf(index, { sealed });
  if (json) printJson(terminal, { index, receipt });
  else terminal.stdout.write(receipt);
  return 0;
}

async function giveKeys({ log, json }: EvidenceOptions, terminal: Terminal): Promise<number> {
  requireLog(log);
  const { keys } = await openSignedLog(nodeFiles, log);
  const given = keys.map(({ from, verifier }) => ({ from, key: verifier.vkey }));
  if (json) printJson(terminal, { keys: given });
  else for (const { key } of given) print(terminal, key);
  return 0;
}

/** An index as it is; else that of the decision or list that has the id. */
async function indexOf(record: string, directory: string): Promise<number> {
  if (/^(0|[1-9]\d{0,14})$/.test(record)) return Number(record);
  for await (const { index, kind, evaluation_id } of readEvidence(directory)) {
    if (evaluation_id === record && kind !== 'outcome') return index;
  }
  const message = `the log in \`${directory}\` has no decision of that id`;
  throw new PortcullisError('ARGUMENT_INVALID', message);
}
