/** The tree against its definition: roots, tiles and proofs of every kind of size. */
import { describe, expect, test } from '@jest/globals';
import { GrowingTree } from '../../../src/evidence/tree/growing_tree.ts';
import {
  type TileHashes,
  consistencyProof,
  inclusionProof,
  rootOf,
  rootOfInclusion,
} from '../../../src/evidence/tree/proofs.ts';
import { type Tile, tilePath } from '../../../src/evidence/tree/tile.ts';
import { leafOf, mth, path, proof } from '../../support/merkle_oracle.ts';
import { seededRandom } from '../../support/seeded_random.ts';

/** Leaves and roots of the tests of Certificate Transparency (RFC 6962). */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** A tree of the leaves `0`, `1`, `2`, …, with all its full tiles. */
class Grown implements TileHashes {
  readonly leaves: Buffer[] = [];
  readonly tiles = new Map<string, Tile>();
  tree = new GrowingTree();

  constructor(size: number) {
    this.growTo(size);
  }

  growTo(size: number): void {
    while (this.leaves.length < size) {
      const leaf = leafOf(String(this.leaves.length));
      this.leaves.push(leaf);
      this.tree.append(leaf, (tile) => this.tiles.set(tilePath(tile.level, tile.index), tile));
    }
  }

  async read(level: number, from: number, count: number): Promise<Uint8Array> {
    const index = Math.floor(from / 256);
    const full = this.tiles.get(tilePath(level, index))?.hashes;
    const hashes = full ?? this.tree.lastTile(level, index)!;
    const at = (from % 256) * 32;
    if (hashes.length < at + count * 32) throw new Error('more was read than there is');
    return hashes.subarray(at, at + count * 32);
  }
}

test('the roots are those that Certificate Transparency publishes', () => {
  const tree = new GrowingTree();
  const roots = LEAVES.map((leaf) => {
    const before = Buffer.from(tree.root()).toString('hex');
    tree.append(leafOf(Buffer.from(leaf, 'hex')), () => {});
    return before;
  });
  expect([...roots, Buffer.from(tree.root()).toString('hex')]).toEqual(ROOTS);
});

test('a root is that of the definition, at every size over several tiles', () => {
  const grown = new Grown(0);
  for (let size = 0; size <= 800; size += 1) {
    grown.growTo(size);
    expect({ size, root: grown.tree.root() }).toEqual({ size, root: mth(grown.leaves) });
  }
});

test('a full tile holds the hashes of its level, and nothing twice', () => {
  const grown = new Grown(66_000);
  expect([...grown.tiles.keys()]).toHaveLength(257 + 1);
  for (const { level, index, hashes } of grown.tiles.values()) {
    const span = 256 ** level;
    for (const at of [0, 1, 255]) {
      const from = (index * 256 + at) * span;
      const hash = hashes.subarray(at * 32, at * 32 + 32);
      expect(hash).toEqual(mth(grown.leaves, [from, from + span]));
    }
  }
});

test('a tree goes on from the hashes of its last tiles as it would have without a stop', () => {
  const grown = new Grown(0);
  for (const size of [0, 301, 767, 1280, 65_100, 65_536, 65_837, 66_560]) {
    grown.growTo(size);
    const levels = size < 256 ? 1 : 3;
    const last = Array.from({ length: levels }, (_, level) => {
      const index = Math.floor(size / 256 ** (level + 1));
      return Buffer.from(grown.tree.lastTile(level, index) ?? []);
    });
    const again = GrowingTree.of(size, last);
    expect({ size, root: again.root() }).toEqual({ size, root: grown.tree.root() });
    const tiles: Tile[] = [];
    grown.growTo(size + 300);
    for (const leaf of grown.leaves.slice(size)) again.append(leaf, (tile) => tiles.push(tile));
    expect(again.root()).toEqual(grown.tree.root());
    expect(tiles.length).toBeGreaterThan(0);
    for (const tile of tiles) {
      expect(grown.tiles.get(tilePath(tile.level, tile.index))).toEqual(tile);
    }
  }
});

describe('a proof is the one of the definition', () => {
  test('of inclusion and of consistency, for every pair of sizes to 40', async () => {
    const grown = new Grown(40);
    for (let size = 1; size <= 40; size += 1) {
      const { leaves } = grown;
      const root = mth(leaves, [0, size]);
      for (let index = 0; index < size; index += 1) {
        const found = await inclusionProof(grown, index, size);
        expect(found).toEqual(path(index, leaves, [0, size]));
        expect(rootOfInclusion(leaves[index]!, index, size, found)).toEqual(root);
        const older = index + 1;
        expect(await consistencyProof(grown, older, size)).toEqual(proof(older, leaves, [0, size]));
      }
    }
  });

  test('that are longer than they should be come to another root', () => {
    const [leaf, sibling] = [leafOf('a'), leafOf('b')];
    const longer = [sibling, sibling, sibling];
    expect(rootOfInclusion(leaf, 0, 2, longer)).not.toEqual(mth([leaf, sibling], [0, 2]));
  });

  test('at the borders of tiles and in between, up to the third level', async () => {
    const grown = new Grown(66_500);
    const random = seededRandom(6962);
    const borders = [1, 2, 255, 256, 257, 511, 512, 513, 767, 65_535, 65_536, 65_537, 65_793];
    for (let round = 0; round < 60; round += 1) {
      const size = round % 2 ? random.pick(borders) : 1 + random.below(random.pick([700, 66_500]));
      const { leaves } = grown;
      const root = mth(leaves, [0, size]);
      expect(await rootOf(grown, size)).toEqual(root);
      const index = random.below(size);
      const found = await inclusionProof(grown, index, size);
      expect({ index, size, found }).toEqual({
        index,
        size,
        found: path(index, leaves, [0, size]),
      });
      expect(rootOfInclusion(leaves[index]!, index, size, found)).toEqual(root);
      const older = Math.min(size, random.chance(0.5) ? random.pick(borders) : index + 1);
      const parts = await consistencyProof(grown, older, size);
      expect({ older, size, parts }).toEqual({
        older,
        size,
        parts: proof(older, leaves, [0, size]),
      });
    }
  });

  test('of an empty tree, and of a tree with itself, with nothing in it', async () => {
    const grown = new Grown(300);
    expect(await consistencyProof(grown, 0, 300)).toEqual([]);
    expect(await consistencyProof(grown, 0, 0)).toEqual([]);
    expect(await consistencyProof(grown, 300, 300)).toEqual([]);
    expect(await rootOf(grown, 0)).toEqual(mth([]));
  });
});

test.each([
  [0, 0, '0/000'],
  [0, 7, '0/007'],
  [1, 999, '1/999'],
  [0, 1000, '0/x001/000'],
  [2, 1_234_067, '2/x001/x234/067'],
])('tile %d %d has its path', (level, index, expected) => {
  expect(tilePath(level, index)).toBe(expected);
});
