/** Row 1: a JSON-RPC batch, into which guards that look at one message do not look. */
import { describe } from '@jest/globals';
import { callOf } from './support/bank.ts';
import { guardedLenients, naiveLenient } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, naiveHttp, type Said } from './support/targets.ts';

const done = { jsonrpc: '2.0', method: 'notifications/initialized' };
const BATCHES: [string, unknown[]][] = [
  ['after a lawful call', [callOf('balance', {}, 1), callOf('secret', {}, 2)]],
  ['alone', [callOf('secret')]],
  ['after a notification', [done, callOf('secret')]],
  ['under the id of a lawful one', [callOf('balance'), callOf('secret')]],
];
const NESTED: [string, unknown[]] = ['in a batch', [[callOf('balance', {}, 1), callOf('secret')]]];

/** A batch has no method, and passes. */
const namesTheSecret = (message: Said): boolean =>
  message.method === 'tools/call' && message.params.name === 'secret';
/** What is first in a batch stands for the rest. */
const beginsWithTheSecret = (message: Said): boolean => namesTheSecret([message].flat(9)[0]);

const looks = (refused: (message: Said) => boolean) => ({
  in: (message: Said): unknown => (refused(message) ? undefined : message),
});

describe.each(BATCHES)('a forbidden call in a batch, %s', (_where, batch) => {
  const attack: Attack = ({ say }) => say(JSON.stringify(batch));
  const check = ({ text }: { text: string }) => !namesTheSecret(JSON.parse(text));
  bypass(attack, {
    held: { ...guardedDoors(), ...guardedLenients() },
    breached: {
      'a guard that reads the method of a body': naiveHttp(1, { check }),
      'a guard that reads the method of a message': naiveLenient(looks(namesTheSecret)),
    },
  });
});

describe.each([BATCHES[0]!, BATCHES[2]!, NESTED])(
  'a forbidden call behind another, %s',
  (_, batch) => {
    const attack: Attack = ({ say }) => say(JSON.stringify(batch));
    bypass(attack, {
      held: { ...guardedLenients() },
      breached: {
        'a guard that reads the first of a batch': naiveLenient(looks(beginsWithTheSecret)),
      },
    });
  },
);
