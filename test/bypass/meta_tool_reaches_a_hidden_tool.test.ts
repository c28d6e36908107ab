/**
 * Row 4: a tool that searches tools and one that calls others by name. The guard sees one lawful
 * call; what it reaches inside is asked about by the handler, or bounded by a region of arguments.
 */
import { describe } from '@jest/globals';
import { z } from 'zod';
import { decisionOf } from '../../src/pep/call_context.ts';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, CANARY, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import { guardedDoors, guardedHttp, guardedStdio } from './support/targets.ts';

type May = (tool: string, extra: unknown) => Promise<boolean>;
const asks: May = async (tool, extra) => (await decisionOf(extra)?.check('tool', tool)) === true;
const asksNobody: May = async () => true;

const ABOUT = { balance: 'a balance', secret: CANARY };

const withMeta = (may: May) => (server: HighServer, bank: Bank) => {
  const inputSchema = z.object({}).loose();
  server.registerTool('search', { inputSchema }, async (_args, extra) => {
    const shown = [];
    for (const [name, about] of Object.entries(ABOUT)) {
      if (await may(name, extra)) shown.push(about);
    }
    return said(JSON.stringify(shown));
  });
  server.registerTool('dispatch', { inputSchema }, async (args, extra) => {
    const { tool } = args as { tool: string };
    if (!(await may(tool, extra))) return said('no such tool');
    bank.did(tool, tool === 'balance');
    return said('done');
  });
};

const granting = (grant: object) =>
  withData({
    registry: { 'tool:bank/search': OWNED, 'tool:bank/dispatch': OWNED },
    grants: [
      { to: { group: 'tellers' }, on: 'tool:bank/search' },
      { to: { group: 'tellers' }, on: 'tool:bank/dispatch', ...grant },
    ],
  });

const search: Attack = ({ say }) => say(JSON.stringify(callOf('search')));
const dispatch: Attack = async ({ say }) => {
  await say(JSON.stringify(callOf('dispatch', { tool: 'balance' })));
  await say(JSON.stringify(callOf('dispatch', { tool: 'secret' })));
};

const asking = { data: granting({}), more: withMeta(asks) };
const heedless = { data: granting({}), more: withMeta(asksNobody) };

describe.each<[string, Attack]>([
  ['search', search],
  ['dispatch', dispatch],
])('%s in a guarded server', (_tool, attack) => {
  bypass(attack, {
    held: guardedDoors(asking),
    breached: {
      'its handler asks nobody, 1.x': guardedStdio(1, heedless),
      'its handler asks nobody, 2.x': guardedHttp(2, heedless),
    },
  });
});

describe('dispatch of a handler that asks nobody', () => {
  const within = { '/tool': { one_of: ['balance'] } };
  bypass(dispatch, {
    held: guardedDoors({ ...heedless, data: granting({ within }) }),
    breached: { 'a policy that looks at the name of the tool': guardedStdio(1, heedless) },
  });
});
