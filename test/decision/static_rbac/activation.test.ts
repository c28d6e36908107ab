/** A file of roles is put in force, or refused, and either is on record. */
import { expect, test } from '@jest/globals';
import { PortcullisError } from '../../../src/errors.ts';
import { evidenceOnDisk } from '../../support/decisions.ts';
import { fileOf, policyAt } from './fixture.ts';

/** What reading and trying a file ends with. */
async function errorOf(run: Promise<unknown>): Promise<PortcullisError | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    if (error instanceof PortcullisError) return error;
    throw error;
  }
}

test('a file that says what it may not is refused by its place, off the record', async () => {
  const { evidence, read } = await evidenceOnDisk();
  const path = fileOf('roles: {}\nbindings: {keepers: []}\n');
  expect(await errorOf(policyAt(path, evidence))).toMatchObject({
    code: 'RBAC_INVALID',
    pointer: '/bindings/keepers',
  });
  expect(await read()).toEqual([]);
});

test('R14, X-09: a file that lets nobody in is refused, and that is recorded', async () => {
  const { evidence, read } = await evidenceOnDisk();
  const path = fileOf(`roles:
  all: {grants: [{capability: 'tool:portcullis:nothing', actions: [execute], decision: allow}]}
bindings: {all: ['portcullis:nobody']}
`);
  expect(await errorOf(policyAt(path, evidence))).toMatchObject({
    code: 'BUNDLE_REFUSED',
    message: 'the policy does not deny nobody: allow',
  });
  expect(await read()).toMatchObject([
    {
      kind: 'activation',
      status: 'refused',
      detail: 'BUNDLE_REFUSED: the policy does not deny nobody: allow',
    },
  ]);
});

test('a file that is in force is on record with the digest of its bytes', async () => {
  const { evidence, read } = await evidenceOnDisk();
  const policy = await policyAt(fileOf('roles: {}\n'), evidence);
  expect(await read()).toMatchObject([
    { kind: 'activation', status: 'activated', policy: policy.identity },
  ]);
});
