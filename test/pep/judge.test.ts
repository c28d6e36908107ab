/** What is believed of an answer: whole, in agreement with itself, and no more than it says. */
import { expect, test } from '@jest/globals';
import { judge, UNAVAILABLE } from '../../src/pep/judge.ts';
import { ALICE } from './support/parts.ts';
import { allow, deny, hide } from './support/scripted.ts';

const { subject } = ALICE;
const refusal = (reason_code: string, answer: object) => ({
  outcome: 'refuse',
  reason_code,
  answer,
});

test.each<[string, unknown, object]>([
  ['an allow', allow(), { outcome: 'allow', answer: allow() }],
  ['what is hidden', hide(), { outcome: 'hidden', answer: hide() }],
  ['a denial', deny(), refusal('CAPABILITY_NOT_ALLOWED', deny())],
  [
    'a denial in words of its own',
    deny({ safe_message: 'No.' }),
    { ...refusal('CAPABILITY_NOT_ALLOWED', deny({ safe_message: 'No.' })), safe_message: 'No.' },
  ],
  ['an allow that is called a denial', allow({ outcome: 'deny' }), UNAVAILABLE],
  ['an allow that waits', allow({ outcome: 'require_approval' }), UNAVAILABLE],
  ['an allow that waits unseen', allow({ outcome: 'deny', visible: false }), UNAVAILABLE],
  ['no decision', { context: allow().context }, UNAVAILABLE],
])('%s is taken as what it is', (_what, answer, verdict) => {
  expect(judge(answer, subject)).toStrictEqual(verdict);
});
