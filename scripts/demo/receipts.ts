/** What somebody does who has a receipt and the public key of the log, and trusts nobody. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Judged {
  verified: boolean;
  results: {
    code?: string;
    record?: {
      outcome: string;
      reason_code: string;
      request: { subject: { id: string }; action: string };
    };
  }[];
}

export interface Receipts {
  root: string;
  /** Folder of the log. */
  log: string;
  /** Folder for what is handed over. */
  folder: string;
}

/** Judges the receipt of a record, or a copy that says the opposite. */
export async function judgeReceipt(
  { root, log, folder }: Receipts,
  index: number,
  changed: boolean,
): Promise<string> {
  const portcullis = (...args: string[]): Promise<string> => run(root, args);
  const receipt = await portcullis('evidence', 'receipt', String(index), '--log', log);
  const [file, keys] = [join(folder, 'decision.tlog-proof'), join(folder, 'log.vkey')];
  writeFileSync(file, changed ? opposite(receipt) : receipt);
  writeFileSync(keys, await portcullis('evidence', 'keys', '--log', log));
  return told(JSON.parse(await portcullis('verify', file, '--key', keys, '--json')) as Judged);
}

/** Resolves with what is printed, whatever the answer is. */
function run(cwd: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['bin/portcullis.js', ...args], { cwd }, (error, stdout, stderr) => {
      if (error && error.code !== 1) reject(new Error(stderr));
      else resolve(stdout);
    });
  });
}

/** The record stands in the receipt, where everybody can change it. */
function opposite(receipt: string): string {
  return receipt.replace(/^extra (.*)$/m, (_line, extra: string) => {
    const record = Buffer.from(extra, 'base64').toString();
    const other = record.replace('"outcome":"deny"', '"outcome":"allow"');
    return `extra ${Buffer.from(other).toString('base64')}`;
  });
}

function told({ verified, results: [result] }: Judged): string {
  if (!verified || !result?.record) return `is false: ${result?.code}`;
  const { outcome, reason_code, request } = result.record;
  return `is true: ${request.subject.id}, ${request.action}, ${outcome} ${reason_code}`;
}
