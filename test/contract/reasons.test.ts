import { expect, test } from '@jest/globals';
import { REASONS, safeMessage } from '../../src/contract/reasons.ts';

/** What a caller may be told, pinned: a code that changes breaks those who read it. */
const CODES = [
  'ACTOR_VALIDATION_FAILED',
  'ALLOWED',
  'APPROVAL_REQUIRED',
  'APPROVAL_VALIDATION_FAILED',
  'ARGUMENTS_INCOMPLETE',
  'CAPABILITY_NOT_ALLOWED',
  'CAPABILITY_NOT_VISIBLE',
  'DEFINITION_CHANGED',
  'OBLIGATION_UNSUPPORTED',
  'POLICY_DENIED',
  'POLICY_INDETERMINATE',
  'POLICY_UNAVAILABLE',
  'RESULT_WITHHELD',
  'UNKNOWN_METHOD_DENIED',
];

test('the codes are those that clients know', () => {
  expect(Object.keys(REASONS).sort()).toEqual(CODES);
});

test("a policy's own sentence is told before ours", () => {
  expect(safeMessage('POLICY_DENIED', 'Ask the treasury.')).toBe('Ask the treasury.');
});

test.each([undefined, null, ''])('without a sentence of the policy (%s) ours is told', (none) => {
  expect(safeMessage('APPROVAL_REQUIRED', none)).toBe(REASONS.APPROVAL_REQUIRED);
});

test.each(['TRANSFER_LIMIT', 'toString', '__proto__', ''])(
  'a code that is not ours (`%s`) is told as a denial',
  (code) => {
    expect(safeMessage(code)).toBe(REASONS.POLICY_DENIED);
  },
);

test('a hidden capability is told like a denied one', () => {
  expect(REASONS.CAPABILITY_NOT_VISIBLE).toBe(REASONS.POLICY_DENIED);
});
