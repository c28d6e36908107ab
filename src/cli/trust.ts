/** Whom `verify` and `witness` are told to trust. */
import { PortcullisError } from '../errors.ts';
import type { Trust } from '../verify/checkpoint.ts';
import { decodeUtf8 } from '../verify/encoding.ts';
import { verified } from '../verify/fault.ts';
import { ED25519, formatVerifierKey, parseVerifierKey, type VerifierKey } from '../verify/key.ts';
import { NO_WITNESSES, parsePolicy, POLICY_BYTES_MAX, type Policy } from '../verify/policy.ts';
import { readGiven } from './limited_file.ts';

export interface TrustOptions {
  /** Verifier keys of logs, or files with one key a line. */
  key?: readonly string[];
  /** A tlog-policy file. */
  policy?: string;
}

/** A verifier key, as opposed to a file. */
const KEY = /^[^+/\\]*(\/[^+]*)?\+[0-9a-f]{8}\+/;

/** Rejects with `ARGUMENT_INVALID`. */
export async function readTrust(options: TrustOptions): Promise<Trust> {
  const keys = (await Promise.all((options.key ?? []).map(readKeys))).flat();
  const policy = options.policy === undefined ? NO_WITNESSES : await readPolicy(options.policy);
  const logs = keys.length === 0 ? policy.logs.filter(({ type }) => type === ED25519) : keys;
  if (logs.length === 0) throw invalid('give the key of the log: --key');
  const listed = new Set(policy.logs.map(formatVerifierKey));
  if (listed.size > 0 && !logs.every((key) => listed.has(formatVerifierKey(key)))) {
    throw invalid('the policy lists other logs than --key');
  }
  return { logs, policy };
}

/** Keys of logs. Rejects with `ARGUMENT_INVALID`. */
async function readKeys(given: string): Promise<VerifierKey[]> {
  if (KEY.test(given)) return [readKey(given)];
  const text = decodeUtf8(await readGiven(given, POLICY_BYTES_MAX)) ?? '';
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0) throw invalid(`\`${given}\` holds no key`);
  return lines.map(readKey);
}

function readKey(text: string): VerifierKey {
  const read = verified(() => parseVerifierKey(text, [ED25519]));
  if (read.ok) return read.value;
  throw invalid(`${read.fault.code}: ${read.fault.detail}`);
}

async function readPolicy(path: string): Promise<Policy> {
  const bytes = await readGiven(path, POLICY_BYTES_MAX);
  const read = verified(() => parsePolicy(bytes));
  if (read.ok) return read.value;
  throw invalid(`${read.fault.code}: ${read.fault.detail}`);
}

function invalid(message: string): PortcullisError {
  return new PortcullisError('ARGUMENT_INVALID', message);
}
