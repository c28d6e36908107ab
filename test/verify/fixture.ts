/** Whom the tests of this folder trust, and logs that lie in memory. */
import type { Trust } from '../../src/verify/checkpoint.ts';
import { verified, type FaultCode, type Verified } from '../../src/verify/fault.ts';
import { ED25519, parseVerifierKey } from '../../src/verify/key.ts';
import { NO_WITNESSES, parsePolicy } from '../../src/verify/policy.ts';
import type { LogSource } from '../../src/verify/tiles.ts';
import { logSigner, type Signer } from '../support/small_log.ts';

export const LOG = logSigner('example.com/log');

/** Trusts a log, and demands all of these witnesses. */
export function trustIn(log: Signer, witnesses: readonly Signer[] = []): Trust {
  const lines = witnesses.map(({ vkey }, at) => `witness w${at} ${vkey}\n`);
  const names = witnesses.map((_, at) => `w${at}`).join(' ');
  const quorum = `group all_of_them all ${names}\nquorum all_of_them\n`;
  return {
    logs: [parseVerifierKey(log.vkey, [ED25519])],
    policy: names === '' ? NO_WITNESSES : parsePolicy(Buffer.from(lines.join('') + quorum)),
  };
}

/** `true`, or the code of the fault. */
export function outcome(found: Verified<unknown>): true | FaultCode {
  return found.ok ? true : found.fault.code;
}

export function outcomeOf(steps: () => unknown): true | FaultCode {
  return outcome(verified(steps));
}

/** Files in memory. */
export function filesSource(files: ReadonlyMap<string, Uint8Array>): LogSource {
  return { read: (path) => Promise.resolve(files.get(path)) };
}
