/** Row 7: a rule that denies by a field which is absent here: no argument, no registry entry. */
import { describe } from '@jest/globals';
import { z } from 'zod';
import { foreignBundle, sceneOf } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { embedded } from '../pep/support/real.ts';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { withData } from './support/policy.ts';
import { guardedDoors, guardedHttp, guardedStdio } from './support/targets.ts';

/** What is of high risk, and what is too much, is denied: of others nothing is known. */
const DENYING = `package naive
result := {"decision": "deny"} if denied
else := {"decision": "allow"} if input.subject.id != "portcullis:nobody"
denied if data.risk[input.resource.id] == "high"
denied if input.context.arguments.amount > 100
denied if input.resource.id == "secret"
`;

const naive = async () => {
  const metadata = { arguments: { '*': [''] } };
  const data = { risk: { balance: 'low', transfer: 'low' } };
  const bundle = await foreignBundle(DENYING, ['naive/result'], { metadata, data });
  return embedded((await sceneOf(bundle)).core);
};

/** A tool that nobody has put into the registry. */
const more = (server: HighServer, bank: Bank): void => {
  server.registerTool('wipe', { inputSchema: z.object({}) }, () => {
    bank.did('wipe', false);
    return said('wiped');
  });
};
/** Everything of the server is granted, as far as the registry vouches for it. */
const data = withData({ grants: [{ to: { group: 'tellers' }, on: 'tool:bank/*' }] });
const registered = withData({});
delete registered.registry['tool:bank/secret'];

const wipe: Attack = ({ say }) => say(JSON.stringify(callOf('wipe')));
const unsaid: Attack = ({ say }) => say(JSON.stringify(callOf('transfer')));

describeWithOpa('a rule that denies by what is not there', () => {
  describe('a tool without an entry in the registry', () => {
    bypass(wipe, {
      held: guardedDoors({ data: { ...data, registry: registered.registry }, more }),
      breached: { 'denied by its risk': guardedStdio(1, { point: naive, more }) },
    });
  });

  describe('a call without the argument that is bounded', () => {
    bypass(unsaid, {
      held: guardedDoors(),
      breached: { 'denied by its sum': guardedHttp(2, { point: naive }) },
    });
  });
});
