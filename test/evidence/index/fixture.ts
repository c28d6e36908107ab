/** Logs with many values, and what a filter must find in them, judged without an index. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach } from '@jest/globals';
import type { EvidenceRecord } from '../../../src/contract/types.gen.ts';
import { EvidenceIndex, type RecordQuery } from '../../../src/evidence/index/evidence_index.ts';
import type { EvidenceEntry, ProvableLog } from '../../../src/evidence/types.ts';
import { openLog, temporaryDirectory } from '../../support/evidence_log.ts';
import { type SeededRandom, seededRandom } from '../../support/seeded_random.ts';

export const START_MS = Date.UTC(2027, 0, 1);

/** A decision whose values are drawn from few. */
export function entryOf({ below, chance }: SeededRandom, number: number): EvidenceEntry {
  const one = (name: string, count: number): string => `${name}-${below(count)}`;
  return {
    kind: 'decision',
    evaluation_id: `evaluation-${number}`,
    caller: one('caller', 3),
    outcome: chance(0.7) ? 'allow' : 'deny',
    reason_code: chance(0.7) ? 'ALLOWED' : 'GRANT_ABSENT',
    request: {
      subject: { id: `user:${one('person', 20)}@example.com`, tenant: one('tenant', 4) },
      action: 'tools/call',
      agent: one('agent', 5),
      resource: { type: 'tool', id: one('tool', 9), server: one('server', 2) },
      request_id: number % 100,
      traceparent: `00-${String(1 + Math.floor(number / 3)).padStart(32, '0')}-00f067aa0ba902b7-01`,
    },
  };
}

/** Writes so many decisions, one each millisecond, behind those that the directory has. */
export async function writeDecisions(
  count: number,
  { directory = join(temporaryDirectory(), 'log'), seed = 1, segment_bytes_max = 64 * 1024 } = {},
): Promise<string> {
  const random = seededRandom(seed);
  let now_ms = START_MS;
  const clock = { now_ms: () => (now_ms += 1) };
  const settings = { segment_bytes_max, queue_records_max: 10_000 };
  const log = await openLog(directory, { clock, settings });
  const before = log.status().size;
  for (let at = 0; at < count; at += 1000) {
    const group = Array.from({ length: Math.min(1000, count - at) }, (_, n) =>
      log.append(entryOf(random, before + at + n)),
    );
    await Promise.all(group);
  }
  await log.close();
  return directory;
}

/** What was done with decisions about subjects of these tenants. */
export async function writeOutcomes(
  log: ProvableLog,
  tenants: readonly (string | undefined)[],
): Promise<void> {
  for (const [at, tenant] of tenants.entries()) {
    const outcome = { kind: 'outcome', evaluation_id: `done-${at}`, status: 'executed' } as const;
    await log.append({ ...outcome, ...(tenant !== undefined && { subject_tenant: tenant }) });
  }
}

const opened: EvidenceIndex[] = [];
afterEach(async () => {
  for (const index of opened.splice(0)) await index.close();
});

/** An index that is closed after the test. */
export function openIndex(directory: string, path = `${directory}.index`): EvidenceIndex {
  const index = new EvidenceIndex({ directory, path, newKey: () => randomBytes(32) });
  opened.push(index);
  return index;
}

/** All pages of a query. */
export async function walk(
  index: EvidenceIndex,
  query: Partial<RecordQuery>,
): Promise<EvidenceRecord[]> {
  const all: EvidenceRecord[] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const asked = { filter: { fields: {} }, order: 'oldest', limit: 100, ...query } as const;
    const page = await index.page({ ...asked, ...(cursor !== undefined && { cursor }) });
    all.push(...page.records);
    cursor = page.next;
  }
  return all;
}
