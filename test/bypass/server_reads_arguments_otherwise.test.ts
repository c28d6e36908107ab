/** Arguments that policy does not see and the server fills in, or sees and the server converts. */
import { describe, expect } from '@jest/globals';
import { z } from 'zod';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, LIMIT, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, naiveStdio, type Said } from './support/targets.ts';
import { OWNED, withData } from './support/policy.ts';

/** All that is left is sent where no sum is said; what is said is made a number. */
const more = (server: HighServer, bank: Bank): void => {
  const inputSchema = z.object({ amount: z.coerce.number().default(1_000) }).loose();
  server.registerTool('send', { inputSchema }, (args) => {
    bank.did('send', (args as Said).amount <= LIMIT);
    return said('sent');
  });
};
const data = withData({
  registry: { 'tool:bank/send': OWNED },
  grants: [
    { to: { group: 'tellers' }, on: 'tool:bank/send', within: { '/amount': { at_most: LIMIT } } },
  ],
});

/** A sum that it sees is compared. */
const compares = {
  in: (message: Said): unknown => {
    const amount: unknown = message.params?.arguments?.amount;
    return message.params?.name === 'send' && typeof amount === 'number' && amount > LIMIT
      ? undefined
      : message;
  },
};

const ARGUMENTS = [
  '{}',
  '{"amount": "1000"}',
  '{"amount": [1000]}',
  '{"amount": "1e3"}',
  '{"Amount": 1}',
  '{"amount ": 1}',
];

describe.each(ARGUMENTS)('send %s', (args) => {
  const text = JSON.stringify(callOf('send')).replace('"arguments":{}', `"arguments":${args}`);
  const attack: Attack = async ({ bank, say }) => {
    await say(JSON.stringify(callOf('send', { amount: 1 })));
    expect(bank.done).toContain('send');
    await say(text);
  };
  bypass(attack, {
    held: guardedDoors({ data, more }),
    breached: { 'a guard that compares numbers': naiveStdio(1, { looks: compares, more }) },
  });
});
