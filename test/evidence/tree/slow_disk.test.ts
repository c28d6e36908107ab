/** The tree of a log whose disk is slow, or that was stopped or closed. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { GrowingTree } from '../../../src/evidence/tree/growing_tree.ts';
import { LogTree } from '../../../src/evidence/tree/log_tree.ts';
import { TileStore } from '../../../src/evidence/tree/tile_store.ts';
import { ORIGIN, signerOf, temporaryDirectory } from '../../support/evidence_log.ts';
import { RecordingDisk } from './recording_disk.ts';
import { treeOf } from './shown.ts';

const TILE = 256;
const LEAF = Buffer.alloc(32, 1);

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** The tree of a log without records, which nobody signed yet. */
function unsigned(): { disk: RecordingDisk; tree: LogTree } {
  const directory = temporaryDirectory();
  const disk = new RecordingDisk(directory);
  const { files } = disk;
  const options = {
    files,
    directory,
    tiles: new TileStore(files, directory),
    origin: ORIGIN,
    signers: [signerOf(1)],
    checkpoint_interval_ms: 1000,
  };
  const proved = { tree: new GrowingTree(), waiting: [], repaired: 0 };
  return { disk, tree: new LogTree(options, proved, undefined) };
}

function grow(tree: LogTree, count: number): void {
  tree.append(Array<Buffer>(count).fill(LEAF));
}

describe('full tiles', () => {
  test('are written once 64 wait, before the next checkpoint is due', async () => {
    const { disk, tree } = unsigned();
    grow(tree, 64 * TILE - 1);
    expect(disk.done).toEqual([]);
    grow(tree, 1);
    expect(disk.done).toEqual(['folder tile/0']);
    // The time to the next checkpoint begins anew.
    expect(jest.getTimerCount()).toBe(1);
    await tree.sign();
    expect(treeOf(tree.checkpoint()).size).toBe(64 * TILE);
    await tree.close();
  });

  test('hold up records when 512 of them wait for the disk, and not before', async () => {
    const { disk, tree } = unsigned();
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.gate = promise;
    grow(tree, 510 * TILE);
    await tree.makeRoom();
    // The first tile of the second level was full with the 256th.
    grow(tree, TILE);
    let has_room = false;
    const room = tree.makeRoom().then(() => {
      has_room = true;
    });
    await nextTurn();
    expect({ has_room, written: disk.done.includes('rename checkpoint') }).toEqual({
      has_room: false,
      written: false,
    });
    resolve();
    await room;
    expect(treeOf(tree.checkpoint()).size).toBe(511 * TILE);
    const before = disk.done.length;
    grow(tree, 1);
    await tree.makeRoom();
    expect(disk.done).toHaveLength(before);
    await tree.close();
  });
});

describe('a tree that was stopped', () => {
  test('signs nothing more, for the first reason, and waits for nothing', async () => {
    const { disk, tree } = unsigned();
    const reason = new Error('the disk is gone');
    grow(tree, 1);
    tree.stop(reason);
    tree.stop(new Error('another'));
    grow(tree, 64 * TILE);
    expect(jest.getTimerCount()).toBe(0);
    await expect(tree.sign()).rejects.toBe(reason);
    await tree.close();
    await expect(tree.sign()).rejects.toBe(reason);
    expect(disk.done).toEqual([]);
  });

  test('because the disk took no checkpoint tells that, and does not try again', async () => {
    const { disk, tree } = unsigned();
    disk.refused.set('rename checkpoint', 'EIO');
    grow(tree, 1);
    await expect(tree.sign()).rejects.toMatchObject({ code: 'EIO' });
    expect(await Promise.race([tree.failure, nextTurn()])).toMatchObject({ code: 'EIO' });
    disk.refused.clear();
    disk.done.length = 0;
    await expect(tree.signAgain()).rejects.toMatchObject({ code: 'EIO' });
    await tree.close();
    expect(disk.done).toEqual([]);
  });

  test('because it was closed has signed all there was, and says why no more', async () => {
    const { disk, tree } = unsigned();
    grow(tree, 2);
    await tree.close();
    expect(treeOf(tree.checkpoint()).size).toBe(2);
    disk.done.length = 0;
    grow(tree, 1);
    await expect(tree.sign()).rejects.toMatchObject({
      code: 'EVIDENCE_UNWRITABLE',
      message: 'the evidence log is closed',
    });
    expect(disk.done).toEqual([]);
  });
});

test('a tree that nobody signed has no checkpoint to show', () => {
  const { tree } = unsigned();
  expect(() => tree.checkpoint()).toThrow('a log signs a checkpoint before it is used');
});
