import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import { WITHHELD, applyToError, type RpcError } from '../../../src/pep/obligations/apply.ts';

const KEY = { id: 'k1', secret: Buffer.alloc(32, 7) };
const keep = (unstructured: 'refuse' | 'drop' | 'redact'): Obligation[] => [
  { type: 'keep_fields', paths: ['/id'], unstructured },
];
const error = (data?: unknown, code = -32602): RpcError => ({
  code,
  message: 'no customer ada@example.com',
  ...(data !== undefined && { data }),
});

test('without obligations an error passes as it is', () => {
  expect(applyToError(error({ a: 1 }, 7), [], KEY)).toEqual({
    ok: true,
    error: error({ a: 1 }, 7),
    masked: [],
  });
});

test('an obligation that is not understood refuses an error too', () => {
  const shred = { type: 'shred' } as unknown as Obligation;
  expect(applyToError(error(), [shred], KEY)).toEqual({
    ok: false,
    reason: 'an obligation is unsupported or malformed',
  });
});

test('what is masked has no more members than it had', () => {
  const applied = applyToError(error(), keep('drop'), KEY);
  expect(applied.ok && Object.keys(applied.error)).toEqual(['code', 'message']);
});

describe('the message is unstructured', () => {
  test('and an error is refused where such content is', () => {
    expect(applyToError(error({ id: 1 }), keep('refuse'), KEY)).toEqual({
      ok: false,
      reason: 'unstructured content may not pass',
    });
  });

  test.each(['drop', 'redact'] as const)('and stands for a fixed text under %s', (unstructured) => {
    expect(applyToError(error(), keep(unstructured), KEY)).toEqual({
      ok: true,
      error: { code: -32602, message: WITHHELD },
      masked: [''],
    });
  });
});

describe('data', () => {
  test.each<[string, unknown, unknown, unknown]>([
    ['an object', { id: 1, email: 'ada@example.com' }, { id: 1 }, { id: 1 }],
    ['JSON in a text', '{"id":1,"email":"ada@example.com"}', '{"id":1}', '{"id":1}'],
    ['a text', 'ada@example.com', undefined, WITHHELD],
    ['a number', 4711, undefined, WITHHELD],
  ])('that is %s is masked', (_what, data, dropped, redacted) => {
    const under = (unstructured: 'drop' | 'redact') => {
      const applied = applyToError(error(data), keep(unstructured), KEY);
      return applied.ok ? applied.error.data : applied;
    };
    expect(under('drop')).toEqual(dropped);
    expect(under('redact')).toEqual(redacted);
  });

  test('that asks the user to open an address is refused', () => {
    const data = { elicitations: [{ url: 'https://example.com/?q=ada@example.com' }] };
    expect(applyToError(error(data, -32042), keep('redact'), KEY)).toEqual({
      ok: false,
      reason: 'the error is malformed, too large or too deep',
    });
  });
});

test.each([
  [-32000, -32000],
  [-32768, -32768],
  [-32769, -32603],
  [4711, -32603],
])('code %d passes as %d', (code, passed) => {
  const applied = applyToError(error(undefined, code), keep('drop'), KEY);
  expect(applied).toMatchObject({ error: { code: passed } });
});

test.each<[string, unknown]>([
  ['no code', { message: 'x' }],
  ['a code that is no integer', { code: 1.5, message: 'x' }],
  ['a message that is no text', { code: -32603, message: { email: 'x' } }],
  ['nothing', undefined],
  ['a list', []],
])('an error with %s is refused', (_what, malformed) => {
  expect(applyToError(malformed as RpcError, keep('redact'), KEY)).toEqual({
    ok: false,
    reason: 'the error is malformed, too large or too deep',
  });
});
