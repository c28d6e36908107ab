/** `portcullis verify`: whether receipts, or a whole log, are true, by public keys only. */
import { PortcullisError } from '../errors.ts';
import type { Trust, TrustedCheckpoint } from '../verify/checkpoint.ts';
import type { Fault, Verified } from '../verify/fault.ts';
import { verifyLog } from '../verify/log.ts';
import { NOTE_BYTES_MAX } from '../verify/note.ts';
import { PROOF_BYTES_MAX } from '../verify/proof.ts';
import { verifyReceipt, type ProvedRecord } from '../verify/receipt.ts';
import { readGiven } from './limited_file.ts';
import { openLogSource } from './log_source.ts';
import { faultText, provedText, timeOf, witnessText } from './proved_text.ts';
import { print, printJson, styled, type Terminal } from './terminal.ts';
import { readTrust, type TrustOptions } from './trust.ts';

export interface VerifyOptions extends TrustOptions {
  /** A folder or URL. */
  log?: string;
  /** A checkpoint of the log that was kept. */
  since?: string;
  /** Judge the tree of the log and not its records. */
  hashes?: true;
  /** Of a log that takes a token. */
  tokenFile?: string;
  json?: true;
}

/** What was judged, by the name it was given under. */
type Judged = { name: string } & ({ fault: Fault } | Proved);

type Proved = { checkpoint: TrustedCheckpoint } & Partial<Omit<ProvedRecord, 'checkpoint'>>;

export async function runVerify(
  receipts: readonly string[],
  options: VerifyOptions,
  terminal: Terminal,
): Promise<number> {
  const { log, since, hashes, tokenFile, json } = options;
  if ((receipts.length === 0) === (log === undefined)) {
    throw invalid('name receipts, or a log with --log');
  }
  if ((since !== undefined || hashes) && log === undefined) {
    throw invalid('--since and --hashes belong to --log');
  }
  if (tokenFile !== undefined && log === undefined) throw invalid('--token-file belongs to --log');
  const trust = await readTrust(options);
  const results: Judged[] = [];
  if (log !== undefined) results.push(await judgeLog(log, options, trust));
  for (const path of receipts) results.push(await judgeReceipt(path, trust));
  const is_true = results.every((result) => !('fault' in result));
  if (json) printJson(terminal, { verified: is_true, results: results.map(jsonOf) });
  else for (const result of results) printResult(result, options, terminal);
  return is_true ? 0 : 1;
}

async function judgeReceipt(path: string, trust: Trust): Promise<Judged> {
  const bytes = await readGiven(path, PROOF_BYTES_MAX);
  return named(path, verifyReceipt(bytes, trust), (value) => value);
}

async function judgeLog(
  place: string,
  { since, hashes, tokenFile }: VerifyOptions,
  trust: Trust,
): Promise<Judged> {
  const old = since === undefined ? {} : { since: await readGiven(since, NOTE_BYTES_MAX) };
  const found = await verifyLog(openLogSource(place, tokenFile), trust, {
    ...old,
    hashes_only: hashes === true,
  });
  return named(place, found, (checkpoint) => ({ checkpoint }));
}

function named<T>(name: string, found: Verified<T>, proved: (value: T) => Proved): Judged {
  return found.ok ? { name, ...proved(found.value) } : { name, fault: found.fault };
}

function printResult(result: Judged, options: VerifyOptions, terminal: Terminal): void {
  const { stdout } = terminal;
  if ('fault' in result) {
    print(
      terminal,
      `${result.name}: ${styled(stdout, 'red', 'false')}: ${faultText(result.fault)}`,
    );
    return;
  }
  const { checkpoint, record, sealed = [] } = result;
  const told = record
    ? provedText({ record, sealed, checkpoint })
    : `${logText(checkpoint, options)}; ${witnessText(checkpoint)}`;
  print(terminal, `${result.name}: ${styled(stdout, 'green', 'true')}: ${told}`);
}

function logText({ origin, size }: TrustedCheckpoint, { since, hashes }: VerifyOptions): string {
  const begins = since === undefined ? '' : `, and begins with the tree of ${since}`;
  const read = hashes ? 'hashes of records, which were not read' : 'records, each at its place';
  return `the log ${origin} holds ${size} ${read}${begins}`;
}

function jsonOf(result: Judged): object {
  if ('fault' in result) return { name: result.name, verified: false, ...result.fault };
  const { name, record, sealed, checkpoint } = result;
  const { origin, size, root, cosignatures, not_checked } = checkpoint;
  return {
    name,
    verified: true,
    log: { origin, size, root: root.toString('base64') },
    cosignatures: cosignatures.map(({ key, time_s }) => ({ name: key.name, time: timeOf(time_s) })),
    not_checked,
    ...(record ? { record, sealed } : {}),
  };
}

function invalid(message: string): PortcullisError {
  return new PortcullisError('ARGUMENT_INVALID', message);
}
