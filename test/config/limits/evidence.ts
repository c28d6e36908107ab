/** The limits of `evidence`. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Linger } from '../../../src/evidence/linger.ts';
import type { EvidenceSettings } from '../../../src/evidence/group_commit_log.ts';
import { ENTRY, openLog, readAll, temporaryDirectory } from '../../support/evidence_log.ts';
import { around, outcomeOf, type Probe } from './probe.ts';

/** Appends entries of these sizes beyond `ENTRY` at once; how many were written, in which files. */
async function write(
  extra_bytes: readonly number[],
  settings: Partial<EvidenceSettings> = {},
): Promise<{ outcomes: string[]; files_bytes: number[] }> {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { settings });
  const outcomes = await Promise.all(
    extra_bytes.map((bytes) =>
      outcomeOf(() => log.append({ ...ENTRY, detail: 'x'.repeat(bytes) })),
    ),
  );
  await log.close();
  const files = readdirSync(directory).filter((name) => name.endsWith('.log'));
  return { outcomes, files_bytes: files.map((name) => statSync(join(directory, name)).size) };
}

async function lineBytes(): Promise<number> {
  return (await write([0])).files_bytes[0]!;
}

export async function segmentBytes(): Promise<Probe> {
  const line_bytes = await lineBytes();
  return around(2 * line_bytes + 100, async (amount, segment_bytes_max) => {
    const { files_bytes } = await write([0, amount - 2 * line_bytes], { segment_bytes_max });
    return `${files_bytes.length} files`;
  });
}

export async function queueRecords(): Promise<Probe> {
  return around(3, async (amount, queue_records_max) => {
    const { outcomes } = await write(Array<number>(amount).fill(0), { queue_records_max });
    return outcomes.at(-1)!;
  });
}

export async function recordBytes(): Promise<Probe> {
  const line_bytes = await lineBytes();
  return around(line_bytes + 100, async (amount, record_bytes_max) => {
    const { outcomes } = await write([amount - line_bytes], { record_bytes_max });
    return outcomes[0]!;
  });
}

const DAY_MS = 86_400_000;

/** A record of so many days ago, in a segment that ended, at the start. */
export async function disclosuresKept(): Promise<Probe> {
  return around(3, async (days, disclosures_kept_days) => {
    const directory = temporaryDirectory();
    const first = await openLog(directory, { settings: { segment_bytes_max: 1 } });
    await first.append(ENTRY);
    await first.append({ kind: 'start' });
    await first.close();
    const [written] = await readAll(directory);
    const now_ms = Date.parse(written!.time) + days * DAY_MS;
    const log = await openLog(directory, {
      clock: { now_ms: () => now_ms },
      settings: { disclosures_kept_days },
    });
    await log.redact({ caller: 'test', by: { record: 'none' } });
    await log.close();
    const [record] = await readAll(directory);
    return record?.detail === undefined ? 'removed' : 'kept';
  });
}

/** How long a flush of a slow disk waits, where a quarter of a flush is the amount. */
export async function linger(): Promise<Probe> {
  return around(50, async (amount, linger_us_max) => {
    let now_us = 0;
    const waits = new Linger(() => (now_us += 1), linger_us_max * 100);
    for (let i = 0; i < 200; i += 1) waits.observe(amount * 400, 2);
    const before = now_us;
    await waits.gather(() => 1);
    return `${Math.round((now_us - before) / 100)} of 50`;
  });
}
