/** Row 6: arguments on which a rule that denies has an error, and so denies nothing. */
import { describe } from '@jest/globals';
import { foreignBundle, sceneOf } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { embedded } from '../pep/support/real.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, guardedHttp, guardedStdio } from './support/targets.ts';

/** Denies what is too much, where it can tell; what it has an error on is not too much. */
const DENYING = `package naive
result := {"decision": "deny"} if denied
else := {"decision": "allow"} if input.subject.id != "portcullis:nobody"
denied if input.resource.id == "secret"
denied if to_number(input.context.arguments.amount) > 100
`;

const point = async () => {
  const metadata = { arguments: { '*': [''] } };
  const bundle = await foreignBundle(DENYING, ['naive/result'], { metadata });
  return embedded((await sceneOf(bundle)).core);
};

const AMOUNTS = ['"much"', '"1e3 EUR"', '{"of": 1000}', '[1000]', 'true', '"0x3e9"'];

describeWithOpa('a sum that a rule cannot compare', () => {
  describe.each(AMOUNTS)('%s', (amount) => {
    const call = `{"name": "transfer", "arguments": {"amount": ${amount}}}`;
    const attack: Attack = ({ say }) =>
      say(`{"jsonrpc": "2.0", "id": "attack", "method": "tools/call", "params": ${call}}`);
    bypass(attack, {
      held: guardedDoors(),
      breached: {
        'a rule that denies, 1.x': guardedStdio(1, { point }),
        'a rule that denies, 2.x': guardedHttp(2, { point }),
      },
    });
  });
});
