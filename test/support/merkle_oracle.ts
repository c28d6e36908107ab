/**
 * RFC 6962, section 2.1, word for word: what the tree of the log is compared with. It shares
 * nothing with it. A list of leaves may grow; what was hashed over a part of it is remembered.
 */
import { createHash } from 'node:crypto';

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The hash of a leaf over these bytes. */
export function leafOf(bytes: Uint8Array | string): Buffer {
  return sha256(Buffer.of(0), Buffer.from(bytes));
}

/** The largest power of two smaller than n. */
function k(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

type Leaves = readonly Buffer[];
type Range = readonly [from: number, to: number];

const remembered = new WeakMap<Leaves, Map<string, Buffer>>();

/** MTH(D[from:to]) over the hashes of the leaves; of all of them, if nothing is said. */
export function mth(leaves: Leaves, [from, to]: Range = [0, leaves.length]): Buffer {
  if (from === to) return sha256();
  if (to - from === 1) return leaves[from]!;
  const known = remembered.get(leaves) ?? new Map<string, Buffer>();
  remembered.set(leaves, known);
  const name = `${from} ${to}`;
  const middle = from + k(to - from);
  const hash =
    known.get(name) ?? sha256(Buffer.of(1), mth(leaves, [from, middle]), mth(leaves, [middle, to]));
  known.set(name, hash);
  return hash;
}

/** PATH(m, D[from:to]). */
export function path(m: number, leaves: Leaves, [from, to]: Range): Buffer[] {
  if (to - from === 1) return [];
  const at = k(to - from);
  const [left, right] = [[from, from + at] as const, [from + at, to] as const];
  return m < at
    ? [...path(m, leaves, left), mth(leaves, right)]
    : [...path(m - at, leaves, right), mth(leaves, left)];
}

/** PROOF(m, D[from:to]) for 0 < m <= n. */
export function proof(m: number, leaves: Leaves, [from, to]: Range, whole = true): Buffer[] {
  if (m === to - from) return whole ? [] : [mth(leaves, [from, to])];
  const at = k(to - from);
  const [left, right] = [[from, from + at] as const, [from + at, to] as const];
  return m <= at
    ? [...proof(m, leaves, left, whole), mth(leaves, right)]
    : [...proof(m - at, leaves, right, false), mth(leaves, left)];
}
