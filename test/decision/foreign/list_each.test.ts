/** A list that is asked for item by item. */
import { expect, test } from '@jest/globals';
import { listEach } from '../../../src/decision/foreign/list_each.ts';

test('of nothing is nothing', async () => {
  expect(await listEach([], () => Promise.resolve(true))).toEqual([]);
});

test('has each item in its place, whichever answer came first', async () => {
  const items = Array.from({ length: 20 }, (_, at) => at);
  const listed = await listEach(items, async (item) => {
    for (let turn = item; turn < 20; turn += 1) await Promise.resolve();
    return item % 3 === 0;
  });
  expect(listed.map(([visible]) => visible)).toEqual(items.map((item) => item % 3 === 0));
});

test('rejects with a question that gets no answer, and asks no more', async () => {
  const items = Array.from({ length: 100 }, (_, at) => at);
  const asked: number[] = [];
  const held = Promise.withResolvers<boolean>();
  const listed = listEach(items, (item) => {
    asked.push(item);
    return item === 3 ? Promise.reject(new Error('gone')) : held.promise;
  });
  await expect(listed).rejects.toThrow('gone');
  const before = asked.length;
  held.resolve(true);
  await held.promise;
  await new Promise(setImmediate);
  expect(asked).toHaveLength(before);
  expect(before).toBeLessThan(10);
});
