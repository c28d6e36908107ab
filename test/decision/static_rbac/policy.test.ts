/** A file of roles behind the core: methods, what is visible, and what an operator is told. */
import { describe, expect, test } from '@jest/globals';
import type { Resource } from '../../../src/contract/types.gen.ts';
import type { StaticRbacPolicy } from '../../../src/decision/static_rbac/policy.ts';
import { callOf, CALLER, contextOf, STRANGER } from '../../support/decisions.ts';
import { fileOf, inputOf, policyOf, rbacScene } from './fixture.ts';

const ROLES = `roles:
  keepers:
    grants:
      - {capability: 'tool:look', actions: [execute], decision: allow}
      - {capability: 'tool:reset', actions: [execute], decision: require_approval}
      - capability: tool:count
        actions: [execute]
        decision: allow
        constraints: {actor_required: automation}
      - {capability: 'tool:wipe', actions: [execute], decision: deny}
      - capability: tool:drill
        actions: [execute]
        decision: allow
        constraints: {environment: staging}
      - {capability: 'tool:known', actions: [list], decision: allow}
      - {capability: 'tool:secret', actions: [execute], decision: allow}
      - {capability: 'tool:secret', actions: [list], decision: deny}
      - {capability: 'resource:meter', actions: [read], decision: deny}
      - {capability: 'resource:meter', actions: [subscribe], decision: allow}
      - {capability: 'resource_template:meter/{id}', actions: [list], decision: allow}
      - {capability: 'prompt:explain', actions: [get, complete], decision: allow}
      - {capability: 'mcp_server:meters', actions: [create], decision: allow}
      - {capability: 'task:t1', actions: [read], decision: allow}
`;

async function ask(
  yaml: string,
  capability: string,
  method?: string,
  groups: string[] = ['keepers'],
): Promise<object> {
  const policy = await policyOf(yaml);
  return policy.evaluate(inputOf(capability, groups, method === undefined ? {} : { method }));
}

function listed(policy: StaticRbacPolicy, method: string, ...capabilities: string[]): string[] {
  const resources = capabilities.map((name) => inputOf(name, []).resource as Resource);
  const input = { ...inputOf('tool:look', ['keepers'], { method }), resource: {} };
  const items = policy.list(input, resources);
  return capabilities.filter((_, at) => items[at]?.[0]);
}

describe('methods (R8)', () => {
  const deny = (name: string) => `_methods: {'${name}': deny, _other: deny}\n${ROLES}`;

  test('what is not named is handled as the method table says', async () => {
    const yaml = `_methods: {tools/call: evaluate, _other: deny}\n${ROLES}`;
    expect(await ask(yaml, 'tool:look')).toMatchObject({ decision: 'allow' });
    expect(await ask(yaml, 'prompt:explain', 'prompts/get')).toMatchObject({ decision: 'allow' });
    expect(await ask(yaml, 'prompt:explain', 'completion/complete')).toMatchObject({
      decision: 'allow',
    });
    expect(await ask(yaml, 'task:t1', 'tasks/get')).toMatchObject({ decision: 'allow' });
    expect(listed(await policyOf(yaml), 'tools/list', 'tool:look', 'tool:wipe')).toEqual([
      'tool:look',
    ]);
    expect(
      listed(await policyOf(yaml), 'resources/templates/list', 'resource_template:meter/{id}'),
    ).toEqual(['resource_template:meter/{id}']);
  });

  test('a method that the file denies is denied, and nothing is listed for it', async () => {
    expect(await ask(deny('tools/call'), 'tool:look')).toEqual({
      decision: 'deny',
      visible: false,
      constraints: {},
      rules: [],
    });
    expect(listed(await policyOf(deny('tools/call')), 'tools/list', 'tool:look')).toEqual([]);
    expect(await ask(deny('completion/complete'), 'prompt:explain', 'completion/complete')).toEqual(
      expect.objectContaining({ decision: 'deny', visible: true }),
    );
    expect(await ask(deny('tasks/get'), 'task:t1', 'tasks/get')).toMatchObject({
      decision: 'deny',
    });
  });

  test('a list that the file denies is empty', async () => {
    const policy = await policyOf(deny('tools/list'));
    expect(listed(policy, 'tools/list', 'tool:look')).toEqual([]);
    expect(listed(policy, 'prompts/list', 'prompt:explain')).toEqual(['prompt:explain']);
    expect(policy.evaluate(inputOf('tool:look', ['keepers']))).toMatchObject({ decision: 'allow' });
  });

  test.each(['initialize', 'ping', 'server/discover', 'notifications/initialized'])(
    'no file cuts %s, for nobody',
    async (method) => {
      const yaml = `_methods: {_other: deny}\n${ROLES}`;
      expect(await ask(yaml, 'mcp_server:meters', method, [])).toMatchObject({
        decision: 'allow',
        visible: true,
      });
      expect(await ask(yaml, 'tool:look', method)).toMatchObject({ decision: 'deny' });
    },
  );

  test.each(['tools/exec', 'Tools/Call', 'tools/call ', 'constructor', '', '_other'])(
    'the method %j is not known, and denied',
    async (method) => {
      expect(await ask(ROLES, 'tool:look', method)).toMatchObject({
        decision: 'deny',
        reason_code: 'UNKNOWN_METHOD_DENIED',
      });
      expect(listed(await policyOf(ROLES), method, 'tool:look')).toEqual([]);
    },
  );

  test.each([
    ['tool:look', 'resources/read'],
    ['resource:meter', 'tools/call'],
    ['tool:look', 'prompts/get'],
    ['task:t1', 'resources/read'],
    ['mcp_server:meters', 'tools/call'],
  ])('a %s is nothing for %s', async (capability, method) => {
    expect(await ask(ROLES, capability, method)).toMatchObject({ decision: 'deny', rules: [] });
  });

  test('what a server asks of its client is decided by the grants on the server', async () => {
    const method = 'sampling/createMessage';
    expect(await ask(ROLES, 'mcp_server:meters', method)).toMatchObject({ decision: 'allow' });
    expect(await ask(ROLES, 'mcp_server:meters', 'roots/list')).toMatchObject({
      decision: 'deny',
    });
  });

  test('R16: the word of an action is that of its method, whatever the request says', async () => {
    const policy = await policyOf(ROLES);
    const input = inputOf('tool:look', ['keepers']);
    const said = (verb: unknown) => ({
      ...input,
      action: { name: 'tools/call', properties: { verb } },
    });
    expect(policy.evaluate(said('execute'))).toMatchObject({ decision: 'allow' });
    for (const verb of ['read', 'list', '', null, 1]) {
      expect(policy.evaluate(said(verb))).toEqual({
        decision: 'deny',
        errors: ['the verb is not that of the method'],
      });
    }
  });
});

describe('a list', () => {
  test('R11: shows what some actor could be allowed there, or get an approval for', async () => {
    const tools = ['look', 'reset', 'count', 'wipe', 'drill', 'known', 'secret', 'absent'];
    const names = tools.map((name) => `tool:${name}`);
    const policy = await policyOf(ROLES);
    expect(listed(policy, 'tools/list', ...names)).toEqual([
      'tool:look',
      'tool:reset',
      'tool:count',
      'tool:known',
    ]);
    expect(listed(policy, 'resources/list', 'resource:meter', 'resource:other')).toEqual([
      'resource:meter',
    ]);
  });

  test('shows everything that can be called, and what it hides cannot be called', async () => {
    const policy = await policyOf(ROLES);
    const secret = policy.evaluate(inputOf('tool:secret', ['keepers']));
    expect(secret).toMatchObject({ decision: 'deny', visible: false, rules: ['keepers/8'] });
    const read = policy.evaluate(inputOf('resource:meter', ['keepers']));
    expect(read).toMatchObject({ decision: 'deny', visible: true, rules: ['keepers/9'] });
  });

  test('is empty for nobody', async () => {
    const policy = await policyOf(ROLES);
    const { resource } = inputOf('tool:look', []);
    expect(policy.list(inputOf('tool:look', []), [resource as Resource])).toEqual([
      [false, 'CAPABILITY_NOT_ALLOWED', []],
    ]);
  });
});

describe('an operator is told', () => {
  test.each<[capability: string, groups: string[], why: string]>([
    ['tool:look', ['keepers'], 'keepers/1 decides (allow)'],
    ['tool:look', ['guests'], 'keepers/1: the role is not held'],
    ['tool:drill', ['keepers'], 'keepers/5: another environment'],
    ['tool:known', ['keepers'], 'keepers/6: another action'],
    ['tool:secret', ['keepers'], 'keepers/8 decides (deny); keepers/7: outranked, allow'],
    ['tool:absent', ['keepers'], 'no grant speaks of this capability'],
    ['tool:look', [], 'keepers/1: the role is not held'],
  ])('of %s by %j: %s', async (capability, groups, why) => {
    expect((await policyOf(ROLES)).explain(inputOf(capability, groups))).toBe(why);
  });

  test('what decided without any grant', async () => {
    const policy = await policyOf(`_methods: {prompts/get: deny}\n${ROLES}`);
    const why = (capability: string, method: string, groups: unknown = ['keepers']) =>
      policy.explain(inputOf(capability, groups, { method }));
    expect(why('prompt:explain', 'prompts/get')).toBe('_methods denies prompts/get');
    expect(why('prompt:explain', 'prompts/take')).toBe('the method is not known');
    expect(why('prompt:explain', 'tools/call')).toBe('the method does not act on such a thing');
    expect(why('tool:look', 'tools/call', 'keepers')).toBe('the groups are no list of texts');
    expect(why('mcp_server:meters', 'ping')).toBe("the method is the protocol's own");
  });

  test('where it is not known, which grant that concerns', async () => {
    const policy = await policyOf(
      `roles:
  a:
    grants:
      - capability: tool:look
        actions: [execute]
        decision: deny
        constraints: {environment: x}
`,
    );
    const input = inputOf('tool:look', ['a'], { context: { environment: {} } });
    expect(policy.explain(input)).toBe('a/1 decides (deny); a/1: it is not known where');
  });

  test('whether the server or the environment of a grant that allows is another', async () => {
    const policy = await policyOf(
      `roles:
  a:
    grants:
      - capability: tool:look
        server: meters
        actions: [execute]
        decision: allow
        constraints: {environment: x}
`,
    );
    const why = (server: unknown, deployment: unknown) => {
      const resource = { properties: { server } };
      const context = { environment: { deployment } };
      return policy.explain(inputOf('tool:look', ['a'], { resource, context }));
    };
    expect(why('meters', 'x')).toBe('a/1 decides (allow)');
    expect(why('ledger', 'x')).toBe('a/1: another server');
    expect(why(undefined, 'x')).toBe('a/1: another server');
    expect(why('meters', 'y')).toBe('a/1: another environment');
    expect(why('meters', undefined)).toBe('a/1: another environment');
  });

  test('in the evidence, which names the deciding grant, and not the caller', async () => {
    const { core, records } = await rbacScene(fileOf(ROLES));
    const subject = {
      type: 'identity',
      id: 'user:carol@example.com',
      properties: { groups: ['keepers'], actor_type: 'automation' },
    } as const;
    const asked = ['look', 'reset', 'wipe', 'count', 'absent'].map((id) => ({
      ...callOf({ arguments: {} }, { id }),
      subject,
    }));
    const told: object[] = [];
    for (const request of asked) {
      const answer = await core.evaluation(request, CALLER);
      told.push(contextOf(answer));
      expect(JSON.stringify(answer.body)).not.toContain('keepers');
    }
    expect(told).toMatchObject([
      { outcome: 'allow', visible: true, reason_code: 'ALLOWED' },
      { outcome: 'require_approval', visible: true, reason_code: 'APPROVAL_REQUIRED' },
      { outcome: 'deny', visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED' },
      { outcome: 'allow', visible: true, constraints: { actor_required: 'automation' } },
      { outcome: 'deny', visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED' },
    ]);
    expect(await records()).toMatchObject([
      { rules: ['keepers/1'], detail: 'keepers/1 decides (allow)' },
      { rules: ['keepers/2'], detail: 'keepers/2 decides (require_approval)' },
      { rules: ['keepers/4'], reason_code: 'POLICY_DENIED', detail: 'keepers/4 decides (deny)' },
      { rules: ['keepers/3'] },
      { rules: [], reason_code: 'CAPABILITY_NOT_ALLOWED' },
    ]);
  });

  test('R12: an actor that only a caller claims is none', async () => {
    const { core, records } = await rbacScene(fileOf(ROLES));
    const subject = {
      type: 'identity',
      id: 'user:carol@example.com',
      properties: { groups: ['keepers'], actor_type: 'automation' },
    } as const;
    const request = { ...callOf({ arguments: {} }, { id: 'count' }), subject };
    expect(contextOf(await core.evaluation(request, STRANGER))).toMatchObject({
      outcome: 'deny',
      visible: true,
      reason_code: 'ACTOR_VALIDATION_FAILED',
    });
    expect(await records()).toMatchObject([{ rules: ['keepers/3'], decision: false }]);
  });
});
