/** What of a server's words is taken over, and what is told of the rest. */
import { describe, expect, test } from '@jest/globals';
import { requireObject, spelt, told } from '../../../src/decision/foreign/words.ts';

describe('a reason code of a server', () => {
  test.each(['AB', 'ABC_9', `A${'B'.repeat(63)}`])('may be %s', (reason_code) => {
    expect(told({ reason_code })).toEqual({ reason_code });
  });

  test.each([
    ['that begins with a digit', '9ABC'],
    ['that only ends with one', 'odd ABC'],
    ['that only begins with one', 'ABC odd'],
    ['of two lines', 'ABC\nDEF'],
    ['of a single letter', 'A'],
    ['that is too long', 'A'.repeat(65)],
    ['that is empty', ''],
    ['in a list', ['ABC']],
    ['that is a number', 5],
  ])('is left out where it is one %s', (_what, reason_code) => {
    expect(told({ reason_code })).toEqual({});
  });
});

test('a sentence of a server may have 1,024 characters, and is left out beyond that', () => {
  const longest = { safe_message: 'x'.repeat(1024) };
  expect(told(longest)).toEqual(longest);
  expect(told({ safe_message: 'x'.repeat(1025) })).toEqual({});
  expect(told({ safe_message: ['x'] })).toEqual({});
});

const fault = (reason: string) =>
  expect.objectContaining({
    code: 'BACKEND_ANSWER_INVALID',
    message: `the policy server gave no decision: ${reason}`,
  });

test.each([[null], ['text'], [[]], [undefined]])('%j is no object, and that is told', (value) => {
  expect(() => requireObject(value, '`x`')).toThrow(fault('`x` is no object'));
  expect(() => spelt(value)).toThrow(fault('`constraints` is no object'));
});

test('[R1] two names of one channel are one, and two channels are told', () => {
  expect(spelt({ approval_via: 'task' })).toEqual({ require_approval_via: 'task' });
  expect(() => spelt({ approval_via: 'task', require_approval_via: 'none' })).toThrow(
    fault('it names two channels'),
  );
});
