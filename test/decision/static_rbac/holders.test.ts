/** Who has a role, and what a grant speaks of. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { askerOf } from '../../../src/decision/static_rbac/findings.ts';
import { readRbac } from '../../../src/decision/static_rbac/model.ts';
import { METHODS } from '../../../src/pep/methods.ts';
import { inputOf, policyOf } from './fixture.ts';

describe('R14: who has a role', () => {
  const YAML = `roles:
  keepers:
    grants: [{capability: 'tool:reset', actions: [execute], decision: allow}]
bindings: {keepers: ['user:ann@example.com', 'group:night', 'group:user:x']}
`;

  test.each<[id: string, groups: unknown, decision: string]>([
    ['user:bob@example.com', ['keepers'], 'allow'],
    ['user:bob@example.com', ['a', 'keepers', 'b'], 'allow'],
    ['user:bob@example.com', ['Keepers'], 'deny'],
    ['user:bob@example.com', [], 'deny'],
    ['user:ann@example.com', [], 'allow'],
    ['user:ann@example.com', undefined, 'allow'],
    ['user:ANN@example.com', [], 'deny'],
    ['user:bob@example.com', ['night'], 'allow'],
    ['group:night', [], 'deny'],
    ['user:bob@example.com', ['user:ann@example.com'], 'deny'],
    ['user:x', [], 'deny'],
    ['keepers', [], 'deny'],
  ])('%s in %j: %s', async (id, groups, decision) => {
    const policy = await policyOf(YAML);
    const subject = { id, properties: groups === undefined ? {} : { groups } };
    expect(policy.evaluate(inputOf('tool:reset', [], { subject }))).toMatchObject({ decision });
  });

  test.each([['keepers'], ['roles'], ['claimed']])(
    'what is only claimed (%s) is no role',
    async (member) => {
      const policy = await policyOf(YAML);
      const claim = { groups: ['keepers'], roles: ['keepers'], role: 'keepers', keepers: true };
      const input = inputOf('tool:reset', [], { context: { claimed: claim, [member]: claim } });
      expect(policy.evaluate(input)).toMatchObject({ decision: 'deny', visible: false });
    },
  );

  test('who is in no group has the roles that the file binds, and no other', async () => {
    const result = readRbac(
      { roles: { keepers: { grants: [] } }, bindings: { keepers: ['user:ann@example.com'] } },
      METHODS,
    );
    if (!result.ok) throw new Error(result.fault.problem);
    const rolesOf = (id: string) => {
      const asker = askerOf(result.value, { subject: { id }, action: {}, context: {} });
      return 'fault' in asker ? asker.fault : asker.roles;
    };
    expect(rolesOf('user:ann@example.com')).toEqual(new Set(['keepers']));
    expect(rolesOf('user:bob@example.com')).toEqual(new Set());
  });

  test('somebody without an id, or with one that is no text, decides nothing', async () => {
    const policy = await policyOf(YAML);
    for (const id of [undefined, null, 7, ['user:ann@example.com']]) {
      expect(policy.evaluate(inputOf('tool:reset', ['keepers'], { subject: { id } }))).toEqual({
        decision: 'deny',
        errors: ['the subject has no id'],
      });
    }
  });

  test('groups that are no list of texts decide nothing', async () => {
    const policy = await policyOf(YAML);
    for (const groups of ['keepers', { keepers: true }, [['keepers']], ['keepers', 1], null]) {
      const input = inputOf('tool:reset', groups);
      const odd = { decision: 'deny', errors: ['the groups are no list of texts'] };
      expect([policy.evaluate(input), policy.list(input, [input.resource as Resource])]).toEqual([
        odd,
        [[false, 'POLICY_INDETERMINATE', []]],
      ]);
    }
  });
});

describe('a capability', () => {
  const YAML = `roles:
  keepers:
    grants:
      - {capability: 'tool:reset', server: meters, actions: [execute], decision: allow}
      - {capability: 'resource:file:///a:b', actions: [read], decision: allow}
      - {capability: 'tool:wipe', server: meters, actions: [execute], decision: deny}
      - {capability: 'tool:wipe', actions: [execute], decision: allow}
`;
  const at = (server: unknown) => ({ resource: { properties: { server } } });

  test.each<[capability: string, server: unknown, decision: string]>([
    ['tool:reset', 'meters', 'allow'],
    ['tool:reset', 'ledger', 'deny'],
    ['tool:reset', undefined, 'deny'],
    ['tool:Reset', 'meters', 'deny'],
    ['tool:reset ', 'meters', 'deny'],
    ['prompt:reset', 'meters', 'deny'],
    ['resource:file:///a:b', 'ledger', 'allow'],
    ['resource:file:///a', 'ledger', 'deny'],
    ['tool:wipe', 'ledger', 'allow'],
    ['tool:wipe', 'meters', 'deny'],
    ['tool:wipe', undefined, 'deny'],
    ['tool:wipe', 7, 'deny'],
  ])('%s of %s: %s', async (capability, server, decision) => {
    const policy = await policyOf(YAML);
    expect(policy.evaluate(inputOf(capability, ['keepers'], at(server)))).toMatchObject({
      decision,
    });
  });

  test('one without type or name decides nothing', async () => {
    const policy = await policyOf(YAML);
    for (const resource of [
      { type: 'tool', id: 1 },
      { type: null, id: 'reset' },
    ]) {
      expect(policy.evaluate(inputOf('tool:reset', ['keepers'], { resource }))).toMatchObject({
        errors: ['the resource has no type or no id'],
      });
    }
  });
});
