import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { withinDeadline } from '../../src/pep/deadline.ts';

const never = () => new Promise<never>(() => undefined);
const unreachable = (message: string) => ({ code: 'DECISION_POINT_UNREACHABLE', message });

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('work within a deadline', () => {
  test.each<[string, () => Promise<unknown>, boolean]>([
    ['done', () => Promise.resolve('done'), true],
    ['failed', () => Promise.reject(new Error('failed')), false],
    [
      'thrown',
      () => {
        throw new Error('thrown');
      },
      false,
    ],
  ])('that is %s in time leaves no timer and no listener', async (what, work, isDone) => {
    const { signal } = new AbortController();
    const result = await withinDeadline(work, 1000, signal).catch(
      (error: unknown) => (error as Error).message,
    );
    expect([result, isDone]).toEqual([what, isDone]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([jest.getTimerCount(), getEventListeners(signal, 'abort')]).toEqual([0, []]);
  });

  test('that is late is told so, and dropped', async () => {
    let given: AbortSignal | undefined;
    const late = withinDeadline((signal) => {
      given = signal;
      return never();
    }, 1000);
    const refused = expect(late).rejects.toMatchObject(unreachable('no answer within 1000 ms'));
    jest.advanceTimersByTime(999);
    expect(given?.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    await refused;
    expect(given?.aborted).toBe(true);
  });

  test('that nobody wants any more is told so, and not begun where it was not', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const unwanted = unreachable('the answer is no longer wanted');
    let begun = 0;
    const work = (until: AbortSignal) => {
      begun += 1;
      return new Promise<never>((_, reject) => {
        until.addEventListener('abort', () => reject(new Error('aborted')));
      });
    };
    const refused = expect(withinDeadline(work, 1000, signal)).rejects.toMatchObject(unwanted);
    controller.abort();
    await refused;
    await expect(withinDeadline(work, 1000, signal)).rejects.toMatchObject(unwanted);
    await new Promise((resolve) => setImmediate(resolve));
    expect([begun, jest.getTimerCount()]).toEqual([1, 0]);
  });
});
