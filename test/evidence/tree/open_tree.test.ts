/** What a start does to the disk: it writes what is missing, and takes no error for absence. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { readSignedState } from '../../../src/evidence/tree/checkpoint.ts';
import { proveLog } from '../../../src/evidence/tree/start.ts';
import { TileStore } from '../../../src/evidence/tree/tile_store.ts';
import { ENTRY, ORIGIN, openLog } from '../../support/evidence_log.ts';
import { fakeDisk } from '../../support/fake_disk.ts';
import { seededRandom } from '../../support/seeded_random.ts';
import { ALL, RECORDS, contents, copy, namesOf } from './fixture.ts';
import { RecordingDisk } from './recording_disk.ts';
import { treeOf } from './shown.ts';

/** What is done to a log that is opened and closed, beside its records. */
async function doneAtStart(directory: string): Promise<string[]> {
  const { files, done } = new RecordingDisk(directory);
  await (await openLog(directory, { files })).close();
  return done.filter((each) => /^(write|create|rename) (checkpoint|keys|tile)/.test(each));
}

describe('a start', () => {
  test('signs nothing again where all is signed', async () => {
    expect(await doneAtStart(copy())).toEqual([]);
  });

  test('signs at once what a process that was killed did not sign', async () => {
    const files = fakeDisk(seededRandom(1));
    const killed = await openLog('/evidence', { files });
    for (let at = 0; at < 3; at += 1) await killed.append(ENTRY);
    expect(treeOf(killed.tree.checkpoint()).size).toBe(0);
    files.restart('kill');
    const log = await openLog('/evidence', { files });
    expect(treeOf(log.tree.checkpoint()).size).toBe(3);
    await log.close();
  });

  test('builds the tile again that is missing, and leaves the others as they are', async () => {
    const directory = copy();
    rmSync(join(directory, 'tile/0/001'));
    expect(await doneAtStart(directory)).toEqual(['write tile/0/001', 'create tile/0/001']);
  });

  test('reads all records once where all tiles are right', async () => {
    const directory = copy();
    const { files, done } = new RecordingDisk(directory);
    const { checkpoint } = await readSignedState(files, directory, ORIGIN);
    const tiles = new TileStore(files, directory);
    const log = { files, directory, tiles, checkpoint, size: RECORDS, from_all_records: true };
    expect(await proveLog(log)).toMatchObject({ repaired: 0, waiting: [] });
    const segments = namesOf(directory).map((name) => `read ${name}`);
    expect(done.filter((each) => each.endsWith('.log'))).toEqual(segments);
  });
});

test.each(['keys', 'checkpoint', 'tile/0/001'])(
  'a start that cannot read `%s` does not take it for missing, and ends',
  async (name) => {
    const directory = copy();
    const before = contents(directory);
    const disk = new RecordingDisk(directory);
    disk.refused.set(`read ${name}`, 'EACCES');
    await expect(openLog(directory, { files: disk.files, ...ALL })).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
      cause: { code: 'EACCES' },
    });
    expect(contents(directory)).toEqual(before);
    expect(disk.open_files).toBe(0);
  },
);
