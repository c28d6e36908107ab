/**
 * Chance for the fuzz suites: the same cases each time, others by `FUZZ_SEED=2`, more of them by
 * `FUZZ_TIMES=50`. Where a case fails, fast-check prints its seed and the smallest such case.
 */
import fc from 'fast-check';

const TIMES = Number(process.env.FUZZ_TIMES ?? 1);
const SEED = Number(process.env.FUZZ_SEED ?? 1);

export function fuzzing(runs: number): { seed: number; numRuns: number } {
  return { seed: SEED, numRuns: runs * TIMES };
}

/** Time for a test of so many seconds in its short form. */
export function fuzzTimeout(seconds: number): number {
  return seconds * 1_000 * TIMES;
}

/** One change of bytes, anywhere. */
interface Change {
  at: number;
  remove: number;
  insert: Uint8Array;
}

/** Some changes, which insert bytes or one of the tokens. */
export function changesOf(...tokens: string[]): fc.Arbitrary<Change[]> {
  const token = fc.constantFrom(...tokens).map((text) => Buffer.from(text));
  const insert = fc.oneof(fc.uint8Array({ maxLength: 3 }), token);
  const change = fc.record({ at: fc.nat(), remove: fc.nat({ max: 4 }), insert });
  return fc.array(change, { minLength: 1, maxLength: 4 });
}

export function changed(bytes: Uint8Array, changes: readonly Change[]): Buffer {
  return changes.reduce((text, { at, remove, insert }) => {
    const start = at % (text.length + 1);
    return Buffer.concat([text.subarray(0, start), insert, text.subarray(start + remove)]);
  }, Buffer.from(bytes));
}
