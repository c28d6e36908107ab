/** A method that the guard does not know, and its server takes for one that it does. */
import { describe } from '@jest/globals';
import { callOf } from './support/bank.ts';
import { guardedLenients, lenientHttp, naiveLenient } from './support/lenient.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, type Said } from './support/targets.ts';

const METHODS = [
  'TOOLS/CALL',
  'Tools/Call',
  ' tools/call',
  'tools/call ',
  'tools/call\n',
  'tools/call\u00a0',
];

/** What is not the call of a tool is none of its business. */
const exact = {
  in: ({ method, ...message }: Said): unknown =>
    method === 'tools/call' && message.params.name === 'secret'
      ? undefined
      : { method, ...message },
};

describe.each(METHODS)('the method %j', (method) => {
  const attack: Attack = ({ say }) => say(JSON.stringify({ ...callOf('secret'), method }));
  bypass(attack, {
    held: { ...guardedLenients(), ...guardedDoors() },
    breached: { 'a guard that compares them': naiveLenient(exact) },
  });
});

describe('a method that is escaped', () => {
  const text = JSON.stringify(callOf('secret')).replace('tools/call', 'tools\\/c\\u0061ll');
  const attack: Attack = ({ say }) => say(text);
  bypass(attack, {
    held: { ...guardedLenients(), ...guardedDoors() },
    breached: {
      'a guard that searches the text': lenientHttp(
        (seen) => !seen.text.includes('tools/call"') || !seen.text.includes('secret'),
      ),
    },
  });
});
