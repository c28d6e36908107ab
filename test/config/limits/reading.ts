/** The limits of reading evidence over HTTP. */
import { randomBytes } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { openReading } from '../../../src/cli/evidence/reading_thread.ts';
import { EvidenceIndex } from '../../../src/evidence/index/evidence_index.ts';
import { readingOf } from '../../../src/evidence/index/reading.ts';
import type { EvidenceReading } from '../../../src/pdp/exchange.ts';
import type { ServiceSettings } from '../../../src/pdp/service.ts';
import { openIndex, writeDecisions } from '../../evidence/index/fixture.ts';
import {
  EVIDENCE,
  NO_CERTIFICATES,
  recordingCore,
  send,
  start,
  tokenOf,
  tokensOf,
  type Started,
} from '../../pdp/fixture.ts';
import { readAll } from '../../support/evidence_log.ts';
import { around, outcomeOf, type Probe, type TimeProbe } from './probe.ts';

const clock = { now_ms: () => Date.now() };

function startReading(
  evidence: EvidenceReading,
  settings: Partial<ServiceSettings> = {},
): Promise<Started> {
  const tokens = tokensOf(tokenOf(['evidence', 'decide']));
  return start(recordingCore(), settings, tokens, clock, NO_CERTIFICATES, evidence);
}

const ask = (service: Started, path: string) =>
  send(service.url, `/v1/evidence/${path}`, { method: 'GET' });

/** Who asks for decisions is not counted with them. */
export function requestsInFlight(): Promise<Probe> {
  return around(2, async (amount, evidence_requests_in_flight_max) => {
    const reached = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    let waiting = 0;
    const page = async (): Promise<Uint8Array> => {
      waiting += 1;
      if (waiting === amount - 1) reached.resolve();
      await released.promise;
      return Buffer.from('{}');
    };
    const evidence = { ...EVIDENCE, records: { ...EVIDENCE.records, page } };
    const service = await startReading(evidence, { evidence_requests_in_flight_max });
    const held = Array.from({ length: amount - 1 }, () => ask(service, 'records'));
    if (held.length > 0) await reached.promise;
    const last = await ask(service, 'checkpoint');
    const decided = await send(service.url, '/access/v1/evaluation', { body: '{}' });
    released.resolve();
    await Promise.all(held);
    await service.close();
    return `${last.status}, and ${decided.status}`;
  });
}

export function pageRecords(): Promise<Probe> {
  return around(3, async (amount, page_records_max) => {
    const service = await startReading({ ...EVIDENCE, page_records_max });
    const { status } = await ask(service, `records?limit=${amount}`);
    await service.close();
    return String(status);
  });
}

/** Two records that together are as large as the amount. */
export async function pageBytes(): Promise<Probe> {
  const directory = await writeDecisions(2);
  const sizes = (await readAll(directory)).map((record) => JSON.stringify(record).length);
  const both = sizes.reduce((sum, size) => sum + size, 0);
  const newKey = (): Buffer => randomBytes(32);
  const index = new EvidenceIndex({ directory, path: `${directory}.index`, newKey });
  const probe = await around(0, async (amount) => {
    const service = await startReading({
      ...EVIDENCE,
      records: readingOf(index),
      page_bytes_max: both - amount,
    });
    const { body } = await ask(service, 'records');
    await service.close();
    return `${(body as { records: unknown[] }).records.length} records`;
  });
  await index.close();
  return probe;
}

/** Another process has the index. */
export async function timeout(): Promise<TimeProbe> {
  const directory = await writeDecisions(2);
  const path = `${directory}.index`;
  await openIndex(directory).catchUp();
  const asked = async (timeout_ms: number): Promise<string> => {
    const reading = openReading({ directory, path }, timeout_ms);
    const query = { filter: { fields: {} }, order: 'newest', limit: 1 } as const;
    const outcome = await outcomeOf(() => reading.page(query));
    await reading.close();
    return outcome;
  };
  const soon = await asked(60_000);
  await writeDecisions(2, { directory });
  const other = new DatabaseSync(path);
  other.exec('BEGIN EXCLUSIVE');
  const never = await asked(300);
  other.close();
  return { soon, never };
}
