import { describe, expect, test } from '@jest/globals';
import { ServerRequests } from '../../src/pep/server_requests.ts';

describe('the addresses that a client was sent to', () => {
  test('are each told of once, and of too many the oldest is forgotten', () => {
    const asked = new ServerRequests(2);
    for (const id of ['a', 'b', 'c']) asked.send(id);
    expect(['a', 'b', 'c', 'c'].map((id) => asked.complete(id))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('are as old as the last time, and one that is sent to again takes no room', () => {
    const asked = new ServerRequests(2);
    for (const id of ['a', 'b', 'b']) asked.send(id);
    expect(asked.complete('a')).toBe(true);
    for (const id of ['a', 'b', 'c']) asked.send(id);
    expect(['a', 'b', 'c'].map((id) => asked.complete(id))).toEqual([false, true, true]);
  });
});

test('what is not open can neither be told nor answered', () => {
  const asked = new ServerRequests(2);
  asked.tell('a');
  expect([asked.answer('a'), asked.settle('a')]).toEqual([false, false]);
});

test('of a connection that ended nothing is open, and nobody waits for an address', () => {
  const asked = new ServerRequests(2);
  const signal = asked.open('a');
  asked.tell('a');
  asked.send('b');
  asked.clear();
  expect(signal?.aborted).toBe(true);
  expect([asked.answer('a'), asked.complete('b')]).toEqual([false, false]);
});
