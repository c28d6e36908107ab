/**
 * The gate against a second reading of the same text: what it takes is what JSON.parse reads and
 * breaks no rule of I-JSON (RFC 7493); what it refuses does break the rule that it names.
 */
import { isUtf8 } from 'node:buffer';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseJson, pointerSteps, type JsonFault } from '../../src/contract/json.ts';
import { changed, changesOf, fuzzing, fuzzTimeout } from '../support/fuzz.ts';

const LIMITS = { size_bytes_max: 120, depth_max: 4 };

const HAZARDS = [
  ...['{', '}', '[', ']', ',', ':', '"', '\\', '\\"', '"a":', '"\\u0061":', ' ', '\n', '\0'],
  ...['1e999', '-1e999', '1e-999', '-0', '01', '0x1', 'NaN', 'null', 'true', '\ufeff', '//', "'"],
  ...['"__proto__":', '"\\u005f_proto__":', '\\ud800', '\\udc00', '\\ud83d\\ude00', '\ud83d\ude00'],
];

/** The names and values of a text as written, so that doubled names and odd escapes occur. */
const name = fc.constantFrom('a', '\\u0061', 'b', 'a/b~', '', '__proto__', '\\udc00', '\\"', '{:,');
const scalar = fc.oneof(
  fc.constantFrom('0', '-0', '1e400', '-1e400', 'null', 'true', '"\\ud800"', '"\\\\"', '"{\\":"'),
  fc.string().map((text) => JSON.stringify(text)),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);
const gap = fc.constantFrom('', '', ' ', '\n\t');
const { text: written } = fc.letrec<{ text: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    scalar,
    fc.array(tie('text'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(name, gap, tie('text')), { maxLength: 3 })
      .map((members) => `{${members.map(([n, g, v]) => `${g}"${n}"${g}:${g}${v}`).join(',')}}`),
  ),
}));

/** A text, or what some changes make of it. */
const bytes = fc
  .tuple(written, fc.option(changesOf(...HAZARDS)))
  .map(([text, changes]) => (changes ? changed(Buffer.from(text), changes) : Buffer.from(text)));

function tokensOf(text: string): string[] {
  return [...text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs)].map(([token]) => token);
}

/** Whether a text that JSON.parse reads has an object with a name twice. */
function doublesName(text: string): boolean {
  const open: Set<string>[] = [];
  return tokensOf(text).some((token, i, tokens) => {
    if (token === '{' || token === '[') open.push(new Set());
    if (token === '}' || token === ']') open.pop();
    if (tokens[i + 1] !== ':') return false;
    const names = open.at(-1);
    const isDoubled = names?.has(JSON.parse(token) as string) === true;
    names?.add(JSON.parse(token) as string);
    return isDoubled;
  });
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  return tokensOf(text).some((token) => {
    if (token === '{' || token === '[') depth += 1;
    if (token === '}' || token === ']') depth -= 1;
    return depth > LIMITS.depth_max;
  });
}

/** A value and all values inside it. */
function within(value: unknown): unknown[] {
  const inner = typeof value === 'object' && value !== null ? Object.values(value) : [];
  return [value, ...inner.flatMap(within)];
}

const isLone = (text: unknown): boolean => typeof text === 'string' && !text.isWellFormed();
const namesOf = (value: unknown): string[] =>
  typeof value === 'object' && value !== null ? Object.keys(value) : [];

/** The rule of each reason, for a text that JSON.parse reads as `root`. */
const BROKEN: Record<JsonFault['code'], (text: string, root: unknown) => boolean> = {
  too_large: (text) => Buffer.byteLength(text) > LIMITS.size_bytes_max,
  not_utf8: () => false,
  malformed: () => false,
  too_deep: isTooDeep,
  lone_surrogate: (_text, root) =>
    within(root).some((value) => isLone(value) || namesOf(value).some(isLone)),
  forbidden_name: (_text, root) =>
    within(root).some((value) => namesOf(value).includes('__proto__')),
  number_out_of_range: (_text, root) => within(root).some((v) => v === Infinity || v === -Infinity),
  duplicate_name: doublesName,
};

/** The rules that bytes break; none where they are I-JSON within the limits. */
function faultsOf(given: Buffer): string[] {
  if (!isUtf8(given)) return given.length > LIMITS.size_bytes_max ? ['too_large'] : ['not_utf8'];
  const text = given.toString();
  try {
    const root: unknown = JSON.parse(text);
    return Object.keys(BROKEN).filter((code) => BROKEN[code as JsonFault['code']](text, root));
  } catch {
    return ['malformed', 'too_large', 'too_deep'];
  }
}

function placeOf(root: unknown, pointer: string): unknown {
  return pointerSteps(pointer)?.reduce<unknown>(
    (value, step) => (value as Record<string, unknown>)[step],
    root,
  );
}

test(
  'what is taken is what JSON.parse reads, and each refusal names a rule that is broken',
  () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(bytes, (given) => {
        const result = parseJson(given, LIMITS);
        const faults = faultsOf(given);
        const code = result.ok ? 'taken' : result.fault.code;
        seen.set(code, (seen.get(code) ?? 0) + 1);
        if (result.ok) {
          expect(faults).toEqual([]);
          expect(result.value).toEqual(JSON.parse(given.toString()));
          return;
        }
        expect(faults).toContain(code);
        const { pointer } = result.fault;
        if (pointer === '' || code === 'duplicate_name') return;
        const place = placeOf(JSON.parse(given.toString()), pointer);
        expect(BROKEN[result.fault.code](given.toString(), place)).toBe(true);
      }),
      fuzzing(20_000),
    );
    const rare = ['taken', ...Object.keys(BROKEN)].filter((code) => (seen.get(code) ?? 0) < 20);
    expect(rare).toEqual([]);
  },
  fuzzTimeout(60),
);
