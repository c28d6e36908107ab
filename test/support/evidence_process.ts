/**
 * A process of its own with an evidence log: `node evidence_process.ts <directory> <callers>`. It
 * prints `open` or the code of the error; then each caller appends without end, and the index of
 * each record that was acknowledged is printed after it was. With `redact` as the third argument
 * it also redacts, without end, the records of caller 0, and prints `redacted`.
 */
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { nodeFiles } from '../../src/evidence/files.ts';
import { openEvidenceLog } from '../../src/evidence/log.ts';
import { formatSigner, parseSigner } from '../../src/evidence/tree/note.ts';
import type { PortcullisError } from '../../src/errors.ts';
import type { Logger } from '../../src/telemetry/logger.ts';

const [directory = '', callers = '0', more] = process.argv.slice(2);
const ORIGIN = 'evidence.example/tests';
const nothing = (): void => {};
const silent: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silent,
};

try {
  const log = await openEvidenceLog({
    directory,
    instance: `process-${process.pid}`,
    // Those of `evidence_log.ts`, which only a test can import.
    origin: ORIGIN,
    signers: () => [parseSigner(formatSigner(ORIGIN, Buffer.alloc(32, 1)))!],
    clock: { now_ms: () => Date.now() },
    randomness: randomBytes,
    files: nodeFiles,
    settings: {
      linger_us_max: 200,
      segment_bytes_max: 256 * 1024,
      queue_records_max: 1000,
      record_bytes_max: 64 * 1024,
      checkpoint_interval_ms: 20,
      prove_all_records: false,
      disclosures_kept_days: null,
    },
    log: silent,
  });
  writeSync(1, 'open\n');
  // The lock is held for as long as the process lives.
  setInterval(nothing, 1000);
  const redactAll = async (): Promise<never> => {
    for (;;) {
      await log.redact({ caller: 'test', by: { subject: 'user:0' } });
      writeSync(1, 'redacted\n');
    }
  };
  await Promise.all(
    Array.from({ length: Number(callers) }, async (_, caller) => {
      for (let count = 0; ; count += 1) {
        const detail = `caller ${caller}, record ${count}, `.repeat(1 + (count % 20));
        const request = { subject: { id: `user:${caller}` }, action: 'tools/call' };
        writeSync(1, `${await log.append({ kind: 'backend_error', detail, request })}\n`);
      }
    }).concat(more === 'redact' ? [redactAll()] : []),
  );
} catch (error) {
  writeSync(1, `${(error as PortcullisError).code}\n`);
  process.exitCode = 1;
}
