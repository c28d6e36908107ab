/** How far an export came: kept over crashes, and believed only where it fits the log. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Cursor, openCursor } from '../../../src/evidence/exports/cursor.ts';
import type { Gap, RecordSource } from '../../../src/evidence/exports/types.ts';
import type { readRecords } from '../../../src/evidence/records.ts';
import { ORIGIN } from '../../support/evidence_log.ts';
import { fakeDisk } from '../../support/fake_disk.ts';
import { seededRandom } from '../../support/seeded_random.ts';
import { openScene, type Scene } from './fixture.ts';

const open = () => ({
  format: ({ index }: { index: number }) => String(index),
  deliver: async () => ({ outcome: 'taken', rejected_records: 0 }) as const,
  close: async () => {},
});

/** A folder whose export has sent four records. */
async function exported(): Promise<string> {
  const scene = await openScene([{ open }]);
  await scene.append(4);
  await scene.close();
  return scene.directory;
}

const placeIn = (directory: string): string => join(directory, 'exports', 'one.json');

function change(directory: string, members: object): void {
  const path = placeIn(directory);
  const state = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...state, ...members }));
}

const leaf = 'b'.repeat(64);
const NOT_WRITTEN = 'is not what was written';
const GAP = { first: 0, last: 1, records: 1, reason: 'it is poison' };
/** Members of a place that no export writes. */
const MALFORMED: Record<string, object> = {
  'is of another version': { v: 2 },
  'names no log': { origin: 7 },
  'has a negative index': { next: -1 },
  'has a broken index': { next: 1.5 },
  'is before the first record': { next: 0, leaf },
  'has no hash': { leaf: null },
  'has a hash with more before it': { leaf: `0${leaf}` },
  'has a hash with more behind it': { leaf: `${leaf}0` },
  'has no list of gaps': { gaps: {} },
  'has gaps that are none': { gaps: [{}] },
  'has a gap that is null': { gaps: [null] },
  'has a gap that begins before the log': { gaps: [{ ...GAP, first: -1 }] },
  'has a gap that ends before it begins': { gaps: [{ ...GAP, first: 2 }] },
  'has a gap of fewer than no records': { gaps: [{ ...GAP, records: -1 }] },
  'has a gap without a reason': { gaps: [{ ...GAP, reason: undefined }] },
};
/** What is told of it follows the path of the place. */
const FAULTS: Record<string, [act: (directory: string) => void, fault: string]> = {
  'is ahead of the log': [(at) => change(at, { next: 5 }), 'is behind record 5, and the log has 4'],
  'is one in another log': [(at) => change(at, { origin: 'x' }), 'is one in another log'],
  'is behind a record that is another now': [
    (at) => change(at, { leaf }),
    'is behind another record 3 than the one in the log',
  ],
  'is moved back': [
    (at) => change(at, { next: 2 }),
    'is behind another record 1 than the one in the log',
  ],
  'is no JSON': [(at) => writeFileSync(placeIn(at), '{'), NOT_WRITTEN],
  'is JSON null': [(at) => writeFileSync(placeIn(at), 'null'), NOT_WRITTEN],
  'is empty': [(at) => writeFileSync(placeIn(at), ''), NOT_WRITTEN],
  ...Object.fromEntries(
    Object.entries(MALFORMED).map(([name, members]) => [
      name,
      [(at: string) => change(at, members), NOT_WRITTEN] as const,
    ]),
  ),
  'is huge': [
    (at) => writeFileSync(placeIn(at), ' '.repeat(1_048_577)),
    'cannot be read: `PLACE` is not what was written',
  ],
  'is a folder': [foldered, 'cannot be read: it is a folder'],
};

function foldered(directory: string): void {
  rmSync(placeIn(directory));
  mkdirSync(placeIn(directory));
}

describe.each(Object.entries(FAULTS))('a place that %s', (_name, [act, fault]) => {
  const told = (directory: string): string =>
    `the export \`one\` cannot go on: its place in \`PLACE\` ${fault}`.replaceAll(
      'PLACE',
      placeIn(directory),
    );

  test('stops the export, and no decision', async () => {
    const directory = await exported();
    act(directory);
    const scene: Scene = await openScene([{ open }], { directory });
    await scene.append(1);
    const problem = told(directory);
    expect(scene.exports.evidence.status().exports).toEqual([
      {
        name: 'one',
        type: 'tested',
        required: false,
        stopped: true,
        lag_records: 5,
        gap_records: 0,
        gaps: [],
        problem,
      },
    ]);
    expect(scene.lines.filter(({ level }) => level === 'error')).toEqual([
      {
        level: 'error',
        message: 'an export of the evidence has stopped',
        fields: { export: 'one', error: expect.objectContaining({ message: problem }) },
      },
    ]);
  });

  test('refuses the start where the export is required', async () => {
    const directory = await exported();
    act(directory);
    await expect(openScene([{ open, required: true }], { directory })).rejects.toMatchObject({
      code: 'EXPORT_UNUSABLE',
      message: told(directory),
    });
  });
});

test('a place that cannot be read is told with what the system said', async () => {
  const directory = await exported();
  foldered(directory);
  await expect(openScene([{ open, required: true }], { directory })).rejects.toMatchObject({
    cause: { code: 'EISDIR' },
  });
});

test('a log that was begun anew under its old name is another one', async () => {
  const directory = await exported();
  rmSync(join(directory, 'evidence'), { recursive: true });
  const other = await openScene([], { directory });
  await other.exports.evidence.append({ kind: 'start' });
  await other.append(4);
  await other.close();
  await expect(openScene([{ open, required: true }], { directory })).rejects.toMatchObject({
    code: 'EXPORT_UNUSABLE',
  });
});

test('without its file an export begins at the first record', async () => {
  const directory = await exported();
  rmSync(placeIn(directory));
  const scene = await openScene([{ open }], { directory });
  await scene.eventually(() => scene.exports.evidence.status().exports?.[0]?.lag_records === 0);
  expect(existsSync(placeIn(directory))).toBe(true);
});

describe('gaps', () => {
  const reason = 'it is poison';
  const single = (index: number): Gap => ({ first: index, last: index, records: 1, reason });

  /** A place of which these gaps are known, in memory only. */
  const cursorWith = (gaps: Gap[]): Cursor =>
    new Cursor(fakeDisk(seededRandom(1)), '/exports', 'one.json', {
      v: 1,
      origin: ORIGIN,
      next: 1,
      leaf,
      gaps,
    });

  const added = async (gaps: Gap[], gap: Gap): Promise<readonly Gap[]> => {
    const cursor = cursorWith(gaps);
    await cursor.advance(gap.last + 1, Buffer.from(leaf, 'hex'), gap);
    return cursor.gaps;
  };

  test('that touch are one where their reason is one', async () => {
    const next = { first: 4, last: 6, records: 2, reason };
    expect(await added([single(0), single(3)], next)).toEqual([
      single(0),
      { first: 3, last: 6, records: 3, reason },
    ]);
  });

  test.each([
    ['a record lies between them', single(5)],
    ['their reasons differ', { ...single(4), reason: 'it left records of a batch out' }],
  ])('are two where %s', async (_name, gap) => {
    expect(await added([single(3)], gap)).toEqual([single(3), gap]);
  });

  test('beyond a thousand the last one reaches further, and its count stays right', async () => {
    const apart = Array.from({ length: 999 }, (_, at) => single(2 * at));
    const thousand = await added(apart, single(1998));
    expect(thousand).toEqual([...apart, single(1998)]);
    expect(await added([...thousand], single(2000))).toEqual([
      ...apart,
      { first: 1998, last: 2000, records: 2, reason },
    ]);
  });

  test('are known after a restart, and the newest are told', async () => {
    const directory = await exported();
    const gaps = Array.from({ length: 20 }, (_, at) => ({ ...single(2 * at), records: at }));
    change(directory, { gaps });
    const scene = await openScene([{ open }], { directory });
    expect(scene.exports.evidence.status().exports).toMatchObject([
      { stopped: false, gap_records: 190, gaps: gaps.slice(4) },
    ]);
  });
});

describe('on a disk that fails at any step', () => {
  const SEEDS = Number(process.env.SEEDS ?? 100);
  const source: RecordSource = { origin: ORIGIN, size: () => 9, read: stored };

  async function* stored(from: number, to: number): ReturnType<typeof readRecords> {
    for (let index = from; index < to; index += 1) {
      yield { leaf: leafOf(index + 1) } as Awaited<
        ReturnType<ReturnType<typeof readRecords>['next']>
      >['value'];
    }
  }
  const leafOf = (next: number): Buffer => Buffer.alloc(32, next);

  test('the place that is found was durable, or is the one after it', async () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const random = seededRandom(seed);
      const disk = fakeDisk(random);
      let durable = 0;
      const fault = random.pick(['power_loss', 'kill', 'ENOSPC', 'EIO'] as const);
      disk.failAfter(random.below(30), fault);
      try {
        const cursor = await openCursor(disk, '/exports', 'one', source);
        for (let next = 1; next < 9; next += 1) {
          await cursor.advance(next, leafOf(next));
          durable = next;
        }
      } catch {
        // Told to.
      }
      disk.restart(fault === 'kill' ? 'kill' : 'power_loss');
      const { next } = await openCursor(disk, '/exports', 'one', source);
      expect([durable, durable + 1]).toContain(next);
    }
  });
});
