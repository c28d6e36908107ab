/** What tests import of `@jest/globals`, in a process that Jest did not start (runner.ts). */
import { jestExpect } from '@jest/expect';
import { ModernFakeTimers } from '@jest/fake-timers';
import * as circus from 'jest-circus';

export const { afterAll, afterEach, beforeAll, beforeEach, describe, test } = circus;
export const expect = jestExpect;

type TimersConfig = ConstructorParameters<typeof ModernFakeTimers>[0]['config'];

/** Those of its members that a test in an area uses; whoever needs another adds it. */
const timers = new ModernFakeTimers({
  config: { fakeTimers: { enableGlobally: false }, rootDir: '' } as TimersConfig,
  global: globalThis,
});
export const jest = {
  useFakeTimers: timers.useFakeTimers.bind(timers),
  useRealTimers: timers.useRealTimers.bind(timers),
  advanceTimersByTime: timers.advanceTimersByTime.bind(timers),
  runAllTimers: timers.runAllTimers.bind(timers),
  getTimerCount: timers.getTimerCount.bind(timers),
};
