import { describe, expect, test } from '@jest/globals';
import { judgeList, judgeResult, showsResource } from '../../src/decision/result.ts';

describe('the verdict of a raw result', () => {
  test.each([
    [true, 'allow', 'ALLOWED'],
    [false, 'deny', 'POLICY_DENIED'],
    [{ decision: 'allow' }, 'allow', 'ALLOWED'],
    [{ decision: 'deny' }, 'deny', 'POLICY_DENIED'],
    [{ decision: 'require_approval' }, 'require_approval', 'APPROVAL_REQUIRED'],
    [{ decision: 'deny', reason_code: 'TRANSFER_LIMIT' }, 'deny', 'TRANSFER_LIMIT'],
    [{ decision: 'allow', errors: [] }, 'allow', 'ALLOWED'],
    [{ decision: 'allow', safe_message: null }, 'allow', 'ALLOWED'],
  ])('%j is %s', (raw, outcome, reason_code) => {
    expect(judgeResult(raw)).toMatchObject({ outcome, reason_code, detail: undefined });
  });

  test.each<[unknown]>([
    [undefined],
    [null],
    ['allow'],
    ['true'],
    [1],
    [[]],
    [[{ result: true }]],
    [{}],
    [{ decision: true }],
    [{ decision: 'ALLOW' }],
    [{ decision: 'allow_with_redaction' }],
    [{ decision: 'allow', allow: true }],
    [{ decision: 'allow', visble: true }],
    [{ decision: 'allow', visible: 'yes' }],
    [{ decision: 'allow', errors: ['a rule failed'] }],
    [{ decision: 'allow', reason_code: 'lower case' }],
    [{ decision: 'allow', obligations: {} }],
    [{ decision: 'allow', obligations: [{ type: 'notify_all' }] }],
    [{ decision: 'allow', obligations: [{ type: 'log', level: 'info', to: 'x' }] }],
    [{ decision: 'allow', constraints: { actor_required: 'robot' } }],
    [{ decision: 'allow', constraints: { mfa_required: true } }],
    [{ decision: 'require_approval', constraints: { approval_via: 'task' } }],
    [{ decision: 'allow', visible: false }],
  ])('[E-05] %j is indeterminate, hence a deny', (raw) => {
    expect(judgeResult(raw)).toMatchObject({
      outcome: 'deny',
      visible: undefined,
      reason_code: 'POLICY_INDETERMINATE',
      constraints: {},
      obligations: [],
      detail: expect.any(String),
    });
  });

  test.each([
    ['allow', { approval_required: true }, 'require_approval'],
    ['allow', { require_approval_via: 'task' }, 'require_approval'],
    ['allow', { approval_required: false }, 'allow'],
    ['allow', { actor_required: 'human' }, 'allow'],
    ['require_approval', {}, 'require_approval'],
    ['require_approval', { approval_required: true }, 'require_approval'],
    ['deny', { approval_required: true }, 'deny'],
  ])('%s with %j is %s (ruling R9)', (decision, constraints, outcome) => {
    const verdict = judgeResult({ decision, constraints });
    expect(verdict.outcome).toBe(outcome);
    const isAsked = outcome === 'require_approval';
    expect(verdict.constraints).toEqual({
      ...constraints,
      ...(isAsked && { approval_required: true }),
    });
  });

  test.each([
    ['require_approval', { approval_required: false }],
    ['allow', { approval_required: false, require_approval_via: 'task' }],
  ])('%s with %j contradicts itself', (decision, constraints) => {
    expect(judgeResult({ decision, constraints })).toMatchObject({
      outcome: 'deny',
      reason_code: 'POLICY_INDETERMINATE',
    });
  });
});

describe('what a verdict says', () => {
  const PLAIN = { safe_message: undefined, constraints: {}, obligations: [], rules: [] };

  test.each([true, { decision: 'allow' }])('of %j is no more than that', (raw) => {
    expect(judgeResult(raw)).toEqual({
      ...PLAIN,
      outcome: 'allow',
      reason_code: 'ALLOWED',
    });
  });

  test.each<[unknown, string]>([
    [undefined, 'the policy yields no result'],
    [{ decision: 'allow', errors: ['x'] }, 'the policy reports errors'],
    [{ decision: 'allow', visible: false }, 'the policy allows what it hides'],
    [
      { decision: 'require_approval', constraints: { approval_required: false } },
      'the constraints contradict each other',
    ],
    [{ decision: 1 }, 'the result of the policy fails its schema at `/decision` (enum)'],
  ])('of %j to operators', (raw, detail) => {
    expect(judgeResult(raw)).toEqual({
      ...PLAIN,
      outcome: 'deny',
      reason_code: 'POLICY_INDETERMINATE',
      detail,
    });
  });
});

test.each<[unknown, boolean]>([
  [true, true],
  [false, false],
  [{ decision: 'require_approval' }, true],
  [{ decision: 'deny', visible: true }, true],
  [{ decision: 'deny' }, false],
  [{ decision: 'allow', visible: false }, false],
  [undefined, false],
  ['true', false],
])('%j shows a resource or not', (raw, isShown) => {
  expect(showsResource(raw)).toBe(isShown);
});

describe('the positions of a list', () => {
  test.each([
    [[], 0],
    [[], 3],
    [[2, 0], 3],
  ])('%j of %d', (raw, count) => {
    expect([...(judgeList(raw, count) ?? [])]).toEqual(raw);
  });

  test.each<[unknown]>([
    [undefined],
    [null],
    [true],
    [{ 0: true }],
    ['012'],
    [[0, 0]],
    [[3]],
    [[-1]],
    [[0.5]],
    [['0']],
    [[null]],
    [[0, [1]]],
  ])('%j is no list of three', (raw) => {
    expect(judgeList(raw, 3)).toBeUndefined();
  });
});
