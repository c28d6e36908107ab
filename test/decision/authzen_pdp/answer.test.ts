import { describe, expect, test } from '@jest/globals';
import { readDecision } from '../../../src/decision/authzen_pdp/answer.ts';
import { judgeResult } from '../../../src/decision/result.ts';
import { PortcullisError } from '../../../src/errors.ts';

/** The outcome that an answer comes to; `none` where it is no decision. */
function outcomeOf(answer: unknown): string {
  try {
    const { outcome, reason_code } = judgeResult(readDecision(answer));
    return reason_code === 'POLICY_INDETERMINATE' ? 'none' : outcome;
  } catch (error) {
    if (error instanceof PortcullisError && error.code === 'BACKEND_ANSWER_INVALID') return 'none';
    throw error;
  }
}

const allowing = (context: unknown) => ({ decision: true, context });
const denying = (context: unknown) => ({ decision: false, context });

describe('an answer of an AuthZEN decision point', () => {
  test.each<[string, unknown, string]>([
    ['true alone', { decision: true }, 'allow'],
    ['false alone', { decision: false }, 'deny'],
    [
      '[R9] members that nobody knows',
      { ...allowing({ id: 'x', reason_user: {} }), x: 1 },
      'allow',
    ],
    ['an empty context', allowing({}), 'allow'],
    ['the same outcome', allowing({ outcome: 'allow' }), 'allow'],
    ['no obligations', allowing({ obligations: [] }), 'allow'],
    ['an obligation of ours', allowing({ obligations: [{ type: 'log', level: 'info' }] }), 'allow'],
    ['an actor', allowing({ constraints: { actor_required: 'human' } }), 'allow'],
    ['an approval', allowing({ require_approval: true }), 'require_approval'],
    ['no approval', allowing({ require_approval: false }), 'allow'],
    ['another outcome', allowing({ outcome: 'require_approval' }), 'require_approval'],
    ['a denial as well', allowing({ outcome: 'deny' }), 'deny'],
    [
      '[R9] an approval needed',
      allowing({ constraints: { approval_required: true } }),
      'require_approval',
    ],
    ['[R1] a channel', allowing({ constraints: { approval_via: 'task' } }), 'require_approval'],
    [
      '[R1] one channel twice',
      allowing({ constraints: { approval_via: 'task', require_approval_via: 'task' } }),
      'require_approval',
    ],
    [
      '[R1] two channels',
      allowing({ constraints: { approval_via: 'task', require_approval_via: 'none' } }),
      'none',
    ],
    ['an outcome nobody knows', allowing({ outcome: 'maybe' }), 'none'],
    ['an outcome of another type', allowing({ outcome: true }), 'none'],
    ['an approval of another type', allowing({ require_approval: 'yes' }), 'none'],
    ['[R9] a constraint nobody knows', allowing({ constraints: { mood: 'good' } }), 'none'],
    ['[R9] a value nobody knows', allowing({ constraints: { actor_required: 'cat' } }), 'none'],
    ['constraints of another type', allowing({ constraints: [] }), 'none'],
    ['constraints that are null', allowing({ constraints: null }), 'none'],
    ['an obligation nobody knows', allowing({ obligations: [{ type: 'dance' }] }), 'none'],
    [
      'an obligation of the draft',
      allowing({ obligations: [{ id: '1', type: 'step-up', properties: {} }] }),
      'none',
    ],
    ['obligations of another type', allowing({ obligations: {} }), 'none'],
    ['an allowed thing that is hidden', allowing({ visible: false }), 'none'],
    ['visibility of another type', allowing({ visible: 'yes' }), 'none'],
    ['a context of another type', allowing('allow'), 'none'],
    ['a context that is null', allowing(null), 'none'],
    ['an approval that can be had', denying({ outcome: 'require_approval' }), 'require_approval'],
    ['false and an allow', denying({ outcome: 'allow' }), 'none'],
    ['false with duties nobody knows', denying({ obligations: [{ type: 'dance' }] }), 'deny'],
    ['false where an approval would not help', denying({ require_approval: true }), 'deny'],
    ['a text', 'true', 'none'],
    ['a text for true', { decision: 'true' }, 'none'],
    ['a number for true', { decision: 1 }, 'none'],
    ['null for true', { decision: null }, 'none'],
    ['an object for true', { decision: { decision: true } }, 'none'],
    ['nothing', {}, 'none'],
    ['an array', [{ decision: true }], 'none'],
    ['null', null, 'none'],
  ])('with %s', (_what, answer, expected) => {
    expect(outcomeOf(answer)).toBe(expected);
  });

  test.each<[answer: unknown, why: string]>([
    [[], 'its answer is no object'],
    [{ decision: 'true' }, '`decision` is not true or false'],
    [allowing('allow'), '`context` is no object'],
    [allowing({ require_approval: 'yes' }), '`require_approval` is not true or false'],
    [denying({ outcome: 'allow' }), 'its answer contradicts itself'],
  ])('such as %j is refused with the reason', (answer, why) => {
    expect(() => readDecision(answer)).toThrow(why);
  });

  test('may give its code and sentence, where they are such', () => {
    const told = { reason_code: 'NOT_ON_SUNDAYS', safe_message: 'Not today.', visible: true };
    expect(judgeResult(readDecision(denying(told)))).toMatchObject({ outcome: 'deny', ...told });
    const odd = { reason_code: 'not a code', safe_message: 'x'.repeat(1025) };
    expect(judgeResult(readDecision(denying(odd)))).toMatchObject({
      reason_code: 'POLICY_DENIED',
      safe_message: undefined,
    });
  });
});
