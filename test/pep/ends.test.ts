/** Once a connection is closed nothing leaves it, and nothing of it is kept. */
import { expect, test } from '@jest/globals';
import { Ends } from '../../src/pep/ends.ts';
import { testParts } from './support/parts.ts';
import { questionOf } from './support/refusals.ts';

test('what is open between two ends goes with them', async () => {
  const sent: object[] = [];
  const ends = new Ends(testParts(), {
    toClient: async (message) => void sent.push(message),
    toServer: (message) => void sent.push(message),
  });
  const { asker } = questionOf('x');
  const wanted = ends.asked.open('q1');
  const own = ends.own.ask('m', {}, () => undefined);
  ends.subscriptions.add('file:///a', asker);
  await ends.toClient({ id: 1 });
  ends.toServer({ id: 2 });
  expect([sent, ends.subscriptions.asker('file:///a')]).toEqual([[{ id: 1 }, { id: 2 }], asker]);
  ends.close();
  await ends.toClient({ id: 3 });
  ends.toServer({ id: 4 });
  expect([sent.length, ends.closed, wanted?.aborted]).toEqual([2, true, true]);
  expect(ends.subscriptions.asker('file:///a')).toBeUndefined();
  await expect(own).rejects.toThrow('did not answer');
});
