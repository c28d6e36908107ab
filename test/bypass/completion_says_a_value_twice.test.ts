/** A completion gives one argument two values: policy looks at the one, the server at the other. */
import { describe, expect } from '@jest/globals';
import { completable as completable1 } from '@modelcontextprotocol/sdk/server/completable.js';
import { completable as completable2 } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { HighServer, Line } from '../pep/support/servers.ts';
import { CANARY, requestOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import { guardedDoors, naiveStdio, type Said } from './support/targets.ts';

/** A prompt about a box, whose codes it completes for the box that is known. */
const more = (server: HighServer, bank: Bank, line: Line): void => {
  const complete = (line === 1 ? completable1 : completable2) as Said;
  const box = complete(z.string(), (value: string, context: Said) => {
    const known: string = context?.arguments?.box ?? value;
    bank.did('complete', known !== 'secret');
    return [known === 'secret' ? CANARY : known];
  });
  const argsSchema = line === 1 ? { box } : z.object({ box });
  (server as Said).registerPrompt('about', { argsSchema }, () => ({ messages: [] }));
};
const on = 'prompt:bank/about';
const data = withData({
  registry: { [on]: OWNED },
  grants: [{ to: { group: 'tellers' }, on, within: { '/box': { one_of: ['open'] } } }],
});

const ref = { type: 'ref/prompt', name: 'about' };
const argument = { name: 'box', value: 'open' };

describe('a completion of the open box, in which the secret one is known', () => {
  const attack: Attack = async ({ bank, say }) => {
    const ask = (params: object) => say(JSON.stringify(requestOf('completion/complete', params)));
    await ask({ ref, argument });
    expect(bank.done).toContain('complete');
    await ask({ ref, argument, context: { arguments: { box: 'secret' } } });
  };
  const looks = {
    in: (message: Said): unknown =>
      message.params?.argument && message.params.argument.value !== 'open' ? undefined : message,
  };
  bypass(attack, {
    held: guardedDoors({ data, more }),
    breached: { 'a guard of the argument': naiveStdio(1, { looks, more }) },
  });
});
