/** Redaction: what was sealed is gone for good, and all that was proved stays proved. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import type { EvidenceEntry, ProvableLog, Redaction } from '../../src/evidence/types.ts';
import {
  ENTRY,
  openLog,
  readAll,
  readRecordTexts,
  temporaryDirectory,
} from '../support/evidence_log.ts';
import { fakeDisk } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';
import { contents } from './tree/fixture.ts';

const ALICE = 'user:alice@example.com';
const BOB = 'user:bob@example.com';
/** Several records a segment. */
const SETTINGS = { segment_bytes_max: 4000 };

type Request = NonNullable<EvidenceEntry['request']>;

function decision(id: string, more: Partial<Request['subject']> = {}): EvidenceEntry {
  return {
    kind: 'decision',
    evaluation_id: 'e-1',
    request: { subject: { id, ...more }, action: 'tools/call' },
    outcome: 'deny',
    rules: ['mcp.rules.a.b'],
  };
}

const redact = (log: ProvableLog, by: Redaction['by'], more: Partial<Redaction> = {}) =>
  log.redact({ caller: 'main', by, ...more });

/** Twenty records, every second of them about Alice. */
async function written(): Promise<{ directory: string; log: ProvableLog }> {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { settings: SETTINGS });
  for (let at = 0; at < 20; at += 1) await log.append(decision(at % 2 === 0 ? ALICE : BOB));
  return { directory, log };
}

const bytesOf = (directory: string): string => Object.values(contents(directory)).join('\n');

test('of a subject nothing is left in the folder, and every leaf is the same', async () => {
  const { directory, log } = await written();
  const leaves = readRecordTexts(directory);
  const marks = marksOf(directory);
  expect(bytesOf(directory)).toContain(ALICE);
  expect(await redact(log, { subject: ALICE })).toEqual({ index: 20, records: 10 });
  expect(bytesOf(directory)).not.toContain(ALICE);
  expect(readRecordTexts(directory).slice(0, 20)).toEqual(leaves);
  expect(marksOf(directory).slice(0, 20)).toBe(marks);
  for (const index of [0, 19, 20]) {
    const receipt = (await log.tree.receiptOf(index))!;
    const extra = Buffer.from(receipt.split('\n')[1]!.slice('extra '.length), 'base64').toString();
    expect(extra.includes(BOB)).toBe(index === 19);
  }
  await log.append(decision(BOB));
  await log.close();

  const again = await openLog(directory, { settings: { ...SETTINGS, prove_all_records: true } });
  await again.close();
  const records = await readAll(directory);
  expect(records).toHaveLength(22);
  for (const record of records.slice(0, 20)) {
    expect(Object.keys(record.seals!)).toEqual(['internals', 'request']);
    const { request, rules } = record;
    if (record.index % 2 === 0) expect([request, rules]).toEqual([undefined, undefined]);
    else expect([request?.subject.id, rules]).toEqual([BOB, ['mcp.rules.a.b']]);
  }
  expect(records[20]).toEqual({
    v: 1,
    index: 20,
    time: '2027-01-01T00:00:00.000Z',
    instance: 'one',
    kind: 'redaction',
    caller: 'main',
    redaction: {
      groups: ['arguments', 'internals', 'items', 'request'],
      by: ['subject'],
      records: 10,
    },
  });
});

function marksOf(directory: string): string {
  const names = readdirSync(directory).filter((name) => name.endsWith('.log'));
  const lines = names.sort().flatMap((name) => {
    return readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1);
  });
  return lines.map((line) => line[64]).join('');
}

describe('what is redacted', () => {
  const ENTRIES: EvidenceEntry[] = [
    decision(ALICE, { tenant: 'acme' }),
    decision(BOB, { tenant: 'globex', delegation: [ALICE] }),
    decision('request'),
    { ...decision(BOB), evaluation_id: 'batch#0' },
    { ...decision(BOB), evaluation_id: 'batch#1' },
    { kind: 'outcome', evaluation_id: 'e-9', status: 'executed', masked: ['/a'] },
    { kind: 'activation', tenant: 'acme', detail: 'loaded' },
    { kind: 'discovery', shown: [{ type: 'prompt', id: ALICE }], withheld: [] },
    { kind: 'start' },
    decision(`${ALICE}.org`),
    { kind: 'outcome', evaluation_id: 'e-8', status: 'executed', subject_tenant: 'acme' },
  ];

  test.each<[string, Redaction['by'], Partial<Redaction>, number[]]>([
    ['a subject, wherever it is named', { subject: ALICE }, {}, [0, 1, 7]],
    ['a subject with the name of a member', { subject: 'request' }, {}, [2]],
    ['nobody', { subject: 'subject' }, {}, []],
    ['a tenant', { tenant: 'acme' }, {}, [0, 6, 10]],
    ['an index', { record: 4 }, {}, [4]],
    ['an index without seals', { record: 8 }, {}, []],
    ['an evaluation', { record: 'e-9' }, {}, [5]],
    ['a batch', { record: 'batch' }, {}, [3, 4]],
    ['an entry of a batch', { record: 'batch#1' }, {}, [4]],
    ['all that was', { before: '2027-01-01T00:00:10Z' }, {}, [0, 1, 2, 3, 4, 5, 6, 7, 9]],
    ['what was before', { before: '2027-01-01T00:00:03Z' }, {}, [0, 1, 2]],
    ['what is both', { before: '2027-01-01T00:00:03Z', subject: BOB }, {}, [1]],
    ['what is of some group', { subject: BOB }, { only: ['items'] }, []],
    ['nothing of others', { subject: ALICE }, { tenants: new Set(['globex']) }, [1]],
    ['nothing of nobody', { record: 3 }, { tenants: new Set(['globex']) }, []],
  ])('is %s', async (_what, by, more, expected) => {
    const directory = temporaryDirectory();
    let now_ms = Date.UTC(2027, 0, 1);
    const log = await openLog(directory, {
      settings: { segment_bytes_max: 1500 },
      clock: { now_ms: () => now_ms },
    });
    for (const entry of ENTRIES) {
      await log.append(entry);
      now_ms += 1000;
    }
    const before = await readAll(directory);
    const found = await redact(log, by, more);
    expect(found.records).toBe(expected.length);
    const changed = (await readAll(directory)).slice(0, ENTRIES.length);
    expect(changed.filter((record, at) => !equal(record, before[at]!)).map(indexOf)).toEqual(
      expected,
    );
    await log.close();
  });

  const indexOf = ({ index }: EvidenceRecord): number => index;
  const equal = (a: EvidenceRecord, b: EvidenceRecord): boolean =>
    JSON.stringify(a) === JSON.stringify(b);

  test('are the groups that were named, and the others stay', async () => {
    const { directory, log } = await written();
    await redact(log, { record: 3 }, { only: ['internals'] });
    await redact(log, { record: 5 }, { only: ['request', 'items'] });
    const records = await readAll(directory);
    expect(records[3]).toMatchObject({ request: { subject: { id: BOB } } });
    expect(records[3]).not.toHaveProperty('rules');
    expect(records[5]).toMatchObject({ rules: ['mcp.rules.a.b'] });
    expect(records[5]).not.toHaveProperty('request');
    expect(records.at(-1)).toMatchObject({
      redaction: { groups: ['request', 'items'], by: ['record'], records: 1 },
    });
    await log.close();
  });
});

describe('while the log is used', () => {
  test('records are written on, and none of them is lost', async () => {
    const { directory, log } = await written();
    const redactions = [redact(log, { subject: ALICE }), redact(log, { subject: BOB })];
    const appends = Array.from({ length: 100 }, () => log.append(decision('user:carol')));
    const indices = await Promise.all(appends);
    const redacted = await Promise.all(redactions);
    expect(redacted.map(({ records }) => records)).toEqual([10, 10]);
    await log.close();
    const records = await readAll(directory);
    expect(records).toHaveLength(122);
    expect(indices.map((index) => records[index]?.request?.subject.id)).toEqual(
      Array<string>(100).fill('user:carol'),
    );
  });

  test('who reads a segment finishes it as it was', async () => {
    const { directory, log } = await written();
    const reading = readEvidence(directory);
    const first = await reading.next();
    await redact(log, { subject: ALICE });
    const rest = [];
    for await (const record of reading) rest.push(record.request?.subject.id ?? record.kind);
    // The first segment was open; the others are read as they are by now.
    expect((first.value as EvidenceRecord).request?.subject.id).toBe(ALICE);
    expect(rest.slice(0, 3)).toEqual([BOB, ALICE, BOB]);
    expect(rest.slice(-2)).toEqual(['decision', BOB]);
    await log.close();
  });

  test('a close ends it after a segment, and asked again it finishes', async () => {
    const { directory, log } = await written();
    const redaction = redact(log, { subject: ALICE });
    const refused = expect(redaction).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
      message: 'the evidence log is closed',
    });
    await log.close();
    await refused;
    const again = await openLog(directory, { settings: SETTINGS });
    await redact(again, { subject: ALICE });
    await again.close();
    expect(bytesOf(directory)).not.toContain(ALICE);
  });

  test('a disk that is full refuses it, keeps what there was, and the log goes on', async () => {
    const disk = fakeDisk(seededRandom(1));
    const log = await openLog('/evidence', { files: disk, settings: SETTINGS });
    for (let at = 0; at < 20; at += 1) await log.append(decision(ALICE));
    const { open } = disk;
    disk.open = (path, use) => {
      if (path.endsWith('.new')) throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return open.call(disk, path, use);
    };
    await expect(redact(log, { subject: ALICE })).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
      message:
        'the evidence in `/evidence` cannot be redacted ' +
        '(ENOSPC: the disk is full; free some and start again)',
    });
    disk.open = open;
    expect(await log.append(ENTRY)).toBe(21);
    expect(await redact(log, { subject: ALICE })).toEqual({ index: 22, records: 20 });
    await log.close();
  });
});

test('what a killed redaction left beside the log is removed at the start', async () => {
  const { directory, log } = await written();
  await log.close();
  const [draft, other] = ['0000000000000000.log.new', 'notes.new'].map((name) =>
    join(directory, name),
  ) as [string, string];
  for (const path of [draft, other]) writeFileSync(path, ALICE);
  await (await openLog(directory)).close();
  expect(readdirSync(directory)).toContain('notes.new');
  expect(readdirSync(directory)).not.toContain('0000000000000000.log.new');
});

describe('a damaged log', () => {
  test('is not redacted', async () => {
    const { directory, log } = await written();
    const path = join(directory, '0000000000000000.log');
    const text = readFileSync(path, 'utf8').replace('"tools/call"', '"tools/kall"');
    writeFileSync(path, text);
    await expect(redact(log, { subject: ALICE })).rejects.toMatchObject({
      code: 'EVIDENCE_DAMAGED',
      message: `line 1 of \`${path}\` is not what was written`,
    });
    expect(readFileSync(path, 'utf8')).toBe(text);
    await log.close();
  });
});
