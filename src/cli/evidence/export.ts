/**
 * `portcullis evidence export`: records as JSON lines, each with its receipt where that is asked
 * for, so that it proves itself and shows nothing of the records between.
 */
import { PortcullisError } from '../../errors.ts';
import { blockingFiles } from '../../evidence/files.ts';
import { meets } from '../../evidence/index/fields.ts';
import { readStored } from '../../evidence/read.ts';
import { openSignedLog } from '../../evidence/tree/signed_log.ts';
import { writeLine, type Terminal } from '../terminal.ts';
import { filterOf, type FilterOptions } from './filter_options.ts';
import { requireLog } from './log_folder.ts';

export async function exportRecords(
  options: FilterOptions & { log: string; format: string; receipts?: true },
  terminal: Terminal,
): Promise<number> {
  const { log, format, receipts } = options;
  if (format !== 'jsonl') {
    throw new PortcullisError('ARGUMENT_INVALID', '--format is jsonl: one record a line');
  }
  requireLog(log);
  const filter = filterOf(options);
  const signed = receipts && (await openSignedLog(blockingFiles, log));
  const size = signed ? signed.checkpoint.size : Infinity;
  let unsigned = 0;
  for await (const found of readStored(log, { files: blockingFiles })) {
    const { record } = found;
    if (!meets(record, filter)) continue;
    if (record.index >= size) {
      unsigned += 1;
      continue;
    }
    const proof = signed ? { receipt: await signed.receiptOf(record.index, { read: found }) } : {};
    const line = JSON.stringify({ record, ...proof });
    if (!(await writeLine(terminal.stdout, line))) return 0;
  }
  if (unsigned > 0) {
    terminal.stderr.write(`${unsigned} records are not signed yet and have no receipt: left out\n`);
  }
  return 0;
}
