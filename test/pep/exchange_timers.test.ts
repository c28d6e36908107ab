/** Of a cancelled request nothing is kept longer than it counts. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Exchange, Exchanges } from '../../src/pep/exchange.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

function opened(exchanges: Exchanges, id: number): Exchange {
  const arrival = {
    request: { kind: 'request' as const, id, method: 'm', params: {} },
    era: 'legacy' as const,
    extra: undefined,
    claims: {},
    offers: {},
    trusted: undefined,
  };
  const exchange = new Exchange(arrival, exchanges.nextId());
  exchanges.add(exchange);
  return exchange;
}

/** A request that the server has and nobody waits for any more. */
function abandoned(exchanges: Exchanges, id: number): Exchange {
  const exchange = opened(exchanges, id);
  void exchange.forward(() => undefined);
  exchanges.abandon(exchange);
  return exchange;
}

test('answered, it is forgotten at once', () => {
  const exchanges = new Exchanges(1000);
  const { server_id } = abandoned(exchanges, 1);
  expect([exchanges.size, jest.getTimerCount()]).toEqual([1, 1]);
  exchanges.release('nobody');
  expect([exchanges.size, jest.getTimerCount()]).toEqual([1, 1]);
  exchanges.release(server_id);
  expect([exchanges.size, jest.getTimerCount()]).toEqual([0, 0]);
});

test('closing forgets it', () => {
  const exchanges = new Exchanges(1000);
  abandoned(exchanges, 1);
  abandoned(exchanges, 2);
  const { signal } = opened(exchanges, 3);
  expect([exchanges.size, jest.getTimerCount()]).toEqual([3, 2]);
  exchanges.cancelAll();
  expect([exchanges.size, jest.getTimerCount()]).toEqual([0, 0]);
  expect([signal.aborted, exchanges.get(3)]).toEqual([true, undefined]);
});

test('it counts on until its time is over, done or not', () => {
  const exchanges = new Exchanges(1000);
  const exchange = abandoned(exchanges, 1);
  exchanges.remove(exchange);
  jest.advanceTimersByTime(999);
  expect(exchanges.size).toBe(1);
  jest.advanceTimersByTime(1);
  expect([exchanges.size, jest.getTimerCount()]).toEqual([0, 0]);
});

test('those that listen are told apart', () => {
  const exchanges = new Exchanges(1000);
  opened(exchanges, 1);
  const listener = opened(exchanges, 2);
  listener.listening = {};
  expect(exchanges.listening()).toEqual([listener]);
});
