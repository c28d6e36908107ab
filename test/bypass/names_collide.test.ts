/** Row 13: two names that one reader holds for the same, and another does not. */
import { describe } from '@jest/globals';
import { z } from 'zod';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, type Bank } from './support/bank.ts';
import { guardedLenients, naiveLenient } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import { guardedDoors, naiveHttp, naiveStdio, type Check, type Said } from './support/targets.ts';

/** Spellings that a server may read as `secret`. */
const SPELLINGS = [
  'SECRET',
  'Secret',
  ' secret',
  'secret ',
  'secret\n',
  '\ufeffsecret',
  '\u00a0secret',
];

describe.each(SPELLINGS)('the name %j', (name) => {
  const attack: Attack = ({ say }) => say(JSON.stringify(callOf(name)));
  const exact = {
    in: (message: Said): unknown => (message.params?.name === 'secret' ? undefined : message),
  };
  bypass(attack, {
    held: { ...guardedLenients(), ...guardedDoors() },
    breached: { 'a guard that compares them': naiveLenient(exact) },
  });
});

/** Both become `pay_out` where what is no letter becomes a line. */
const twins = (server: HighServer, bank: Bank): void => {
  for (const name of ['pay_out', 'pay.out', 'pay-out']) {
    server.registerTool(name, { inputSchema: z.object({}) }, () => {
      bank.did(name, name === 'pay_out');
      return said('paid');
    });
  }
};
const twin_data = withData({
  registry: { 'tool:bank/pay_out': OWNED },
  grants: [{ to: { group: 'tellers' }, on: 'tool:bank/pay_out' }],
});
const escaped = {
  in: (message: Said): unknown => {
    const name = String(message.params?.name ?? 'balance').replace(/\W/g, '_');
    return ['pay_out', 'balance'].includes(name) ? message : undefined;
  },
};

describe.each(['pay.out', 'pay-out'])('the twin %s of an allowed name', (name) => {
  const attack: Attack = ({ say }) => say(JSON.stringify(callOf(name)));
  bypass(attack, {
    held: guardedDoors({ data: twin_data, more: twins }),
    breached: { 'a guard that escapes names': naiveStdio(1, { looks: escaped, more: twins }) },
  });
});

const CALL = JSON.stringify(callOf('balance'));
const DOUBLED: [string, string][] = [
  ['a name', CALL.replace('"name":"balance"', '"name":"balance","name":"secret"')],
  [
    'a name that is escaped',
    CALL.replace('"name":"balance"', '"name":"balance","\\u006eame":"secret"'),
  ],
  [
    'params',
    CALL.replace('"params"', '"params":{"name":"balance"},"params"').replace(
      /balance(?!.*balance)/,
      'secret',
    ),
  ],
];

describe.each(DOUBLED)('a member twice: %s', (_what, text) => {
  const attack: Attack = ({ say }) => say(text);
  /** The first is the one that it finds. */
  const first: Check = (seen) => /"name":"(\w+)"/.exec(seen.text)?.[1] === 'balance';
  bypass(attack, {
    held: guardedDoors(),
    breached: { 'a guard that reads the first': naiveHttp(1, { check: first }) },
  });
});
