/** Outcomes become records once, however often they are reported. */
import { expect, test } from '@jest/globals';
import { OutcomeRecorder, type OutcomeMemory } from '../../src/decision/outcomes.ts';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceEntry } from '../../src/evidence/types.ts';
import { CALLER, codeOf } from '../support/decisions.ts';

const REPORT = {
  evaluation_id: 'e-1',
  status: 'executed',
  masked: ['/iban'],
  occurred_at: '2026-11-20T08:00:00.123Z',
} as const;
const LOSS = { id: 'loss-1', count: 3, cause: 'full' } as const;

interface Scene {
  recorder: OutcomeRecorder;
  entries: EvidenceEntry[];
  /** The next append fails so. */
  failing: { with: Error | undefined };
}

function scene(memory?: Partial<OutcomeMemory>): Scene {
  const entries: EvidenceEntry[] = [];
  const failing: Scene['failing'] = { with: undefined };
  const append = async (entry: EvidenceEntry): Promise<void> => {
    await Promise.resolve();
    const { with: error } = failing;
    failing.with = undefined;
    if (error) throw error;
    entries.push(entry);
  };
  const recorder = new OutcomeRecorder(append, {
    outcome_memory_records_max: 100,
    lately: [],
    ...memory,
  });
  return { recorder, entries, failing };
}

test('the same report twice gives one record, and the second answer says so', async () => {
  const { recorder, entries } = scene();
  expect(await recorder.record(REPORT, CALLER)).toEqual({ recorded: 1, repeated: 0 });
  expect(await recorder.record({ ...REPORT }, CALLER)).toEqual({ recorded: 0, repeated: 1 });
  expect(await recorder.record({ outcomes: [REPORT] }, CALLER)).toEqual({
    recorded: 0,
    repeated: 1,
  });
  expect(entries).toEqual([{ kind: 'outcome', caller: 'guard', ...REPORT }]);
});

test.each([
  ['status', { ...REPORT, status: 'failed' }],
  ['time', { ...REPORT, occurred_at: '2026-11-20T08:00:00.124Z' }],
  ['masked paths', { ...REPORT, masked: ['/iban', '/name'] }],
  ['number of repeats', { ...REPORT, repeats: 2 }],
  ['tenant', { ...REPORT, subject_tenant: 'acme' }],
])('another %s of the same decision is another record', async (_what, other) => {
  const { recorder, entries } = scene();
  await recorder.record(REPORT, CALLER);
  expect(await recorder.record(other, CALLER)).toEqual({ recorded: 1, repeated: 0 });
  expect(entries).toHaveLength(2);
});

test('what one caller said does not count as said by another', async () => {
  const { recorder, entries } = scene();
  await recorder.record(REPORT, { ...CALLER, id: 'thief' });
  expect(await recorder.record(REPORT, CALLER)).toEqual({ recorded: 1, repeated: 0 });
  expect(entries.map(({ caller }) => caller)).toEqual(['thief', 'guard']);
});

test('a caller that is bound to tenants reports on no other', async () => {
  const { recorder, entries } = scene();
  const bound = { ...CALLER, tenants: new Set(['acme']) };
  const own = { ...REPORT, subject_tenant: 'acme' };
  const other = { ...REPORT, subject_tenant: 'globex' };
  await expect(recorder.record({ outcomes: [own, other] }, bound)).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    message: 'the caller reports an outcome of a tenant that it is not bound to',
  });
  expect(entries).toEqual([]);
  await recorder.record({ outcomes: [own, REPORT] }, bound);
  await recorder.record(other, CALLER);
  expect(entries.map(({ subject_tenant }) => subject_tenant)).toEqual([
    'acme',
    undefined,
    'globex',
  ]);
});

test('a batch is recorded in its order, with what was lost, and once', async () => {
  const { recorder, entries } = scene();
  const second = { ...REPORT, evaluation_id: 'e-2' };
  const batch = { outcomes: [REPORT, second, REPORT], unreported: [LOSS] };
  expect(await recorder.record(batch, CALLER)).toEqual({ recorded: 3, repeated: 1 });
  expect(await recorder.record(batch, CALLER)).toEqual({ recorded: 0, repeated: 4 });
  expect(entries).toEqual([
    { kind: 'outcome', caller: 'guard', ...REPORT },
    { kind: 'outcome', caller: 'guard', ...second },
    { kind: 'outcomes_unreported', caller: 'guard', unreported: LOSS },
  ]);
});

test('of a batch with a fault nothing is recorded, and its place is told', async () => {
  const { recorder, entries } = scene();
  const batch = { outcomes: [REPORT, { ...REPORT, status: 'done' }] };
  expect(await codeOf(recorder.record(batch, CALLER))).toBe('REQUEST_INVALID /outcomes/1/status');
  expect(entries).toEqual([]);
});

test('one that comes again while the first is written waits for it', async () => {
  const { recorder, failing } = scene();
  failing.with = new PortcullisError('EVIDENCE_UNWRITABLE', 'the disk is full');
  const both = [recorder.record(REPORT, CALLER), recorder.record(REPORT, CALLER)];
  expect(await Promise.all(both.map(codeOf))).toEqual([
    'EVIDENCE_UNWRITABLE',
    'EVIDENCE_UNWRITABLE',
  ]);
});

test('one that could not be recorded is none that was', async () => {
  const { recorder, entries, failing } = scene();
  failing.with = new PortcullisError('EVIDENCE_UNWRITABLE', 'the disk is full');
  expect(await codeOf(recorder.record(REPORT, CALLER))).toBe('EVIDENCE_UNWRITABLE');
  expect(await recorder.record(REPORT, CALLER)).toEqual({ recorded: 1, repeated: 0 });
  expect(entries).toHaveLength(1);
});

test('one that no record can hold is refused for good, and not as a disk that fails', async () => {
  const { recorder, failing } = scene();
  const cause = new PortcullisError('REQUEST_TOO_LARGE', 'a record is larger than the limit');
  failing.with = new PortcullisError('EVIDENCE_UNWRITABLE', 'not recorded', { cause });
  expect(await codeOf(recorder.record(REPORT, CALLER))).toBe('REQUEST_TOO_LARGE');
});

test.each([
  ['the disk', new Error('EIO')],
  ['the log', new PortcullisError('EVIDENCE_DAMAGED', 'a record is not what was written')],
])('one that could not be recorded because of %s may be sent again', async (_what, cause) => {
  const { recorder, failing } = scene();
  failing.with = new PortcullisError('EVIDENCE_UNWRITABLE', 'not recorded', { cause });
  expect(await codeOf(recorder.record(REPORT, CALLER))).toBe('EVIDENCE_UNWRITABLE');
});

test.each([null, undefined, 'outcomes', 7, true, ['outcomes']])('%j is no report', async (body) => {
  const { recorder, entries } = scene();
  expect(await codeOf(recorder.record(body, CALLER))).toMatch(/^REQUEST_INVALID/);
  expect(entries).toEqual([]);
});

test('a caller that was turned away is recorded each time', async () => {
  const { recorder, entries } = scene();
  const report = {
    status: 'turned_away',
    reason_code: 'TOKEN_EXPIRED',
    source: 'jwt',
    server: 'a',
  };
  for (let time = 0; time < 2; time += 1) {
    expect(await recorder.record(report, CALLER)).toEqual({ recorded: 1, repeated: 0 });
  }
  expect(entries.map(({ kind }) => kind)).toEqual(['actor_failure', 'actor_failure']);
});

test('what an earlier process recorded is known, as far as its last records are read', async () => {
  const before = scene();
  await before.recorder.record({ outcomes: [REPORT], unreported: [LOSS] }, CALLER);
  const read = before.entries.map((entry, index) => ({
    ...(JSON.parse(JSON.stringify(entry)) as EvidenceEntry),
    v: 1,
    index,
    time: '2026-11-21T00:00:00.000Z',
    instance: 'main',
  }));
  const { recorder, entries } = scene({ lately: [{ kind: 'decision' }, ...read] });
  const again = await recorder.record({ outcomes: [REPORT], unreported: [LOSS] }, CALLER);
  expect(again).toEqual({ recorded: 0, repeated: 2 });
  expect(entries).toEqual([]);
});

test('so many are remembered as the limit says, and the oldest makes room', async () => {
  const { recorder } = scene({ outcome_memory_records_max: 2 });
  const of = (id: number) => ({ ...REPORT, evaluation_id: `e-${id}` });
  for (const id of [1, 2, 3]) await recorder.record(of(id), CALLER);
  const again = await recorder.record({ outcomes: [of(3), of(2), of(1)] }, CALLER);
  expect(again).toEqual({ recorded: 1, repeated: 2 });
});

test('other records of an earlier process take no room', async () => {
  const others = (['decision', 'actor_failure', 'stop'] as const).map((kind) => ({ kind }));
  const before = scene();
  await before.recorder.record(REPORT, CALLER);
  const lately = [...before.entries, ...others];
  const { recorder } = scene({ outcome_memory_records_max: 1, lately });
  expect(await recorder.record(REPORT, CALLER)).toEqual({ recorded: 0, repeated: 1 });
});
