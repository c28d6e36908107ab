/** The gate in front of every schema: what it takes, what it refuses, and where it points. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  JSON_LIMITS,
  jsonPointer,
  parseJson,
  pointerSteps,
  type JsonFault,
} from '../../src/contract/json.ts';

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
const { depth_max, size_bytes_max } = JSON_LIMITS;
const PROTO = '__proto__';

type Case = readonly [name: string, text: string, code: JsonFault['code'], pointer: string];

const REFUSED: readonly Case[] = [
  ['a doubled name', '{"a":1,"a":2}', 'duplicate_name', ''],
  ['a doubled name with one value', '{"a":1,"a":1}', 'duplicate_name', ''],
  ['a doubled name inside', '{"a":{"b":[{},{"c":1,"c":2}]}}', 'duplicate_name', '/a/b/1'],
  [
    'a doubled name after a sibling',
    '{"a":[[1,2],{"x":{}}],"b":{"c":1,"c":2}}',
    'duplicate_name',
    '/b',
  ],
  ['a name doubled by an escape', String.raw`{"a":1,"\u0061":2}`, 'duplicate_name', ''],
  [
    'a doubled name that looks like structure',
    '{"{\\"a\\":[,":1,"{\\"a\\":[,":2}',
    'duplicate_name',
    '',
  ],
  ['a doubled empty name', '{"":1,"":2}', 'duplicate_name', ''],
  [
    'a doubled name under a name with a slash',
    '{"a/b~":{"c":1,"c":2}}',
    'duplicate_name',
    '/a~1b~0',
  ],
  ['a doubled name before a colon with space', '[{"a" \n:1,"a"\t:2}]', 'duplicate_name', '/0'],
  ['a doubled name in a first item', '{"a":[[{"b":1,"b":2}]]}', 'duplicate_name', '/a/0/0'],
  ['a doubled name after lists', '{"a":[1,[2,3],{"b":1,"b":2}]}', 'duplicate_name', '/a/2'],
  ['a name doubled behind an object', '{"a":1,"b":{"c":[]},"a":2}', 'duplicate_name', ''],
  ['a lone high surrogate', String.raw`{"a":["\ud800"]}`, 'lone_surrogate', '/a/0'],
  ['a lone low surrogate', String.raw`{"a":"x\udc00"}`, 'lone_surrogate', '/a'],
  ['a pair in the wrong order', String.raw`["\udc00\ud800"]`, 'lone_surrogate', '/0'],
  ['a lone surrogate in a name', String.raw`{"a":{"\ud83d":1}}`, 'lone_surrogate', '/a'],
  ['the name of a prototype', `{"a":{"${PROTO}":{}}}`, 'forbidden_name', '/a'],
  ['that name in an escape', String.raw`{"\u005f_proto__":1}`, 'forbidden_name', ''],
  ['a number beyond a double', '{"a":[0,1e400]}', 'number_out_of_range', '/a/1'],
  ['a number far below', '-1e400', 'number_out_of_range', ''],
  ['nesting beyond the limit', nested(depth_max + 1), 'too_deep', ''],
  ['nesting that never ends', '{"a":'.repeat(100_000), 'too_deep', ''],
  ['text beyond the limit', `"${'a'.repeat(size_bytes_max - 1)}"`, 'too_large', ''],
  ['text beyond the limit in bytes only', `"${'€'.repeat(size_bytes_max / 3)}"`, 'too_large', ''],
  ['nothing', '', 'malformed', ''],
  ['space', ' \n', 'malformed', ''],
  ['a byte order mark', '\ufeff{}', 'malformed', ''],
  ['a cut text', '{"a":"b', 'malformed', ''],
  ['an escape at the end', '"\\', 'malformed', ''],
  ['two values', '{}{}', 'malformed', ''],
  ['a comment', '{}//', 'malformed', ''],
  ['a trailing comma', '[1,]', 'malformed', ''],
  ['single quotes', "{'a':1}", 'malformed', ''],
  ['not a number', 'NaN', 'malformed', ''],
  ['infinity', '[Infinity]', 'malformed', ''],
  ['a leading zero', '[01]', 'malformed', ''],
  ['a plus sign', '[+1]', 'malformed', ''],
  ['a raw control character', '"a\u0000b"', 'malformed', ''],
  ['brackets that close too often', '[]]', 'malformed', ''],
  ['a colon too many', '{"a"::1}', 'malformed', ''],
];

describe('refused with a code and a place', () => {
  test.each(REFUSED)('%s', (_name, text, code, pointer) => {
    const refused = { ok: false, fault: { code, pointer } };
    expect(parseJson(text)).toEqual(refused);
    expect(parseJson(Buffer.from(text))).toEqual(refused);
  });

  test.each([
    ['a cut sequence', [0x22, 0xe2, 0x82, 0x22]],
    ['an overlong form', [0x22, 0xc0, 0xaf, 0x22]],
    ['a surrogate in UTF-8', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a byte that is never used', [0x22, 0xff, 0x22]],
    ['UTF-16', [0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
    ['Latin-1', [0x22, 0xe9, 0x22]],
  ])('bytes that are not UTF-8: %s', (_name, bytes) => {
    expect(parseJson(Uint8Array.from(bytes))).toEqual({
      ok: false,
      fault: { code: 'not_utf8', pointer: '' },
    });
  });

  test('text with a raw lone surrogate, which no UTF-8 can say', () => {
    expect(parseJson('"\ud800"')).toEqual({ ok: false, fault: { code: 'not_utf8', pointer: '' } });
  });

  test('a place of more than 256 characters is told by an outer one', () => {
    const placeUnder = (name: string): unknown => parseJson(`{"a":{"${name}":{"c":1,"c":2}}}`);
    const long = 'b'.repeat(256 - '/a/'.length);
    const fault = { code: 'duplicate_name', pointer: `/a/${long}` };
    expect(placeUnder(long)).toEqual({ ok: false, fault });
    expect(placeUnder(`${long}b`)).toEqual({ ok: false, fault: { ...fault, pointer: '/a' } });
  });
});

describe('taken as it is', () => {
  test.each([
    ['depth at the limit', nested(depth_max)],
    ['size at the limit', `"${'a'.repeat(size_bytes_max - 2)}"`],
    ['one name at several places', '{"a":{"a":[{"a":1},{"a":2}]}}'],
    ['structure inside text', '{"a":"{\\"a\\":1,\\"a\\":[[[\\\\"}'],
    ['names that only look alike', '{"a":1,"A":2,"\u0430":3}'],
    ['names of prototypes that hurt nobody', '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
    ['a pair of surrogates', String.raw`["\ud83d\ude00"]`],
    ['the largest double', '1.7976931348623157e308'],
    ['a number below the smallest double', '1e-400'],
    ['a scalar', 'null'],
  ])('%s', (_name, text) => {
    expect(parseJson(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  test('limits can be set', () => {
    const limits = { size_bytes_max: 8, depth_max: 2 };
    expect(parseJson('[[1234]]', limits).ok).toBe(true);
    expect(parseJson('[[12345]]', limits)).toMatchObject({ fault: { code: 'too_large' } });
    expect(parseJson('[[[1]]]', limits)).toMatchObject({ fault: { code: 'too_deep' } });
  });
});

const iJson = fc
  .jsonValue({ maxDepth: 6 })
  .filter((value) => !JSON.stringify(value).includes(PROTO));

describe('properties', () => {
  test('every I-JSON value comes back equal', () => {
    fc.assert(
      fc.property(iJson, fc.nat(2), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent);
        const taken = { ok: true, value: JSON.parse(text) as unknown };
        expect(parseJson(text)).toEqual(taken);
        expect(parseJson(Buffer.from(text))).toEqual(taken);
      }),
    );
  });

  test('a name doubled anywhere is found', () => {
    fc.assert(
      fc.property(iJson, fc.string(), iJson, (before, name, after) => {
        fc.pre(name !== PROTO);
        const member = `${JSON.stringify(name)}:${JSON.stringify(after)}`;
        const text = `[${JSON.stringify(before)},{${member},"x${name.length}":0,${member}}]`;
        expect(parseJson(text)).toEqual({
          ok: false,
          fault: { code: 'duplicate_name', pointer: '/1' },
        });
      }),
    );
  });

  test('changed bytes never throw, and what is taken is what JSON.parse reads', () => {
    const change = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'insert', 'delete'));
    fc.assert(
      fc.property(iJson, fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        const bytes = [...Buffer.from(JSON.stringify(value))];
        for (const [at, byte, how] of changes) {
          bytes.splice(
            at % (bytes.length + 1),
            how === 'insert' ? 0 : 1,
            ...(how === 'delete' ? [] : [byte]),
          );
        }
        const result = parseJson(Uint8Array.from(bytes));
        if (!result.ok) return;
        expect(result.value).toEqual(JSON.parse(Buffer.from(bytes).toString('utf8')));
      }),
      { numRuns: 1_000 },
    );
  });

  test('random bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(typeof parseJson(bytes).ok).toBe('boolean');
      }),
      { numRuns: 1_000 },
    );
  });
});

test('a long run of escapes takes no longer than other text', () => {
  const hostile = `"${'\\\\'.repeat(200_000)}${'\\"'.repeat(200_000)}"`;
  // In quadratic time it would not be over before the test is given up.
  expect(parseJson(hostile).ok).toBe(true);
});

describe('JSON Pointer (RFC 6901)', () => {
  test.each([
    ['', []],
    ['/', ['']],
    ['/foo/0', ['foo', '0']],
    ['/a~1b', ['a/b']],
    ['/m~0n', ['m~n']],
    ['/~01', ['~1']],
    ['/ /k"l', [' ', 'k"l']],
  ])('`%s` is %j, and back', (pointer, steps) => {
    expect(pointerSteps(pointer)).toEqual(steps);
    expect(jsonPointer(steps)).toBe(pointer);
  });

  test.each(['a', 'a/b', '/~', '/~2', '/a~'])('`%s` is none', (pointer) => {
    expect(pointerSteps(pointer)).toBeUndefined();
  });

  test('a long text is judged in one pass', () => {
    // A pattern that could split the slashes in several ways would try all of them.
    expect(pointerSteps(`${'/'.repeat(50_000)}~`)).toBeUndefined();
    expect(pointerSteps('/a'.repeat(50_000))).toHaveLength(50_000);
  });
});
