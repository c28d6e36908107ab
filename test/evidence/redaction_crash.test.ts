/** A redaction that is interrupted at any operation: each disclosure is whole or absent. */
import { describe, expect, test } from '@jest/globals';
import type { EvidenceEntry, ProvableLog } from '../../src/evidence/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import { readRecords } from '../../src/evidence/records.ts';
import { openLog, readAll } from '../support/evidence_log.ts';
import { FAULTS, type FakeDisk, type Fault, fakeDisk } from '../support/fake_disk.ts';
import { seededRandom } from '../support/seeded_random.ts';

const DIRECTORY = '/evidence';
const [ALICE, BOB] = ['user:alice@example.com', 'user:bob@example.com'] as const;
const RECORDS = 30;
/** Every second operation; each of them where more is asked for by `SEEDS=1000`. */
const STEP = Number(process.env.SEEDS ?? 200) < 1000 ? 2 : 1;

const entryOf = (index: number): EvidenceEntry => ({
  kind: 'decision',
  request: { subject: { id: index % 3 === 0 ? ALICE : BOB }, action: 'tools/call' },
  rules: [`rule ${index}`],
});

function open(files: FakeDisk, prove_all_records = false): Promise<ProvableLog> {
  return openLog(DIRECTORY, { files, settings: { segment_bytes_max: 4000, prove_all_records } });
}

interface World {
  disk: FakeDisk;
  leaves: string[];
  /** Operations until the redaction began. */
  begun: number;
}

async function textsOf(disk: FakeDisk, count: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of readRecords(disk, DIRECTORY, 0, count)) texts.push(text);
  return texts;
}

/** A log of some segments; then, beside a writer, a redaction to which something happens. */
async function redacted(seed: number, fault?: Fault, skip = 0): Promise<World> {
  const disk = fakeDisk(seededRandom(seed));
  const log = await open(disk);
  for (let index = 0; index < RECORDS; index += 1) await log.append(entryOf(index));
  const leaves = await textsOf(disk, RECORDS);
  const begun = disk.changes;
  if (fault) disk.failAfter(skip, fault);
  const work = [
    log.redact({ caller: 'test', by: { subject: ALICE } }),
    log.append(entryOf(1)),
    log.tree.sign(),
  ];
  const codes = (await Promise.allSettled(work)).map((result) => {
    return result.status === 'rejected' ? codeOf(result.reason) : 'done';
  });
  expect(['done', 'EVIDENCE_UNWRITABLE']).toEqual(expect.arrayContaining(codes.slice(0, 2)));
  if (!fault || skip % 4 === 0) await log.close();
  disk.restart(fault === 'kill' ? 'kill' : 'power_loss');
  return { disk, leaves, begun };
}

function codeOf(error: unknown): unknown {
  return error instanceof PortcullisError ? error.code : error;
}

/** What is wrong with the records after a start. */
async function faultsOf({ disk, leaves }: World): Promise<string[]> {
  await (await open(disk, true)).close();
  const faults: string[] = [];
  const records = await readAll(DIRECTORY, { files: disk });
  const texts = await textsOf(disk, RECORDS);
  for (const [index, text] of leaves.entries()) {
    const { request, rules } = records[index]!;
    const expected = entryOf(index);
    const isWhole = request?.subject.id === expected.request!.subject.id && rules !== undefined;
    const isGone = request === undefined && rules === undefined && index % 3 === 0;
    if (!isWhole && !isGone) faults.push(`record ${index} is half there`);
    if (texts[index] !== text) faults.push(`the leaf of record ${index} is another`);
    const isRecorded = records.some(({ kind }) => kind === 'redaction');
    if (isGone && !isRecorded) faults.push(`record ${index} is gone and nobody said so`);
  }
  if (disk.names(DIRECTORY).some((name) => name.endsWith('.log.new'))) faults.push('a draft stays');
  return faults;
}

async function asksAgain({ disk }: World): Promise<number> {
  const log = await open(disk);
  await log.redact({ caller: 'test', by: { subject: ALICE } });
  await log.close();
  const records = await readAll(DIRECTORY, { files: disk });
  return records.filter(({ request }) => request?.subject.id === ALICE).length;
}

describe.each(FAULTS)('%s at each operation of a redaction in turn', (fault) => {
  test('leaves each disclosure whole or absent, and asked again it finishes', async () => {
    const quiet = await redacted(1);
    const operations = quiet.disk.changes - quiet.begun;
    expect(operations).toBeGreaterThan(15);
    for (let skip = 0; skip < operations; skip += STEP) {
      const world = await redacted(1 + skip, fault, skip);
      expect({ skip, faults: await faultsOf(world) }).toEqual({ skip, faults: [] });
      expect({ skip, left: await asksAgain(world) }).toEqual({ skip, left: 0 });
    }
  }, 60_000);
});

test('what was acknowledged as redacted stays so after a power loss', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const { disk } = await redacted(seed);
    await (await open(disk)).close();
    const records = await readAll(DIRECTORY, { files: disk });
    expect(records.filter(({ request }) => request?.subject.id === ALICE)).toEqual([]);
  }
});

test('a disk that only claims to flush is found out, so this test can fail', async () => {
  let kept = 0;
  for (let seed = 0; seed < 20; seed += 1) {
    const disk = fakeDisk(seededRandom(seed));
    const log = await open(disk);
    await log.append(entryOf(0));
    await log.close();
    const again = await open(disk);
    disk.lie();
    await again.redact({ caller: 'test', by: { subject: ALICE } });
    disk.restart('power_loss');
    const found = await readAll(DIRECTORY, { files: disk }).catch(() => []);
    if (found[0]?.request || found.length === 0) kept += 1;
  }
  expect(kept).toBeGreaterThan(5);
});
