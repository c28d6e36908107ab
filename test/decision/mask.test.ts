import { describe, expect, test } from '@jest/globals';
import { applyMask, MaskFault, readMask } from '../../src/decision/mask.ts';
import { EVENT } from './mask_cases.ts';

const masked = (...mask: unknown[]): ReturnType<typeof applyMask> =>
  applyMask(structuredClone(EVENT), readMask(mask));

test('a mask that is undefined masks nothing', () => {
  expect(applyMask(structuredClone(EVENT), readMask(undefined))).toEqual({
    ...EVENT,
    erased: [],
    masked: [],
  });
});

test('what was removed and what was put is told by its path', () => {
  const put = { op: 'upsert', path: '/input/context/arguments/iban', value: '***' };
  expect(masked('/input/subject/id', put)).toEqual({
    input: {
      ...EVENT.input,
      subject: { groups: ['a', 'b', 'c'] },
      context: {
        ...EVENT.input.context,
        arguments: { iban: '***', to: { name: 'Bob', city: 'Bern' } },
      },
    },
    result: EVENT.result,
    erased: ['/input/subject/id'],
    masked: ['/input/context/arguments/iban'],
  });
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
  const input = JSON.parse('{"__proto__": {"a": 1}, "b": 1}') as object;
  const put = { op: 'upsert', path: '/input/c/__proto__', value: 2 };
  const left = applyMask({ input }, readMask(['/input/__proto__/a', '/input/constructor', put]));
  expect(JSON.stringify(left.input)).toBe('{"__proto__":{},"b":1,"c":{"__proto__":2}}');
  expect(left.erased).toEqual(['/input/__proto__/a']);
});

describe('a mask that cannot be read', () => {
  test.each<[string, unknown]>([
    ['is no set', { path: '/input/a' }],
    ['is a text', '/input/a'],
    ['is true', true],
    ['is null', null],
    ['holds a number', [1]],
    ['holds null', [null]],
    ['holds a list', [['/input/a']]],
    ['holds an empty path', ['']],
    ['holds a path without a slash', ['input/a']],
    ['holds a path elsewhere', ['/labels/id']],
    ['holds a path of the cache', ['/nd_builtin_cache']],
    ['holds a path to everything', ['/']],
    ['holds half an escape', ['/input/a~2b']],
    ['holds a path of 1025 characters', [`/input/${'a'.repeat(1018)}`]],
    ['holds an operation without a path', [{ op: 'remove' }]],
    ['holds an operation without a name', [{ path: '/input/a' }]],
    ['holds an unknown operation', [{ op: 'hide', path: '/input/a' }]],
    ['holds a member that is not known', [{ op: 'remove', path: '/input/a', if: 1 }]],
    ['holds 1025 operations', Array(1025).fill('/input/a')],
  ])('%s', (_what, raw) => {
    expect(() => readMask(raw)).toThrow(MaskFault);
  });
});
