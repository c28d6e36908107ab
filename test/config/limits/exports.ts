/** The limits of each member of `evidence.exports`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openReceiver } from '../../../src/cli/export_receiver.ts';
import { jsonLines } from '../../../src/evidence/exports/jsonl/driver.ts';
import type { ExportDriver, ExportSettings } from '../../../src/evidence/exports/types.ts';
import { nodeFiles } from '../../../src/evidence/files.ts';
import { openReceiver as openCollector } from '../../evidence/exports/receiver.ts';
import { decision, openScene } from '../../evidence/exports/fixture.ts';
import { PLAIN } from '../../evidence/exports/worlds.ts';
import { temporaryDirectory } from '../../support/evidence_log.ts';
import { around, outcomeOf, type Probe, type TimeProbe } from './probe.ts';

const NEVER = new AbortController().signal;

export const PERIODS = [
  'evidence.exports[].interval_ms',
  'evidence.exports[].retry_interval_ms',
  'evidence.exports[].retry_interval_ms_max',
];

/** How many batches so many records take, which are there before the export begins. */
async function batches(records: number, settings: Partial<ExportSettings>): Promise<string> {
  const before = await openScene([]);
  await before.append(records);
  await before.close();
  let count = 0;
  const open = (): ExportDriver => ({
    format: () => '1234',
    deliver: async () => {
      count += 1;
      return { outcome: 'taken', rejected_records: 0 };
    },
    close: async () => {},
  });
  const scene = await openScene([{ open, batch_records_max: 100, ...settings }], {
    directory: before.directory,
  });
  await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
  await scene.close();
  return `${count} batches`;
}

export const batchRecords = (): Promise<Probe> =>
  around(3, (amount, batch_records_max) => batches(amount, { batch_records_max }));

/** A record and what parts it from the next take five bytes. */
export const batchBytes = (): Promise<Probe> =>
  around(15, (amount, limit) => batches(3, { batch_bytes_max: 2 * limit - amount }));

export const lagRecords = (): Promise<Probe> =>
  around(3, async (amount, lag_records_max) => {
    const open = (): ExportDriver => ({
      format: () => '1',
      deliver: async () => ({ outcome: 'away', reason: 'it is away' }),
      close: async () => {},
    });
    const scene = await openScene([{ open, required: true, lag_records_max }]);
    await scene.append(amount);
    const outcome = await outcomeOf(() => scene.exports.evidence.append(decision(9)));
    await scene.close();
    return outcome;
  });

async function files(batch_count: number, settings: object): Promise<string> {
  const folder = temporaryDirectory();
  const path = join(folder, 'lines');
  const parts = { files: nodeFiles, path, file_bytes_max: 4, files_max: 10, ...settings };
  const driver = await jsonLines(parts);
  for (let at = 0; at < batch_count; at += 1) await driver.deliver(['123'], NEVER);
  await driver.close();
  return `${readdirSync(folder).filter((name) => name !== 'lines.lock').length} files`;
}

/** Two batches of four bytes, where the first takes just less, as much, or more than the limit. */
export const fileBytes = (): Promise<Probe> =>
  around(4, (amount, limit) => files(2, { file_bytes_max: 2 * limit - amount }));

export const filesKept = (): Promise<Probe> =>
  around(3, (amount, files_max) => files(amount, { files_max }));

export async function timeout(): Promise<TimeProbe> {
  const collector = await openCollector();
  const receiver = openReceiver({ ...PLAIN, url: collector.url, timeout_ms: 500 });
  const post = () =>
    outcomeOf(() => receiver.post({ path: '/', headers: {}, body: EMPTY, signal: NEVER }));
  const soon = await post();
  collector.act(() => true);
  const never = await post();
  await receiver.close();
  await collector.away();
  return { soon, never };
}

/** An empty object, compressed. */
const EMPTY = Buffer.from('H4sIAAAAAAAAA6uuBQBDv6ajAgAAAA==', 'base64');
