import { describe, expect, test } from '@jest/globals';
import { applyMask, MaskFault, readMask } from '../../src/decision/mask.ts';
import { EVENT, MASK_CASES } from './mask_cases.ts';

const maskedBy = (...mask: unknown[]): ReturnType<typeof applyMask> =>
  applyMask(structuredClone(EVENT), readMask(mask));

test('a mask that is undefined masks nothing', () => {
  expect(applyMask(structuredClone(EVENT), readMask(undefined))).toEqual({
    ...EVENT,
    erased: [],
    masked: [],
  });
});

describe('what a mask leaves, and what is told of it', () => {
  test.each(MASK_CASES)('$title', ({ mask, left = EVENT, erased = [], masked = [] }) => {
    const { erased: e, masked: m, ...event } = maskedBy(...mask);
    expect(event).toStrictEqual(left);
    expect([e.toSorted(), m.toSorted()]).toEqual([erased.toSorted(), masked.toSorted()]);
  });
});

describe('what an event does not have', () => {
  const put = { op: 'upsert', path: '/result', value: 1 };
  test.each<[string, object, unknown[]]>([
    ['a whole result', { input: {} }, ['/result', put]],
    ['a member of a result', { input: {} }, ['/result/a', { ...put, path: '/result/a' }]],
    ['a member of a text', { result: 'a' }, ['/result/a', { ...put, path: '/result/a' }]],
    ['an item of a text', { result: 'a' }, ['/result/0', { ...put, path: '/result/0' }]],
    ['a member of null', { result: null }, ['/result/a', { ...put, path: '/result/a' }]],
  ])('is not made: %s', (_what, event, mask) => {
    const left = applyMask(structuredClone(event), readMask(mask));
    expect(left).toStrictEqual({ ...event, erased: [], masked: [] });
  });

  test.each<[string, unknown]>([
    ['a text', 'a'],
    ['null', null],
    ['a list', ['a']],
  ])('and what it has is replaced whole, also %s', (_what, result) => {
    const left = applyMask({ result }, readMask([put]));
    expect(left).toStrictEqual({ result: 1, erased: [], masked: ['/result'] });
  });
});

test('items that were put move up where one before them is taken away', () => {
  const steps = (at: number): string[] => ['input', String(at)];
  const left = applyMask({ input: ['a', 'b', 'c'] }, [
    { op: 'upsert', steps: steps(1), value: 1 },
    { op: 'upsert', steps: steps(2), value: 2 },
    { op: 'remove', steps: steps(0) },
  ]);
  expect(left).toEqual({ input: [1, 2], erased: ['/input/0'], masked: ['/input/1', '/input/2'] });
});

test('a value that is put is not shared with the mask', () => {
  const value = { a: 1 };
  const { input } = applyMask(
    { input: { a: 1 } },
    readMask([{ op: 'upsert', path: '/input/a', value }]),
  );
  value.a = 2;
  expect(input).toEqual({ a: { a: 1 } });
});

test('operations are those of a set, in the order of Rego', () => {
  const set = { op: 'upsert', path: '/input/a' };
  const ordered = [
    '/input/a',
    '/input/b',
    { op: 'remove', path: '/input/a' },
    { op: 'remove', path: '/input/a', value: 1 },
    { op: 'remove', path: '/input/b' },
    set,
    { ...set, value: 1 },
    { ...set, value: 2 },
    { ...set, path: '/input/a!' },
    { ...set, path: '/input/b' },
  ];
  const expected = ordered.map((one) => {
    if (typeof one === 'string') return { op: 'remove', steps: one.slice(1).split('/') };
    const { path, ...rest } = one;
    return { value: null, ...rest, steps: path.slice(1).split('/') };
  });
  for (const raw of [ordered, ordered.toReversed(), [...ordered, ...ordered]]) {
    expect(readMask(raw)).toEqual(expected);
  }
});

test('a path is a JSON Pointer (RFC 6901)', () => {
  const event = { input: { 'a/b': 1, 'c~d': 2, 'e f': 3, '': 4, kept: 5 } };
  const mask = readMask(['/input/a~1b', '/input/c~0d', '/input/e f', '/input/']);
  expect(applyMask(event, mask)).toEqual({
    input: { kept: 5 },
    erased: ['/input/', '/input/a~1b', '/input/c~0d', '/input/e f'],
    masked: [],
  });
});

test('a name that means something to JavaScript is a name', () => {
  const input = JSON.parse('{"__proto__": {"a": 1}, "undefined": {"a": 1}}') as object;
  const put = { op: 'upsert', path: '/input/c/__proto__', value: 2 };
  const left = applyMask(
    { input },
    readMask(['/input/__proto__/a', '/input/constructor', '/input/d/a', put]),
  );
  expect(JSON.stringify(left.input)).toBe(
    '{"__proto__":{},"undefined":{"a":1},"c":{"__proto__":2}}',
  );
  expect(left.erased).toEqual(['/input/__proto__/a']);
});

describe('a mask that cannot be read', () => {
  const NO_SET = 'it is no set of paths and operations';
  const NO_OPERATION = 'one of its operations is neither a path nor {op, path, value}';
  const NO_POINTER = 'one of its paths is no JSON Pointer';
  const ELSEWHERE = 'one of its paths is neither of /input nor of /result';
  test.each<[string, unknown, string]>([
    ['is no set', { path: '/input/a' }, NO_SET],
    ['is a text', '/input/a', NO_SET],
    ['is true', true, NO_SET],
    ['is null', null, NO_SET],
    ['holds a number', [1], NO_OPERATION],
    ['holds null', [null], NO_OPERATION],
    ['holds a list', [['/input/a']], NO_OPERATION],
    ['holds an empty path', [''], NO_POINTER],
    ['holds a path without a slash', ['input/a'], NO_POINTER],
    ['holds a path with something before its slash', ['./input/a', '-input/a'], NO_POINTER],
    ['holds a path elsewhere', ['/labels/id'], ELSEWHERE],
    ['holds a path of the cache', ['/nd_builtin_cache'], ELSEWHERE],
    ['holds a path to everything', ['/'], ELSEWHERE],
    ['holds half an escape', ['/input/a~2b'], NO_POINTER],
    [
      'holds a path of 1025 characters',
      [`/input/${'a'.repeat(1018)}`],
      'one of its paths has more than 1024 characters',
    ],
    ['holds an operation without a path', [{ op: 'remove' }], NO_POINTER],
    ['holds an operation without a name', [{ path: '/input/a' }], NO_OPERATION],
    ['holds an unknown operation', [{ op: 'hide', path: '/input/a' }], NO_OPERATION],
    ['holds a member that is not known', [{ op: 'remove', path: '/input/a', if: 1 }], NO_OPERATION],
    ['holds 1025 operations', Array(1025).fill('/input/a'), 'it holds more than 1024 operations'],
  ])('%s', (_what, raw, problem) => {
    expect(() => readMask(raw)).toThrow(new MaskFault(problem));
  });
});

test('a mask may hold 1024 operations, and a path 1024 characters', () => {
  const names = Array.from({ length: 1024 }, (_, i) => String(i).padStart(1017, '0'));
  const mask = readMask(names.map((name) => `/input/${name}`));
  const input = Object.fromEntries(names.map((name) => [name, 1]));
  const { input: left, erased } = applyMask({ input }, mask);
  expect([left, erased.length]).toEqual([{}, 1024]);
});
