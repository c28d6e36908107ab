/**
 * Row 16: the guard starts anew, and what was decided before runs once more; or one request runs
 * twice. A retry is a new decision; what an approval allowed once is for the approvals to know.
 */
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, type Bank } from './support/bank.ts';
import { DATA, withData, OWNED } from './support/policy.ts';
import {
  guardedHttp,
  guardedStdio,
  naiveHttp,
  naiveStdio,
  type Open,
  type Said,
  type Victim,
} from './support/targets.ts';

const CALL = JSON.stringify(callOf('transfer', { amount: 1 }, 'once'));

/** What was done when the very same bytes came again after a restart. */
async function replayed(first: Open, second: Open): Promise<string[]> {
  const before = await first();
  await before.say(CALL);
  await before.close();
  expect(before.bank.done).toEqual(['transfer', 'balance']);
  const after = await second();
  await after.say(CALL);
  await after.close();
  return after.bank.done;
}

/** Tellers may ask for balances alone. */
const revoked = { data: { ...DATA, grants: DATA.grants.filter((grant) => !('within' in grant)) } };

/** A guard whose answers to requests outlive it. */
const decided = new Set<unknown>();
const remembering = (may: boolean) => ({
  in: (message: Said): unknown => {
    if (message.params?.name !== 'transfer') return message;
    if (may) decided.add(message.id);
    return decided.has(message.id) ? message : undefined;
  },
});

const DOORS: [string, (victim: Victim) => Open][] = [
  ['stdio, 1.x', (victim) => guardedStdio(1, victim)],
  ['stdio, 2.x', (victim) => guardedStdio(2, victim)],
  ['HTTP with sessions, 1.x', (victim) => guardedHttp(1, { ...victim, sessions: true })],
  ['HTTP, 2.x', (victim) => guardedHttp(2, victim)],
];

describe('a call that was allowed before a restart, and is no more', () => {
  test.each(DOORS)('is decided anew: %s', async (_door, open) => {
    expect(await replayed(open({}), open(revoked))).toEqual(['balance']);
  });

  test('can run by what was decided before', async () => {
    const open = (may: boolean) => naiveHttp(1, { looks: remembering(may) });
    expect(await replayed(open(true), open(false))).toContain('transfer');
  });
});

/** Under way until both requests have come. */
const more = (server: HighServer, bank: Bank): void => {
  server.registerTool('slow', { inputSchema: z.object({}) }, async () => {
    bank.did('slow', true);
    await new Promise((resolve) => bank.onTurn(() => resolve(undefined)));
    return said('done');
  });
};
const data = withData({
  registry: { 'tool:bank/slow': OWNED },
  grants: [{ to: { group: 'tellers' }, on: 'tool:bank/slow' }],
});

describe('a request that comes again while it is under way', () => {
  const timesDone = async (open: Open): Promise<number> => {
    const { bank, say, close } = await open();
    const message = JSON.stringify(callOf('slow', {}, 'once'));
    await say(`${message}\n${message}`);
    bank.turn();
    await close();
    return bank.done.filter((name) => name === 'slow').length;
  };

  test.each(DOORS.slice(0, 2))('runs once: %s', async (_door, open) => {
    expect(await timesDone(open({ data, more }))).toBe(1);
  });

  test('can run twice', async () => {
    expect(await timesDone(naiveStdio(1, { more }))).toBe(2);
  });
});
