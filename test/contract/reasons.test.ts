import { expect, test } from '@jest/globals';
import { draftCode, REASONS, safeMessage } from '../../src/contract/reasons.ts';

/** What a caller may be told, pinned: a code that changes breaks those who read it. */
const CODES = [
  'ACTOR_VALIDATION_FAILED',
  'ALLOWED',
  'APPROVAL_REQUIRED',
  'APPROVAL_VALIDATION_FAILED',
  'ARGUMENTS_INCOMPLETE',
  'ARGUMENTS_TOO_LARGE',
  'CAPABILITY_NOT_ALLOWED',
  'CAPABILITY_NOT_VISIBLE',
  'DEFINITION_CHANGED',
  'OBLIGATION_UNSUPPORTED',
  'POLICY_DENIED',
  'POLICY_INDETERMINATE',
  'POLICY_UNAVAILABLE',
  'RESULT_WITHHELD',
  'STEP_UP_REQUIRED',
  'TOO_MANY_TASKS',
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

/** E-13: the codes of the draft; a denial names one of them, or what a policy called it. */
const DRAFT = [
  'ACTOR_VALIDATION_FAILED',
  'APPROVAL_REQUIRED',
  'APPROVAL_VALIDATION_FAILED',
  'CAPABILITY_NOT_ALLOWED',
  'CAPABILITY_NOT_VISIBLE',
  'POLICY_DENIED',
  'POLICY_INDETERMINATE',
  'POLICY_UNAVAILABLE',
  'UNKNOWN_METHOD_DENIED',
];

test('each reason for a denial has a code of the draft', () => {
  const denials = CODES.filter((code) => code !== 'ALLOWED');
  expect([...new Set(denials.map(draftCode))].sort()).toEqual(DRAFT);
  for (const code of [...DRAFT, 'TRANSFER_LIMIT', 'toString']) expect(draftCode(code)).toBe(code);
});
