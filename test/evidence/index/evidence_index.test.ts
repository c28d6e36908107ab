/** Finding records: the same as whoever reads all of them finds. */
import { chmodSync, readFileSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { EvidenceRecord } from '../../../src/contract/types.gen.ts';
import {
  FIELD_NAMES,
  type Field,
  valuesOf,
  type RecordFilter,
} from '../../../src/evidence/index/fields.ts';
import type { RecordQuery } from '../../../src/evidence/index/evidence_index.ts';
import { openLog, readAll, temporaryDirectory } from '../../support/evidence_log.ts';
import { type SeededRandom, seededRandom } from '../../support/seeded_random.ts';
import { START_MS, entryOf, openIndex, walk, writeDecisions } from './fixture.ts';

const SEEDS = Number(process.env.SEEDS ?? 12);

/** Over more than two stretches of the index. */
const RECORDS = 34_000;
let directory: string;
let records: EvidenceRecord[];
beforeAll(async () => {
  directory = await writeDecisions(RECORDS, { segment_bytes_max: 4 * 1024 * 1024 });
  records = await readAll(directory);
}, 120_000);

/** Each field of a record that somebody looks for. */
function filterOf({ below, chance, pick }: SeededRandom): RecordFilter {
  const fields: Partial<Record<Field, string[]>> = {};
  for (const field of FIELD_NAMES) {
    const two = [pick(records), pick(records)];
    if (chance(0.15)) fields[field] = two.flatMap((record) => valuesOf(record, field));
  }
  const from_ms = START_MS + below(RECORDS);
  const to_ms = from_ms + below(RECORDS);
  return { fields, ...(chance(0.4) && { from_ms }), ...(chance(0.4) && { to_ms }) };
}

/** By the records alone, in words of this test. */
function isWanted(record: EvidenceRecord, { fields, from_ms = 0, to_ms = Infinity }: RecordFilter) {
  const time_ms = Date.parse(record.time);
  return (
    time_ms >= from_ms &&
    time_ms < to_ms &&
    Object.entries(fields).every(([field, wanted]) =>
      valuesOf(record, field as Field).some((value) => wanted?.includes(value)),
    )
  );
}

test('pages hold what a reader of all records finds, in order, each once', async () => {
  const index = openIndex(directory);
  for (let seed = 0; seed < SEEDS; seed += 1) {
    const random = seededRandom(seed);
    const filter = filterOf(random);
    const order = random.chance(0.5) ? 'newest' : 'oldest';
    const limit = 50 + random.below(900);
    const expected = records.filter((record) => isWanted(record, filter)).map((at) => at.index);
    if (order === 'newest') expected.reverse();
    const found = await walk(index, { filter, order, limit });
    expect([seed, found.map((record) => record.index)]).toEqual([seed, expected]);
  }
});

test('a record is found by its place, and there is none behind the last', async () => {
  const index = openIndex(directory);
  for (const at of [0, 16_383, 16_384, RECORDS - 1]) {
    expect((await index.record(at))?.record).toEqual(records[at]);
  }
  expect(await index.record(RECORDS)).toBeUndefined();
});

test('the entries of a batch are found by its evaluation id, and by their own', async () => {
  const place = join(temporaryDirectory(), 'log');
  const log = await openLog(place);
  const entry = entryOf(seededRandom(1), 1);
  for (const evaluation_id of ['one#0', 'one#1', 'two']) {
    await log.append({ ...entry, evaluation_id });
  }
  await log.close();
  const found = async (id: string) =>
    (await walk(openIndex(place), { filter: { fields: { evaluation_id: [id] } } })).length;
  expect([await found('one'), await found('one#1'), await found('three')]).toEqual([2, 1, 0]);
});

describe('the file', () => {
  test('stands beside the log and is its owner’s alone', async () => {
    const place = await writeDecisions(10);
    await openIndex(place).catchUp();
    const names = readdirSync(dirname(place)).filter((name) => name !== basename(place));
    expect(names).toContain(`${basename(place)}.index`);
    for (const name of names) {
      expect([name, statSync(join(dirname(place), name)).mode & 0o777]).toEqual([name, 0o600]);
    }
  });

  test('holds no value of a record, and no record', async () => {
    const place = await writeDecisions(500);
    await openIndex(place).catchUp();
    const names = readdirSync(dirname(place)).filter((name) => name.startsWith('log.index'));
    const bytes = Buffer.concat(names.map((name) => readFileSync(join(dirname(place), name))));
    const values = (await readAll(place)).flatMap((record) =>
      FIELD_NAMES.flatMap((field) => valuesOf(record, field).filter(({ length }) => length > 3)),
    );
    expect(values.length).toBeGreaterThan(5000);
    expect(values.filter((value) => bytes.includes(value))).toEqual([]);
  });

  test('in a folder that cannot be written is refused with what helps', async () => {
    const place = await writeDecisions(1);
    const refused = expect.objectContaining({
      code: 'ARGUMENT_INVALID',
      message: expect.stringContaining('--index'),
    });
    expect(() => openIndex(place, join(dirname(place), 'absent', 'index'))).toThrow(refused);
  });

  test('that is a link is refused', async () => {
    const place = await writeDecisions(1);
    symlinkSync(join(dirname(place), 'elsewhere'), `${place}.index`);
    expect(() => openIndex(place)).toThrow(/is no file of this user/);
  });

  test('of a log that cannot be written can stand elsewhere', async () => {
    const place = await writeDecisions(5);
    chmodSync(place, 0o500);
    const index = openIndex(place, join(temporaryDirectory(), 'index'));
    expect(await walk(index, {})).toHaveLength(5);
    chmodSync(place, 0o700);
  });
});

describe('a page', () => {
  test('is of its limit, and tells where the next begins', async () => {
    const index = openIndex(await writeDecisions(5));
    const sizes: [number, boolean][] = [];
    for (const limit of [4, 5, 6]) {
      const page = await index.page({ filter: { fields: {} }, order: 'newest', limit });
      sizes.push([page.records.length, page.next !== null]);
    }
    expect(sizes).toEqual([
      [4, true],
      [5, false],
      [5, false],
    ]);
  });

  test('is of its size, and holds one record of any size', async () => {
    const place = await writeDecisions(3);
    const index = openIndex(place);
    const [first, second] = (await readAll(place)).map((record) => JSON.stringify(record).length);
    const both = (first as number) + (second as number);
    const lengths: number[] = [];
    for (const bytes_max of [1, both - 1, both, both + 1]) {
      const query = { filter: { fields: {} }, order: 'oldest', limit: 3, bytes_max } as const;
      lengths.push((await index.page(query)).records.length);
    }
    expect(lengths).toEqual([1, 1, 2, 2]);
    expect(await walk(index, { bytes_max: 1 })).toHaveLength(3);
  });

  test('that follows shows what was written meanwhile, and nothing twice', async () => {
    const place = await writeDecisions(6);
    const index = openIndex(place);
    const query = { filter: { fields: {} }, limit: 4 };
    const newest = await index.page({ ...query, order: 'newest' });
    const oldest = await index.page({ ...query, order: 'oldest' });
    await writeDecisions(2, { directory: place });
    const rest = [
      await index.page({ ...query, order: 'newest', cursor: newest.next as string }),
      await index.page({ ...query, order: 'oldest', cursor: oldest.next as string }),
    ];
    expect(rest.map((page) => page.records.map((record) => record.index))).toEqual([
      [1, 0],
      [4, 5, 6, 7],
    ]);
  });

  test.each([
    ['nothing', ''],
    ['no cursor', 'bm8gY3Vyc29y'],
    ['a number alone', Buffer.from('12').toString('base64url')],
    ['another mark', Buffer.from('12.AAAAAAAAAAAAAAAA').toString('base64url')],
    ['a record that cannot be', Buffer.from('9999999999999999.AAAAAAAAAAAAAAAA').toString()],
  ])('is refused for a cursor that is %s', async (_, cursor) => {
    const index = openIndex(await writeDecisions(3));
    const query = { filter: { fields: {} }, order: 'newest', limit: 1, cursor } as const;
    await expect(index.page(query)).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('is refused for a cursor of other filters or of the other order', async () => {
    const index = openIndex(await writeDecisions(3));
    const query = { filter: { fields: {} }, order: 'newest', limit: 1 } as const;
    const cursor = (await index.page(query)).next as string;
    const others: Partial<RecordQuery>[] = [
      { order: 'oldest' },
      { filter: { fields: { kind: ['decision'] } } },
    ];
    for (const other of others) {
      await expect(index.page({ ...query, ...other, cursor })).rejects.toMatchObject({
        code: 'REQUEST_INVALID',
      });
    }
    expect((await index.page({ ...query, cursor })).records).toHaveLength(1);
  });
});
