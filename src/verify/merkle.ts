/**
 * The Merkle tree of RFC 6962 as its readers know it: roots that follow from a leaf and a path, by
 * the verification algorithms of RFC 9162. Sizes and indexes are integers that a double holds, so
 * they are halved by division and never shifted.
 */
import { hash } from 'node:crypto';

const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

/** SHA-256 of nothing (RFC 6962, section 2.1). */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

export function leafHash(data: Uint8Array): Buffer {
  return sha256(Buffer.concat([LEAF, data]));
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.concat([NODE, left, right]));
}

const isOdd = (value: number): boolean => value % 2 === 1;
const half = (value: number): number => Math.floor(value / 2);

/** A place in a level of the tree, and the last place of that level. */
interface Place {
  at: number;
  last: number;
}

const above = ({ at, last }: Place): Place => ({ at: half(at), last: half(last) });

/** The way up while there is no sibling to the right of a last node. */
function skipLonely(place: Place): Place {
  let next = place;
  while (!isOdd(next.at) && next.at !== 0) next = above(next);
  return next;
}

/** Whether the path leads from a leaf to the root (RFC 9162, section 2.1.3.2). */
export function isIncluded(
  leaf: { index: number; hash: Buffer },
  path: readonly Buffer[],
  { size, root }: { size: number; root: Buffer },
): boolean {
  if (leaf.index >= size) return false;
  let place: Place = { at: leaf.index, last: size - 1 };
  let found = leaf.hash;
  for (const sibling of path) {
    if (place.last === 0) return false;
    if (isOdd(place.at) || place.at === place.last) {
      found = nodeHash(sibling, found);
      place = skipLonely(place);
    } else found = nodeHash(found, sibling);
    place = above(place);
  }
  return place.last === 0 && found.equals(root);
}

export interface Tree {
  size: number;
  root: Buffer;
}

/**
 * Whether the path shows that the new tree begins with the old one (RFC 9162, section 2.1.4.2).
 * Every tree begins with the empty one, which needs no proof, as does a tree of the same size.
 */
export function isConsistent(old: Tree, now: Tree, path: readonly Buffer[]): boolean {
  if (old.size > now.size) return false;
  if (old.size === 0) return path.length === 0 && old.root.equals(EMPTY_ROOT);
  if (old.size === now.size) return path.length === 0 && old.root.equals(now.root);
  if (path.length === 0) return false;
  const roots = rootsOf(old, now, isPowerOfTwo(old.size) ? [old.root, ...path] : path);
  return roots !== undefined && roots.old.equals(old.root) && roots.now.equals(now.root);
}

/** Both roots that follow from the path, or undefined where it has another length than it must. */
function rootsOf(
  old: Tree,
  now: Tree,
  [first, ...rest]: readonly Buffer[],
): { old: Buffer; now: Buffer } | undefined {
  let place: Place = { at: old.size - 1, last: now.size - 1 };
  while (isOdd(place.at)) place = above(place);
  let of_old = first as Buffer;
  let of_now = first as Buffer;
  for (const node of rest) {
    if (place.last === 0) return undefined;
    if (isOdd(place.at) || place.at === place.last) {
      of_old = nodeHash(node, of_old);
      of_now = nodeHash(node, of_now);
      place = skipLonely(place);
    } else of_now = nodeHash(of_now, node);
    place = above(place);
  }
  return place.last === 0 ? { old: of_old, now: of_now } : undefined;
}

function isPowerOfTwo(value: number): boolean {
  return value === largestPowerBelow(value + 1);
}

/** The largest power of two that is smaller than a number above one. */
export function largestPowerBelow(value: number): number {
  let power = 1;
  while (power * 2 < value) power *= 2;
  return power;
}

/**
 * The root over neighbouring subtrees of one size, of which the last may be smaller. Splitting
 * their list as RFC 6962 splits leaves gives the same tree, because each but the last is complete.
 */
export function rootOver(subtrees: readonly Buffer[]): Buffer {
  const [only] = subtrees;
  if (!only) return EMPTY_ROOT;
  if (subtrees.length === 1) return only;
  const left = largestPowerBelow(subtrees.length);
  return nodeHash(rootOver(subtrees.slice(0, left)), rootOver(subtrees.slice(left)));
}
