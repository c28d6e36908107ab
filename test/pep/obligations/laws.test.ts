/** Laws that hold for every value and every list of paths. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import { applyToResult } from '../../../src/pep/obligations/apply.ts';

const KEY = { id: 'k1', secret: Buffer.alloc(32, 7) };
const NAMES = ['a', 'b', 'a/b', '~', '*', '0', '1', 'constructor', 'toString', 'hasOwnProperty'];

/** Every scalar is unlike all others, so that one that passes can be found again. */
const value = fc
  .letrec((tie) => ({
    node: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant(''), tie('box')),
    box: fc.oneof(
      fc.dictionary(fc.constantFrom(...NAMES), tie('node'), { maxKeys: 4 }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  }))
  .box.map((box) => numbered(box, { count: 0 }) as object);

function numbered(node: unknown, seen: { count: number }): unknown {
  if (node === '') return `secret-${(seen.count += 1)}.`;
  if (Array.isArray(node)) return node.map((member) => numbered(member, seen));
  return Object.fromEntries(
    Object.entries(node as object).map(([name, member]) => [name, numbered(member, seen)]),
  );
}

const step = fc.constantFrom(...NAMES).map((name) => name.replace('~', '~0').replace('/', '~1'));
const path = fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => `/${steps.join('/')}`);
const paths = fc.array(path, { minLength: 1, maxLength: 4 });
const unstructured = fc.constantFrom('drop', 'redact' as const);
const keepList = fc.record({ type: fc.constant('keep_fields'), paths, unstructured });
const maskOf = (...modes: string[]) =>
  fc.record({
    type: fc.constant('mask_fields'),
    paths,
    mode: fc.constantFrom(...modes),
    unstructured,
  });
const anyObligations = fc.array(fc.oneof(keepList, maskOf('remove', 'replace', 'digest')), {
  minLength: 1,
  maxLength: 4,
}) as fc.Arbitrary<Obligation[]>;

const carriers = fc.record({
  content: fc.subarray([
    { type: 'text', text: 'secret-900.' },
    { type: 'image', data: 'secret-901.', mimeType: 'secret-902.' },
    { type: 'resource_link', uri: 'secret-903.', name: 'secret-904.' },
  ]),
  _meta: fc.constant({ a: 'secret-905.' }),
  a: fc.constant('secret-906.'),
});

/** The value in `structuredContent` and its mirror, or in the text alone, with other content. */
const result = fc.tuple(value, carriers, fc.boolean()).map(([held, carrier, inText]) => ({
  held,
  result: {
    ...carrier,
    content: [
      {
        type: 'text',
        text: JSON.stringify(held),
        annotations: { lastModified: 'secret-907.' },
        _meta: { a: 'secret-908.' },
      },
      ...carrier.content,
    ],
    ...(!inText && { structuredContent: held }),
  },
}));

function apply(given: unknown, obligations: Obligation[]): unknown {
  const applied = applyToResult(given, obligations, KEY);
  if (!applied.ok) throw new Error(applied.reason);
  return applied.result;
}

function secretsOf(given: unknown): string[] {
  return (JSON.stringify(given).match(/secret-\d+\./g) ?? []).toSorted();
}

/** Another reading of the contract: does a pattern meet a scalar, or something that holds it? */
function metBy(pointer: string[], pattern: string): boolean {
  const steps = pattern
    .split('/')
    .slice(1)
    .map((raw) => raw.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (
    steps.length <= pointer.length && steps.every((each, i) => each === '*' || each === pointer[i])
  );
}

function allowedSecrets(
  node: unknown,
  obligations: Obligation[],
  pointer: string[] = [],
): string[] {
  if (typeof node === 'string') {
    const passes = obligations.every((obligation) => {
      const { type, paths: patterns } = obligation as Obligation & { paths: string[] };
      return patterns.some((pattern) => metBy(pointer, pattern)) === (type === 'keep_fields');
    });
    return passes ? [node] : [];
  }
  return Object.entries(node as object).flatMap(([name, member]) =>
    allowedSecrets(member, obligations, [...pointer, name]),
  );
}

test('exactly the allowed values appear anywhere in the answer', () => {
  fc.assert(
    fc.property(result, anyObligations, ({ held, result: given }, obligations) => {
      const allowed = allowedSecrets(held, obligations);
      const copies = 'structuredContent' in given ? [...allowed, ...allowed] : allowed;
      expect(secretsOf(apply(given, obligations))).toEqual(copies.toSorted());
    }),
    { numRuns: 1000 },
  );
});

/**
 * Of one kind, because a kept way to a field may be masked and is then no way any more. Not of
 * digests: telling one from other text would let a forged one pass.
 */
test('doing it twice is the same as once', () => {
  const listOf = (each: fc.Arbitrary<object>) =>
    fc.array(each, { minLength: 1, maxLength: 4 }) as fc.Arbitrary<Obligation[]>;
  const lists = fc.oneof(listOf(keepList), listOf(maskOf('remove', 'replace')));
  fc.assert(
    fc.property(result, lists, ({ result: given }, list) => {
      const once = apply(given, list);
      expect(apply(once, list)).toEqual(once);
    }),
    { numRuns: 500 },
  );
});

test('the order and the repetition of obligations do not matter', () => {
  const shuffled = anyObligations.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray(list, { minLength: list.length }),
      fc.constantFrom(...list),
    ),
  );
  fc.assert(
    fc.property(result, shuffled, ({ result: given }, [list, other, again]) => {
      const first = applyToResult(given, list, KEY);
      expect(applyToResult(given, [...other, again], KEY)).toEqual(first);
    }),
    { numRuns: 500 },
  );
});

test('keep lists intersect and masks unite', () => {
  const pair = fc.oneof(fc.tuple(keepList, keepList), fc.tuple(maskOf('remove'), maskOf('remove')));
  fc.assert(
    fc.property(result, pair as fc.Arbitrary<Obligation[]>, ({ result: given }, [one, two]) => {
      const both = new Set(secretsOf(apply(given, [one!, two!])));
      const first = new Set(secretsOf(apply(given, [one!])));
      const second = new Set(secretsOf(apply(given, [two!])));
      expect(both).toEqual(new Set([...first].filter((secret) => second.has(secret))));
    }),
    { numRuns: 500 },
  );
});

test('whatever a server answers, nothing is thrown and nothing given is changed', () => {
  const wild = fc.oneof(fc.anything(), fc.record({ content: fc.anything() }), result);
  fc.assert(
    fc.property(wild, anyObligations, (given, obligations) => {
      const before = fc.stringify(given);
      applyToResult(given, obligations, KEY);
      expect(fc.stringify(given)).toBe(before);
    }),
    { numRuns: 500 },
  );
});
