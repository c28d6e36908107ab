/**
 * `portcullis evidence`: what others need to check a record, out of the files of a log, whether or
 * not a service writes it. The commands that read records stand in `evidence/`.
 */
import type { Command } from 'commander';
import { PortcullisError } from '../errors.ts';
import { nodeFiles } from '../evidence/files.ts';
import { readEvidence } from '../evidence/read.ts';
import { openSignedLog } from '../evidence/tree/signed_log.ts';
import { readingCommands } from './evidence/commands.ts';
import { requireLog } from './evidence/log_folder.ts';
import { print, printJson, type Terminal } from './terminal.ts';

interface EvidenceOptions {
  /** Folder of the log. */
  log: string;
  json?: true;
}

/** Describes the commands; `done` is told the exit code. */
export function evidenceCommand(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
): void {
  const evidence = program
    .command('evidence')
    .description('read evidence, and give others what they check it by');
  const command = (name: string, description: string, example: string): Command =>
    evidence
      .command(name)
      .description(description)
      .requiredOption('--log <folder>', 'the log: setting evidence.directory')
      .option('--json', 'print the result as JSON')
      .addHelpText('after', `\nExample:\n  $ portcullis evidence ${example}`);
  command('receipt <record>', 'the receipt of a record, by its index or evaluation id', RECEIPT)
    // Before the options, because an id may begin with a dash.
    .action(async (record: string, options: EvidenceOptions) =>
      done(await giveReceipt(record, options, terminal)),
    );
  command('keys', 'the public keys that signed the log', 'keys --log evidence > log.vkey').action(
    async (options: EvidenceOptions) => done(await giveKeys(options, terminal)),
  );
  readingCommands(evidence, terminal, done);
}

const RECEIPT = 'receipt 4711 --log .portcullis/evidence > decision.tlog-proof';

async function giveReceipt(
  record: string,
  { log, json }: EvidenceOptions,
  terminal: Terminal,
): Promise<number> {
  requireLog(log);
  const index = await indexOf(record, log);
  const signed = await openSignedLog(nodeFiles, log);
  const receipt = await signed.receiptOf(index);
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
