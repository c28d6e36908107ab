import { readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { canonicalJson } from '../../src/contract/canonical.ts';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import type { EvidenceEntry } from '../../src/evidence/types.ts';
import {
  ENTRY,
  type LoggedLine,
  openLog,
  readRecordTexts,
  readAll,
  recordingLogger,
  temporaryDirectory,
} from '../support/evidence_log.ts';
import { ENTRY_BYTES_MAX } from '../../src/evidence/tree/bundle.ts';
import type { EvidenceFile } from '../../src/evidence/files.ts';
import { fakeDisk } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const ENTRIES: EvidenceEntry[] = [
  { kind: 'start' },
  {
    kind: 'decision',
    evaluation_id: 'e-1',
    caller: 'socket',
    profile: 'mcp/1',
    request: {
      subject: { id: 'user:zoë@example.com', actor_type: 'human', groups: ['tellers'] },
      action: 'tools/call',
      resource: { type: 'tool', id: 'transfer\n"\u2028', server: 'payments' },
      phase: 'call',
      arguments_digest: `hmac-sha256:k1:${'b'.repeat(64)}`,
    },
    decision: false,
    outcome: 'deny',
    visible: true,
    reason_code: 'TRANSFER_LIMIT',
    constraints: {},
    obligations: [],
    rules: ['mcp.rules.payments.transfer_limit'],
  },
  {
    kind: 'discovery',
    evaluation_id: 'e-2',
    caller: 'guard',
    profile: 'mcp/1',
    request: { subject: { id: 'user:alice@example.com' }, action: 'tools/list' },
    catalogue_digest: DIGEST,
    grounds: [{ reason_code: 'ALLOWED', rules: [] }],
    shown: [{ type: 'tool', id: 'a', ground: 0 }],
    withheld: [{ type: 'tool', id: 'b', definition_digest: DIGEST, ground: 0 }],
  },
  {
    kind: 'outcome',
    evaluation_id: 'e-1',
    caller: 'guard',
    status: 'executed',
    masked: ['/a/*'],
  },
  {
    kind: 'activation',
    policy: { revision: '8', digest: DIGEST },
    unsafe_allow_all: true,
    status: 'activated',
  },
  { kind: 'stop', detail: 'SIGTERM' },
];

test('each record gets its place, fits its schema, and is read back as written', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  const indices: number[] = [];
  for (const entry of ENTRIES) indices.push(await log.append(entry));
  expect(indices).toEqual([0, 1, 2, 3, 4, 5]);
  expect(log.status()).toEqual({ writable: true, size: 6 });
  await log.close();

  const records = await readAll(directory);
  const header = { v: 1, time: '2027-01-01T00:00:00.000Z', instance: 'one' };
  const unsealed = records.map(({ seals: _seals, ...record }) => record);
  expect(unsealed).toEqual(ENTRIES.map((entry, index) => ({ ...entry, ...header, index })));
  for (const record of records) expect(VALIDATORS.evidence_record(record).ok).toBe(true);
});

test('a line is the RFC 6962 leaf hash, a mark, canonical JSON and its disclosures', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { randomness: (count) => Buffer.alloc(count, 0xff) });
  await log.append(ENTRIES[0]!);
  await Promise.all([log.append(ENTRIES[1]!), log.append(ENTRIES[2]!)]);
  await log.close();

  const [first, second, third, end] = segmentText(directory).split('\n');
  const expected = (index: number, mark: string): string => {
    const known = { index, instance: 'one', time: '2027-01-01T00:00:00.000Z', v: 1 } as const;
    return lineOf(mark, { ...ENTRIES[index]!, ...known });
  };
  expect([first, second, third, end]).toEqual([
    expected(0, ' '),
    expected(1, ' '),
    expected(2, '+'),
    '',
  ]);
});

function segmentText(directory: string): string {
  return readFileSync(join(directory, '0000000000000000.log'), 'utf8');
}

const SALT = '_'.repeat(22);

function lineOf(mark: string, record: EvidenceRecord): string {
  const { request, rules, grounds, shown, withheld, ...leaf } = record;
  const disclosed = [
    ...(rules ? [['internals', { rules }]] : []),
    ...(shown ? [['items', { grounds, shown, withheld }]] : []),
    ...(request ? [['request', { request }]] : []),
  ].map(([group, members]) => [group, canonicalJson([group, SALT, members])] as const);
  const seals = disclosed.map(([group, text]) => [
    group,
    `sha256:${sha256(`portcullis seal v1\n${text}`)}`,
  ]);
  const sealed = seals.length === 0 ? leaf : { ...leaf, seals: Object.fromEntries(seals) };
  const text = canonicalJson(sealed);
  const parts = [sha256(`\0${text}`) + mark + text, ...disclosed.map(([, each]) => each)];
  return parts.join('\t');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

test('an entry cannot set what the log sets', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  const seals = { items: DIGEST };
  const forged = { index: 7, time: 'never', instance: 'other', v: 2, seals };
  await log.append({ ...ENTRY, ...forged });
  await log.append({ kind: 'stop', ...forged });
  await log.close();
  const [first, second] = await readAll(directory);
  expect(first).toMatchObject({ v: 1, index: 0, instance: 'one' });
  expect(Object.keys(first!.seals!)).toEqual(['internals']);
  expect(second!.seals).toBeUndefined();
});

test('a record is refused above the limit and taken at it, and the log goes on', async () => {
  const probe = temporaryDirectory();
  const first = await openLog(probe);
  await first.append(ENTRY);
  await first.close();
  const size_bytes = segmentText(probe).length;

  const directory = temporaryDirectory();
  const log = await openLog(directory, { settings: { record_bytes_max: size_bytes } });
  await log.append(ENTRY);
  const larger = log.append({ ...ENTRY, detail: `${ENTRY.detail}!` });
  await expect(larger).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
    message: `an evidence record is larger than evidence.record_bytes_max (${size_bytes})`,
  });
  await expect(log.append({ ...ENTRY, detail: 'x' })).resolves.toBe(1);
  await log.close();
});

test('what a record does not seal fits in an entry of the log, or it is refused', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory, { settings: { record_bytes_max: 200_000 } });
  const named = (characters: number): EvidenceEntry => ({
    kind: 'decision',
    evaluation_id: 'x'.repeat(characters),
  });
  await log.append(named(1));
  const [text = ''] = readRecordTexts(directory);
  const most = ENTRY_BYTES_MAX - text.length + 1;
  await expect(log.append(named(most + 1))).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
    message:
      'what an evidence record does not seal is larger than ' +
      `an entry of the log holds (${ENTRY_BYTES_MAX} bytes)`,
  });
  await expect(log.append(named(most))).resolves.toBe(1);
  await log.close();
});

test('a record without a canonical form is refused and takes no place', async () => {
  const log = await openLog(temporaryDirectory());
  const entry = { ...ENTRY, detail: 1n } as unknown as EvidenceEntry;
  await expect(log.append(entry)).rejects.toThrow(TypeError);
  await expect(log.append(ENTRY)).resolves.toBe(0);
  await log.close();
});

test('more records than the queue holds are refused, and the others written', async () => {
  const log = await openLog(temporaryDirectory(), { settings: { queue_records_max: 3 } });
  const results = await Promise.allSettled(Array.from({ length: 5 }, () => log.append(ENTRY)));
  expect(results.map(({ status }) => status)).toEqual([
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
  ]);
  expect(results[4]).toMatchObject({
    reason: { code: 'EVIDENCE_UNWRITABLE', message: '3 evidence records wait for the disk' },
  });
  await expect(log.append(ENTRY)).resolves.toBe(3);
  await log.close();
});

test('time never goes backwards, not even after a restart', async () => {
  const directory = temporaryDirectory();
  let now_ms = Date.UTC(2027, 0, 1, 12);
  const clock = { now_ms: () => now_ms };
  const log = await openLog(directory, { clock });
  await log.append(ENTRY);
  now_ms -= 3_600_000;
  await log.append(ENTRY);
  now_ms += 7_200_000;
  await log.append(ENTRY);
  await log.close();

  now_ms -= 86_400_000;
  const lines: LoggedLine[] = [];
  const again = await openLog(directory, { clock, log: recordingLogger(lines) });
  await again.append(ENTRY);
  await again.close();
  expect((await readAll(directory)).map(({ time }) => time.slice(11, 19))).toEqual([
    '12:00:00',
    '12:00:00',
    '13:00:00',
    '13:00:00',
  ]);
  expect(lines).toContainEqual({
    level: 'warn',
    message: 'the clock is behind the last evidence record',
    fields: { behind_ms: 86_400_000 },
  });
});

test('close writes what was accepted, and refuses what comes later', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  const accepted = [log.append(ENTRY), log.append(ENTRY)];
  const closing = log.close();
  const late = log.append(ENTRY);
  await expect(late).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
    message: 'the evidence log is closed',
  });
  expect(await Promise.all(accepted)).toEqual([0, 1]);
  await closing;
  await log.close();
  expect(await readAll(directory)).toHaveLength(2);
});

test('after a failed flush the group and all later ones are refused', async () => {
  const disk = fakeDisk(seededRandom(1));
  const lines: LoggedLine[] = [];
  const log = await openLog('/evidence', { files: disk, log: recordingLogger(lines) });
  await log.append(ENTRY);
  disk.failAfter(1, 'EIO');
  const group = await Promise.allSettled([log.append(ENTRY), log.append(ENTRY)]);
  const message =
    'evidence cannot be written to `/evidence/0000000000000000.log` ' +
    '(EIO: the disk fails; replace it and start again)';
  const reason = { code: 'EVIDENCE_UNWRITABLE', message, cause: { code: 'EIO' } };
  expect(group).toMatchObject([{ reason }, { reason }]);
  await expect(log.append(ENTRY)).rejects.toMatchObject(reason);
  expect(log.status()).toEqual({ writable: false, size: 1, problem: message });
  expect(lines.filter(({ level }) => level === 'error')).toMatchObject([
    { message, fields: { cause: { code: 'EIO' } } },
  ]);
  await log.close();
});

test('a disk that takes no byte has failed', async () => {
  const disk = fakeDisk(seededRandom(1));
  const open = disk.open.bind(disk);
  let takes = true;
  disk.open = (path, use): EvidenceFile => {
    const file = open(path, use);
    const write: EvidenceFile['write'] = (bytes, at) => (takes ? file.write(bytes, at) : 0);
    return { ...file, write };
  };
  const log = await openLog('/evidence', { files: disk });
  takes = false;
  await expect(log.append(ENTRY)).rejects.toMatchObject({
    code: 'EVIDENCE_UNWRITABLE',
    message: 'evidence cannot be written to `/evidence/0000000000000000.log`',
    cause: { message: 'the disk took no byte' },
  });
  await log.close();
});
