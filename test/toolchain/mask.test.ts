import { expect, test } from '@jest/globals';
import { buildPolicy } from '../../src/toolchain/build.ts';
import { describeWithOpa, opa, policyOf } from '../support/toolchain.ts';
import { ALLOW, FILE, rule } from './refusals/refusal.ts';

const MASK = `package system.log

import data.masked.names

mask contains "/input/subject/id"

mask contains {"op": "upsert", "path": "/input/context/arguments/iban", "value": "***"} if {
	input.input.context.arguments.iban
	input.input.resource.id in names
}
`;
const NAMES = 'package masked\n\nnames := {"transfer"}\n';

describeWithOpa('the mask of a policy', () => {
  test('is an entrypoint of the bundle, with what it uses', async () => {
    const files = { [FILE]: rule(ALLOW), 'system/log.rego': MASK, 'masked.rego': NAMES };
    const { metadata } = await buildPolicy(opa, policyOf(files));
    expect(metadata.mask).toBe('system/log/mask');
  });

  test('is one beside the entrypoint of another contract', async () => {
    const files = {
      'authz.rego': 'package authz\n\ndefault allow := false\n\nallow if input.subject.id == "a"\n',
      'system/log.rego': MASK,
      'masked.rego': NAMES,
    };
    const { metadata } = await buildPolicy(opa, policyOf(files), { entrypoint: 'authz/allow' });
    expect(metadata).toMatchObject({ entrypoint: 'authz/allow', mask: 'system/log/mask' });
  });

  test.each([
    ['misspells its rule', 'msk contains "/input/subject/id"', 'no rule uses package system.log'],
    [
      'misspells a member of the request',
      'mask contains "/input/subject/id" if input.input.subject.idd',
      'the request has no `input.subject.idd`',
    ],
  ])('that %s is refused', async (_what, body, problem) => {
    const files = { [FILE]: rule(ALLOW), 'system/log.rego': `package system.log\n\n${body}\n` };
    await expect(buildPolicy(opa, policyOf(files))).rejects.toThrow(problem);
  });
});
