/** How far an export came: kept over crashes, and believed only where it fits the log. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openCursor } from '../../../src/evidence/exports/cursor.ts';
import type { RecordSource } from '../../../src/evidence/exports/types.ts';
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
const FAULTS: Record<string, [act: (directory: string) => void, fault: RegExp]> = {
  'is ahead of the log': [(at) => change(at, { next: 5 }), /is behind record 5, and the log has 4/],
  'is one in another log': [(at) => change(at, { origin: 'x' }), /is one in another log/],
  'is behind a record that is another now': [
    (at) => change(at, { leaf }),
    /is behind another record 3 than the one in the log/,
  ],
  'is moved back': [(at) => change(at, { next: 2 }), /is behind another record 1 than/],
  'is no JSON': [(at) => writeFileSync(placeIn(at), '{'), /is not what was written/],
  'is JSON null': [(at) => writeFileSync(placeIn(at), 'null'), /is not what was written/],
  'is empty': [(at) => writeFileSync(placeIn(at), ''), /is not what was written/],
  'is of another version': [(at) => change(at, { v: 2 }), /is not what was written/],
  'has a negative index': [(at) => change(at, { next: -1 }), /is not what was written/],
  'has no hash': [(at) => change(at, { leaf: null }), /is not what was written/],
  'has gaps that are none': [(at) => change(at, { gaps: [{}] }), /is not what was written/],
  'is huge': [
    (at) => writeFileSync(placeIn(at), ' '.repeat(1_048_577)),
    /cannot be read: .* is not what was written/,
  ],
  'is a folder': [
    (at) => {
      rmSync(placeIn(at));
      mkdirSync(placeIn(at));
    },
    /cannot be read: it is a folder/,
  ],
};

describe.each(Object.entries(FAULTS))('a place that %s', (_name, [act, fault]) => {
  test('stops the export, and no decision', async () => {
    const directory = await exported();
    act(directory);
    const scene: Scene = await openScene([{ open }], { directory });
    await scene.append(1);
    const [status] = scene.exports.evidence.status().exports!;
    expect(status).toMatchObject({
      stopped: true,
      lag_records: 5,
      problem: expect.stringMatching(fault),
    });
    expect(scene.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('refuses the start where the export is required', async () => {
    const directory = await exported();
    act(directory);
    await expect(openScene([{ open, required: true }], { directory })).rejects.toMatchObject({
      code: 'EXPORT_UNUSABLE',
      message: expect.stringMatching(fault),
    });
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
