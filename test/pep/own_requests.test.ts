/** What the guard asks a server itself: answered or not, nothing of it stays. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { OwnRequests } from '../../src/pep/own_requests.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

const ID = 'portcullis:x';
const asked = (answer: (own: OwnRequests) => void) => {
  const own = new OwnRequests({ id: () => 'x' }, 1000);
  const body = own.ask('tools/list', {}, () => undefined).catch((error: Error) => error.message);
  answer(own);
  return { own, body };
};

test('an answer is taken once, and leaves no timer', async () => {
  const answer = { kind: 'answer' as const, id: ID, body: { result: 1 } };
  const { own, body } = asked((asking) => asking.take(answer));
  expect(await body).toEqual({ result: 1 });
  expect([own.take(answer), jest.getTimerCount()]).toEqual([false, 0]);
});

test.each<[string, (own: OwnRequests) => void]>([
  ['in time', () => jest.advanceTimersByTime(1000)],
  ['before the end', (own) => own.close()],
])('without an answer %s it fails, and leaves no timer', async (_when, end) => {
  const { body } = asked(end);
  expect(await body).toBe('the server did not answer the guard');
  expect(jest.getTimerCount()).toBe(0);
});
