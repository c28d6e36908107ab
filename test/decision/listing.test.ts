import { describe, expect, test } from '@jest/globals';
import { judgeListing, listedText, withheldAll } from '../../src/decision/listing.ts';

describe('what a policy says to a list', () => {
  test('by the positions of the visible items', () => {
    expect(judgeListing([1], 2)).toEqual([
      { visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED', rules: [] },
      { visible: true, reason_code: 'ALLOWED', rules: [] },
    ]);
  });

  test('by each item with its reason and its rules', () => {
    const raw = [
      [true, 'ALLOWED', ['grant:a']],
      [false, 'FROZEN', ['area/freeze', 'area/other']],
    ];
    expect(judgeListing(raw, 2)).toEqual([
      { visible: true, reason_code: 'ALLOWED', rules: ['grant:a'] },
      { visible: false, reason_code: 'FROZEN', rules: ['area/freeze', 'area/other'] },
    ]);
  });

  test('by a code of 64 characters, 1024 rules, and rules of 512 characters', () => {
    const rules = Array<string>(1024).fill('r'.repeat(512));
    const reason_code = 'A'.repeat(64);
    expect(judgeListing([[false, reason_code, rules]], 1)).toEqual([
      { visible: false, reason_code, rules },
    ]);
  });

  const item = [true, 'ALLOWED', ['grant:a']];
  test.each<[string, unknown[]]>([
    ['an item too few', [item]],
    ['an item too many', [item, item, item]],
    ['a position among items', [item, 1]],
    ['an item among positions', [1, item]],
    ['an item that is no list', [item, { visible: true }]],
    ['an item without rules', [item, [true, 'ALLOWED']]],
    ['a member too many', [item, [...item, 1]]],
    ['1 for true', [item, [1, 'ALLOWED', []]]],
    ['a code of small letters', [item, [true, 'allowed', []]]],
    ['a code that is none', [item, [true, null, []]]],
    ['a code in a list', [item, [true, ['ALLOWED'], []]]],
    ['a code with something before', [item, [true, 'aALLOWED', []]]],
    ['a code with something behind', [item, [true, 'ALLOWEDx', []]]],
    ['a code of 65 characters', [item, [true, 'A'.repeat(65), []]]],
    ['a text of rules', [item, [true, 'ALLOWED', 'grant:a']]],
    ['a rule that is a number', [item, [true, 'ALLOWED', [1]]]],
    ['a rule in a list', [item, [true, 'ALLOWED', [['grant:a']]]]],
    ['a rule without a name', [item, [true, 'ALLOWED', ['']]]],
    ['a rule of 513 characters', [item, [true, 'ALLOWED', ['r'.repeat(513)]]]],
    ['1025 rules', [item, [true, 'ALLOWED', Array(1025).fill('r')]]],
  ])('%s is no list of two', (_what, raw) => {
    expect(judgeListing(raw, 2)).toBeUndefined();
  });
});

test('one result is an item of a list with its rules', () => {
  const denied = { decision: 'deny', reason_code: 'FROZEN', rules: ['area/freeze'] };
  expect(listedText(denied)).toEqual([false, 'FROZEN', ['area/freeze']]);
  expect(listedText({ ...denied, visible: true })).toEqual([true, 'ALLOWED', ['area/freeze']]);
  expect(listedText(undefined)).toEqual([false, 'POLICY_INDETERMINATE', []]);
});

test('everything is withheld for one reason', () => {
  const one = { visible: false, reason_code: 'POLICY_UNAVAILABLE', rules: [] };
  expect(withheldAll(2, 'POLICY_UNAVAILABLE')).toEqual([one, one]);
});
