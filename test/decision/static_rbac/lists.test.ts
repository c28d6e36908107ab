/** What a list says of each item: whether it is shown, for what reason and by which grants. */
import { expect, test } from '@jest/globals';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { decide } from '../../../src/decision/decide.ts';
import { judgeListing, type ListedText } from '../../../src/decision/listing.ts';
import type { CompleteInput } from '../../../src/decision/request.ts';
import type { StaticRbacPolicy } from '../../../src/decision/static_rbac/policy.ts';
import { inputOf, policyOf } from './fixture.ts';

const ROLES = `roles:
  keepers:
    grants:
      - {capability: 'tool:look', actions: [execute], decision: allow}
      - {capability: 'tool:reset', actions: [execute], decision: require_approval}
      - {capability: 'tool:wipe', actions: [execute], decision: deny}
      - {capability: 'resource:meter', actions: [read], decision: deny}
  guests:
    grants:
      - {capability: 'tool:greet', actions: [execute], decision: allow}
      - {capability: 'resource:meter', actions: [subscribe], decision: allow}
`;

function listOf(policy: StaticRbacPolicy, method: string, ...names: string[]): ListedText[] {
  const resources = names.map((name) => inputOf(name, []).resource as Resource);
  return policy.list(inputOf('tool:look', ['keepers'], { method }), resources);
}

test('each item has its reason, and the grants that decided it', async () => {
  const names = ['look', 'reset', 'wipe', 'greet', 'absent'].map((name) => `tool:${name}`);
  expect(listOf(await policyOf(ROLES), 'tools/list', ...names)).toStrictEqual([
    [true, 'ALLOWED', ['keepers/1']],
    [true, 'ALLOWED', ['keepers/2']],
    [false, 'POLICY_DENIED', ['keepers/3']],
    [false, 'CAPABILITY_NOT_ALLOWED', []],
    [false, 'CAPABILITY_NOT_ALLOWED', []],
  ]);
});

test('an item is hidden by the grant that denies it, and not for want of another one', async () => {
  const policy = await policyOf(ROLES);
  expect(listOf(policy, 'resources/list', 'resource:meter')).toEqual([
    [false, 'POLICY_DENIED', ['keepers/4']],
  ]);
});

test('in a list that the file denies, and in one that is not known, no grant decides', async () => {
  const policy = await policyOf(`_methods: {tools/list: deny}\n${ROLES}`);
  for (const method of ['tools/list', 'tools/lists']) {
    expect(listOf(policy, method, 'tool:look')).toEqual([[false, 'POLICY_DENIED', []]]);
  }
});

test('more grants that decide together than can be told of still decide', async () => {
  const grant = { capability: 'tool:look', actions: ['execute'], decision: 'allow' };
  const role = { grants: Array<object>(600).fill(grant) };
  const policy = await policyOf(JSON.stringify({ roles: { keepers: role, guests: role } }));
  const input = inputOf('tool:look', ['keepers', 'guests']) as CompleteInput;
  const told = [...Array(600).keys()].map((at) => `keepers/${at + 1}`);
  told.push(...[...Array(424).keys()].map((at) => `guests/${at + 1}`));
  expect(await decide('authzen', input, policy)).toMatchObject({ outcome: 'allow', rules: told });
  const listed = judgeListing(policy.list(input, [input.resource as unknown as Resource]), 1);
  expect(listed).toEqual([{ visible: true, reason_code: 'ALLOWED', rules: told }]);
});
