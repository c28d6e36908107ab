/** Of a cancelled request nothing is kept longer than it counts. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Exchange, Exchanges } from '../../src/pep/exchange.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A request that the server has and nobody waits for any more. */
function abandoned(exchanges: Exchanges, id: number): Exchange {
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
  exchanges.cancelAll();
  expect([exchanges.size, jest.getTimerCount()]).toEqual([0, 0]);
});
