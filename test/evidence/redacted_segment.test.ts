/** What a redaction does with the segment that is written. */
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { EvidenceEntry, ProvableLog, Redaction } from '../../src/evidence/types.ts';
import { openLog, temporaryDirectory } from '../support/evidence_log.ts';

const ALICE = 'user:alice@example.com';
const BOB = 'user:bob@example.com';

function decision(id: string): EvidenceEntry {
  const request = { subject: { id }, action: 'tools/call' };
  return { kind: 'decision', evaluation_id: 'e-1', request, outcome: 'deny' };
}

const redact = (log: ProvableLog, by: Redaction['by']) => log.redact({ caller: 'main', by });

const bytesOf = (directory: string): string =>
  filesOf(directory)
    .map((name) => readFileSync(join(directory, name), 'utf8'))
    .join('');

const filesOf = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.endsWith('.log'));

test('the segment goes on where nothing is to be removed, however often it is asked', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  for (const id of [ALICE, ALICE, BOB]) await log.append(decision(id));
  expect(await redact(log, { record: 0 })).toEqual({ index: 3, records: 1 });
  await log.append(decision(BOB));
  const before = filesOf(directory);
  expect(before).toHaveLength(2);
  for (let times = 0; times < 5; times += 1) {
    expect(await redact(log, { subject: 'user:nobody' })).toMatchObject({ records: 0 });
  }
  expect(await redact(log, { subject: ALICE })).toMatchObject({ records: 1 });
  expect(filesOf(directory)).toEqual(before);
  expect(bytesOf(directory)).not.toContain(ALICE);
  await log.close();
});

test('it is ended where something is, with what was written to it meanwhile', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  await log.append(decision(ALICE));
  expect(filesOf(directory)).toHaveLength(1);
  const redacting = redact(log, { subject: ALICE });
  const appended = log.append(decision(ALICE));
  expect(await redacting).toEqual({ index: 2, records: 2 });
  expect(await appended).toBe(1);
  expect(filesOf(directory)).toHaveLength(2);
  expect(bytesOf(directory)).not.toContain(ALICE);
  await log.close();
});

test('it is not read beyond what is durable', async () => {
  const directory = temporaryDirectory();
  const log = await openLog(directory);
  for (let at = 0; at < 3; at += 1) await log.append(decision(BOB));
  const [name] = filesOf(directory);
  appendFileSync(join(directory, name!), 'a line that is being writ');
  expect(await redact(log, { subject: ALICE })).toMatchObject({ records: 0 });
  await log.close();
});
