/** Roots and proofs against the recursive definitions of RFC 6962. */
import { describe, expect, test } from '@jest/globals';
import {
  EMPTY_ROOT,
  isConsistent,
  isIncluded,
  leafHash,
  rootOver,
} from '../../src/verify/merkle.ts';
import { consistencyOf, inclusionOf, leafOf, rootOf } from '../support/small_log.ts';

const SIZES = Array.from({ length: 40 }, (_, at) => at + 1);
const LEAVES = SIZES.map((size) => leafOf(`entry ${size}`));
const treeOf = (size: number) => ({ size, root: rootOf(LEAVES.slice(0, size)) });
const flipped = (hash: Buffer): Buffer =>
  Buffer.from(hash.map((byte, at) => (at ? byte : byte ^ 1)));

/** Each way to spoil a path by one step. */
function* spoiled(path: readonly Buffer[]): Generator<[string, Buffer[]]> {
  yield ['one more', [...path, leafOf('another')]];
  yield ['one more in front', [leafOf('another'), ...path]];
  for (const [at, hash] of path.entries()) {
    yield [`${at} flipped`, path.with(at, flipped(hash))];
    yield [`${at} dropped`, path.toSpliced(at, 1)];
    yield [`${at} doubled`, path.toSpliced(at, 0, hash)];
    const next = path[at + 1];
    if (next) yield [`${at} swapped`, path.with(at, next).with(at + 1, hash)];
  }
}

test('the hashes of a leaf and of the empty tree are those of the definition', () => {
  expect(leafHash(Buffer.from('a'))).toEqual(leafOf('a'));
  expect(EMPTY_ROOT).toEqual(rootOf([]));
  expect(EMPTY_ROOT.toString('hex')).toMatch(/^e3b0c44298fc1c14/);
});

test.each(SIZES)('the root over %d nodes is that of the definition', (size) => {
  expect(rootOver(LEAVES.slice(0, size))).toEqual(rootOf(LEAVES.slice(0, size)));
});

describe.each(SIZES)('in a tree of %d', (size) => {
  const tree = treeOf(size);
  const leaves = LEAVES.slice(0, size);

  test('each leaf is included by its path, and by no other index or spoiled path', () => {
    for (const [index, hash] of leaves.entries()) {
      const path = inclusionOf(index, leaves);
      expect(isIncluded({ index, hash }, path, tree)).toBe(true);
      const others = SIZES.map((_, other) => other).filter(
        (other) => other !== index && isIncluded({ index: other, hash }, path, tree),
      );
      expect(others).toEqual([]);
      expect(isIncluded({ index, hash: flipped(hash) }, path, tree)).toBe(false);
      const accepted = [...spoiled(path)].filter(([, wrong]) =>
        isIncluded({ index, hash }, wrong, tree),
      );
      expect(accepted).toEqual([]);
    }
  });

  test('each smaller tree is its beginning by the proof, and by no spoiled one', () => {
    for (let old = 0; old <= size; old += 1) {
      const path = old === 0 ? [] : consistencyOf(old, leaves);
      expect(isConsistent(treeOf(old), tree, path)).toBe(true);
      expect(isConsistent({ ...treeOf(old), root: leafOf('forged') }, tree, path)).toBe(false);
      if (old > 0) {
        expect(isConsistent(treeOf(old), { ...tree, root: leafOf('forged') }, path)).toBe(false);
      }
      const accepted = [...spoiled(path)].filter(([, wrong]) =>
        isConsistent(treeOf(old), tree, wrong),
      );
      expect(accepted).toEqual([]);
    }
  });

  test('it is not the beginning of a smaller one', () => {
    for (let smaller = 0; smaller < size; smaller += 1) {
      const path = smaller === 0 ? [] : consistencyOf(smaller, leaves);
      expect(isConsistent(tree, treeOf(smaller), path)).toBe(false);
    }
  });
});

test('a path longer than the tree is high proves nothing, though it leads to the root', () => {
  const [left, leaf] = LEAVES as [Buffer, Buffer];
  const root = rootOf([left, leaf]);
  expect(isIncluded({ index: 0, hash: leaf }, [left], { size: 1, root })).toBe(false);
  expect(isIncluded({ index: 1, hash: leaf }, [left], { size: 2, root })).toBe(true);
});

test('sizes beyond 32 bits are walked in the right direction', () => {
  // The last leaf of a tree of 2^40 + 1 hangs directly under the root.
  const size = 2 ** 40 + 1;
  const left = leafOf('all before');
  const last = leafOf('last');
  const root = rootOf([left, last]);
  expect(isIncluded({ index: size - 1, hash: last }, [left], { size, root })).toBe(true);
  expect(isIncluded({ index: size - 2, hash: last }, [left], { size, root })).toBe(false);
  const old = { size: size - 1, root: left };
  expect(isConsistent(old, { size, root }, [last])).toBe(true);
});
