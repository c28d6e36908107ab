/** Answers of a decision service in the SEP's profile, as the core judges them. */
import { describe, expect, test } from '@jest/globals';
import { judgeResult } from '../../../src/decision/result.ts';
import { readSepAnswer } from '../../../src/decision/sep_pdp/answer.ts';
import { PortcullisError } from '../../../src/errors.ts';

/** The outcome with its code and constraints, or the error that there is no decision with. */
function told(answer: unknown): unknown {
  try {
    const { outcome, reason_code, constraints, visible } = judgeResult(readSepAnswer(answer));
    return { outcome, reason_code, constraints, visible };
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    return error.code;
  }
}

const TASK = { approval_required: true, require_approval_via: 'task' };
const INVALID = 'BACKEND_ANSWER_INVALID';

describe('an answer is believed', () => {
  test.each<[title: string, answer: object, outcome: object]>([
    ['an allow', { decision: 'allow' }, { outcome: 'allow', reason_code: 'ALLOWED' }],
    [
      'a deny with a code of its own',
      { decision: 'deny', reason_code: 'OUT_OF_HOURS' },
      { outcome: 'deny', reason_code: 'OUT_OF_HOURS', visible: undefined },
    ],
    ...['ACTOR_VALIDATION_FAILED', 'APPROVAL_REQUIRED', 'APPROVAL_VALIDATION_FAILED'].map(
      (reason_code): [string, object, object] => [
        `a deny that says what is missing is no secret (R11): ${reason_code}`,
        { decision: 'deny', reason_code },
        { outcome: 'deny', reason_code, visible: true },
      ],
    ),
    [
      'R1: the channel as the core spells it',
      { decision: 'require_approval', constraints: { require_approval_via: 'task' } },
      { outcome: 'require_approval', constraints: TASK },
    ],
    [
      'R1: the channel as the profiles spell it',
      { decision: 'require_approval', constraints: { approval_via: 'task' } },
      { outcome: 'require_approval', constraints: TASK },
    ],
    [
      'R1: both, if they agree',
      { decision: 'allow', constraints: { approval_via: 'task', require_approval_via: 'task' } },
      { outcome: 'require_approval', constraints: TASK },
    ],
    [
      'R9: an allow that needs an approval is one',
      { decision: 'allow', constraints: { approval_required: true } },
      { outcome: 'require_approval', constraints: { approval_required: true } },
    ],
    [
      'R9: members that nobody knows are ignored',
      { decision: 'allow', ttl_seconds: 5, trace: { a: 1 }, obligations: [{ type: 'odd' }] },
      { outcome: 'allow', constraints: {} },
    ],
    [
      'an early draft that has a reason in words',
      { decision: 'deny', reason: 'An approval is needed.', reason_code: 'ERR_NOT_SUPPORTED' },
      { outcome: 'deny', reason_code: 'ERR_NOT_SUPPORTED' },
    ],
    [
      'a code that is none is left out',
      { decision: 'deny', reason_code: 'see <b>here</b>', safe_message: 7 },
      { outcome: 'deny', reason_code: 'POLICY_DENIED' },
    ],
  ])('%s', (_title, answer, outcome) => {
    expect(told(answer)).toMatchObject(outcome);
  });
});

describe('an answer is refused', () => {
  const odd = { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' };

  test.each<[title: string, answer: unknown, refusal: unknown]>([
    ['no object', 'allow', INVALID],
    ['nothing', null, INVALID],
    ['a list', [{ decision: 'allow' }], INVALID],
    ['no decision', {}, odd],
    ['a decision that is true', { decision: true }, odd],
    ['a decision in other letters', { decision: 'Allow' }, odd],
    ['R4: a decision of another draft', { decision: 'allow_with_redaction' }, odd],
    [
      'R1: two channels',
      { decision: 'allow', constraints: { approval_via: 'task', require_approval_via: 'none' } },
      INVALID,
    ],
    ['constraints that are none', { decision: 'allow', constraints: 'none' }, INVALID],
    ['R9: an unknown constraint', { decision: 'allow', constraints: { hours: 'day' } }, odd],
    ['R9: an unknown actor', { decision: 'allow', constraints: { actor_required: 'robot' } }, odd],
    ['R9: an unknown channel', { decision: 'allow', constraints: { approval_via: 'fax' } }, odd],
    [
      'R9: an approval that is not needed',
      { decision: 'require_approval', constraints: { approval_required: false } },
      odd,
    ],
  ])('%s', (_title, answer, refusal) => {
    const found = told(answer);
    if (typeof refusal === 'string') expect(found).toBe(refusal);
    else expect(found).toMatchObject(refusal as object);
  });

  test('and what is wrong with it is said', () => {
    expect(() => readSepAnswer('allow')).toThrow('its answer is no object');
  });
});
