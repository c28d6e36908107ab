/** What is remembered of refusals: which, how many, and how long. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Verdict } from '../../src/pep/judge.ts';
import { Refusals } from '../../src/pep/refusals.ts';
import { KEY, questionOf, REFUSED } from './support/refusals.ts';
import { allow, deny, hide } from './support/scripted.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A memory of 100 ms, under a clock that the test sets. */
function memory(refusals_max: number, refusal_memory_ms = 100) {
  const clock = { ms: 0, now_ms: () => clock.ms };
  const refusals = new Refusals({ refusal_memory_ms, refusals_max }, clock, KEY);
  const told: number[] = [];
  const keep = (name: string, at_ms = clock.ms, verdict: Verdict = REFUSED): void => {
    clock.ms = at_ms;
    refusals.keep(questionOf(name), verdict, (_answer, repeats) => told.push(repeats));
  };
  const knows = (...names: string[]) =>
    names.map((name) => refusals.recall(questionOf(name)) !== undefined);
  return { clock, keep, knows, told, refusals };
}

describe('a refusal that was given', () => {
  test('is known until its time is over, and then no more', () => {
    const { clock, keep, knows } = memory(4);
    keep('a');
    clock.ms = 99;
    expect(knows('a', 'b')).toEqual([true, false]);
    clock.ms = 100;
    expect(knows('a')).toEqual([false]);
  });

  test('makes room only where there are too many, the oldest first', () => {
    const { keep, knows } = memory(2);
    keep('a', 0);
    keep('b', 1);
    expect(knows('a', 'b')).toEqual([true, true]);
    keep('c', 2);
    expect(knows('a', 'b', 'c')).toEqual([false, true, true]);
  });

  test('is as new as its last decision', () => {
    const { keep, knows } = memory(3);
    keep('a', 0);
    keep('b', 50);
    keep('a', 100);
    keep('c', 110);
    keep('d', 120);
    expect(knows('a', 'b', 'c', 'd')).toEqual([true, false, true, true]);
  });

  test.each([1, 3])('and asked for %i times again is told of once', (repeats) => {
    const { keep, knows, told } = memory(4);
    keep('a');
    for (let again = 0; again < repeats; again += 1) knows('a');
    expect(jest.getTimerCount()).toBe(1);
    jest.advanceTimersByTime(99);
    expect(told).toEqual([]);
    jest.advanceTimersByTime(1);
    expect(told).toEqual([repeats]);
  });

  test('and known for longer, because the clock was set back, is told of once more', () => {
    const { keep, knows, told } = memory(4);
    keep('a', 1000);
    knows('a', 'a');
    jest.advanceTimersByTime(100);
    knows('a');
    jest.advanceTimersByTime(100);
    expect(told).toEqual([2, 1]);
  });

  test('is told of at once when the guard closes, and then known no more', () => {
    const { keep, knows, told, refusals } = memory(4);
    for (const name of ['a', 'b', 'c']) keep(name);
    knows('a', 'b', 'b');
    refusals.close();
    expect(told).toEqual([1, 2]);
    expect(knows('a', 'b', 'c')).toEqual([false, false, false]);
    expect(jest.getTimerCount()).toBe(0);
    refusals.close();
    expect(told).toEqual([1, 2]);
  });

  test('is told of in its time, though another policy is there meanwhile', () => {
    const { keep, knows, told, refusals } = memory(4);
    keep('a');
    knows('a');
    refusals.clear();
    expect(knows('a')).toEqual([false]);
    jest.advanceTimersByTime(100);
    expect(told).toEqual([1]);
  });

  test('is never known where it is not to be remembered', () => {
    const { clock, keep, knows } = memory(4, 0);
    keep('a');
    clock.ms = -1;
    expect(knows('a')).toEqual([false]);
  });

  test('and not asked for again is not told of', () => {
    const { keep, told } = memory(4);
    keep('a');
    jest.advanceTimersByTime(1000);
    expect(told).toEqual([]);
  });
});

const refusal = (reason_code: string, answer = deny({ reason_code })): Verdict => ({
  outcome: 'refuse',
  reason_code,
  answer,
});

test.each<[string, Verdict]>([
  ['an allow', { outcome: 'allow', answer: allow() }],
  ['what is hidden', { outcome: 'hidden', answer: hide() }],
  ['what was not decided', { outcome: 'refuse', reason_code: 'CAPABILITY_NOT_ALLOWED' }],
  ['what the guard overruled', { ...REFUSED, overruled: true } as Verdict],
  ['what waits for an approval', refusal('APPROVAL_REQUIRED')],
  ['what waits for a policy', refusal('POLICY_UNAVAILABLE')],
  [
    'what may be approved, under a code of its own',
    refusal('FOUR_EYES', deny({ outcome: 'require_approval', reason_code: 'FOUR_EYES' })),
  ],
])('%s is not remembered', (_what, verdict) => {
  const { keep, knows } = memory(4);
  keep('a', 0, verdict);
  expect(knows('a')).toEqual([false]);
});
