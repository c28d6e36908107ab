/** Full tiles on the disk. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { EvidenceFiles } from '../../../src/evidence/files.ts';
import { TILE_BYTES, type Tile } from '../../../src/evidence/tree/tile.ts';
import { TileStore } from '../../../src/evidence/tree/tile_store.ts';
import { temporaryDirectory } from '../../support/evidence_log.ts';
import { RecordingDisk } from './recording_disk.ts';

function empty(): { directory: string; disk: RecordingDisk; store: TileStore } {
  const directory = temporaryDirectory();
  const disk = new RecordingDisk(directory);
  return { directory, disk, store: new TileStore(disk.files, directory) };
}

/** A tile of which all bytes are the same. */
const tileOf = (level: number, index: number): Tile => ({
  level,
  index,
  hashes: Buffer.alloc(TILE_BYTES, 1 + level + index),
});

describe('a tile is read', () => {
  test.each([
    ['of its size', 0, Buffer.alloc(TILE_BYTES, 7)],
    ['one byte too short', -1, undefined],
    ['one byte too long', 1, undefined],
  ])('%s', async (_how, more, expected) => {
    const { disk, store } = empty();
    const path = store.pathOf(0, 0);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.alloc(TILE_BYTES + more, 7));
    expect(await store.read(0, 0)).toEqual(expected);
    expect(disk).toMatchObject({ done: ['read tile/0/000'], open_files: 0 });
  });

  test('as none where it became shorter in the middle', async () => {
    const { directory, disk, store } = empty();
    await store.write([tileOf(0, 0)]);
    const files: EvidenceFiles = {
      ...disk.files,
      open: (path, use) => ({
        ...disk.files.open(path, use),
        read: async (_into, position) => (position === 0 ? 100 : 0),
      }),
    };
    expect(await new TileStore(files, directory).read(0, 0)).toBeUndefined();
  });

  test.each(['EACCES', 'EIO'])('not as none where the disk says %s', async (code) => {
    const { disk, store } = empty();
    await store.write([tileOf(0, 0)]);
    disk.refused.set('read tile/0/000', code);
    await expect(store.read(0, 0)).rejects.toMatchObject({ code });
  });
});

test('tiles are durable before their folders, and those are made and flushed once', async () => {
  const { disk, store } = empty();
  const flushed = (name: string): string[] => [`write ${name}`, `create ${name}`, `flush ${name}`];
  await store.write([tileOf(0, 0), tileOf(0, 1), tileOf(1, 0)]);
  expect(disk.done.splice(0)).toEqual([
    'folder tile/0',
    ...flushed('tile/0/000'),
    ...flushed('tile/0/001'),
    'folder tile/1',
    ...flushed('tile/1/000'),
    'flush tile/0',
    'flush tile/1',
  ]);
  await store.write([tileOf(0, 2)]);
  expect(disk.done).toEqual([...flushed('tile/0/002'), 'flush tile/0']);
  expect(await store.read(1, 0)).toEqual(tileOf(1, 0).hashes);
});
