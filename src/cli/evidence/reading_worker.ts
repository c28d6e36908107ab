/** The thread that reads records for the service: decisions do not wait for it. */
import { randomBytes } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
import { PortcullisError } from '../../errors.ts';
import { EvidenceIndex } from '../../evidence/index/evidence_index.ts';
import { type RecordReading, readingOf } from '../../evidence/index/reading.ts';
import type { Asked, Told, WorkerPlace } from './reading_thread.ts';

/** How often the index follows the log while nobody asks, so that who asks does not wait. */
const FOLLOW_INTERVAL_MS = 10_000;
const KEY_BYTES = 32;

const { directory, path } = workerData as WorkerPlace;
const index = new EvidenceIndex({ directory, path, newKey: () => randomBytes(KEY_BYTES) });
const reading = readingOf(index);

parentPort?.on('message', (asked: Asked) => void answer(asked));
// What goes wrong is told to who asks.
setInterval(() => void index.catchUp().catch(() => {}), FOLLOW_INTERVAL_MS).unref();

async function answer({ id, name, given }: Asked): Promise<void> {
  try {
    const run = reading[name] as (...given: unknown[]) => ReturnType<RecordReading['record']>;
    tell({ id, value: await run(...given) });
  } catch (error) {
    const code = error instanceof PortcullisError ? error.code : 'INTERNAL';
    tell({ id, fault: { code, message: (error as Error).message } });
  }
}

function tell(told: Told): void {
  parentPort?.postMessage(told);
}
