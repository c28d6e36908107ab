/** A tool that nobody knew of when the guard was set up, or that the server does not list. */
import { describe } from '@jest/globals';
import { CallToolRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { said, type HighServer, type Line } from '../pep/support/servers.ts';
import { callOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import {
  guardedDoors,
  guardedHttp,
  guardedStdio,
  naiveHttp,
  naiveStdio,
  type Said,
} from './support/targets.ts';

/** Its rules name what may not be called, of what it saw when it was made. */
const looks = {
  in: (message: Said): unknown => (message.params?.name === 'secret' ? undefined : message),
};

const later = (server: HighServer, bank: Bank): void => {
  bank.onTurn(() =>
    server.registerTool('backdoor', { inputSchema: z.object({}) }, () => {
      bank.did('backdoor', false);
      return said('open');
    }),
  );
};
const afterTurn: Attack = async ({ bank, say }) => {
  bank.turn();
  await say(JSON.stringify(callOf('backdoor')));
};

describe('a tool that appears while the server runs', () => {
  bypass(afterTurn, {
    held: guardedDoors({ more: later }),
    breached: { 'a guard that denies by name': naiveStdio(1, { looks, more: later }) },
  });
});

/** It takes a name that it does not list, as one for its makers. */
const unlisted = (server: HighServer, bank: Bank, line: Line): void => {
  const low = server.server as { setRequestHandler(of: unknown, handler: Said): void };
  low.setRequestHandler(line === 1 ? CallToolRequestSchema : 'tools/call', ({ params }: Said) => {
    bank.did(params.name, params.name === 'balance');
    return said('done');
  });
};
/** Whatever it has is granted, and the registry vouches for the name. */
const data = withData({
  registry: { 'tool:bank/debug': OWNED },
  grants: [{ to: { group: 'tellers' }, on: 'tool:bank/debug' }],
});

describe('a tool that is called and was never listed', () => {
  const attack: Attack = ({ say }) => say(JSON.stringify(callOf('debug')));
  bypass(attack, {
    held: {
      ...guardedDoors({ data, more: unlisted }),
      stdio: guardedStdio(1, { more: unlisted }),
      HTTP: guardedHttp(2, { more: unlisted }),
    },
    breached: { 'a guard that denies by name': naiveHttp(1, { looks, more: unlisted }) },
  });
});
