/** Files that are refused, each with what is wrong in words, and where. */
import { describe, expect, test } from '@jest/globals';
import { policyOf, refusalOf } from './fixture.ts';

const GRANT = `roles:
  keepers:
    grants:
      - capability: tool:reset
        actions: [execute]
        decision: allow
`;
const constrained = (text: string, decision = 'require_approval'): string =>
  `${GRANT.replace('allow', decision)}        constraints: {${text}}\n`;

const taken = async (yaml: string): Promise<void> => {
  await expect(policyOf(yaml)).resolves.toBeDefined();
};

describe('R2: the three forms', () => {
  const SETTINGS = `version: 1
_settings:
  default_decision: deny
  client_claims_authoritative: false
  policy_error: deny
  unknown_capability: deny
_methods:
  tools/list: filter
  tools/call: evaluate
  _other: deny
`;
  const DEFAULTS = `defaults:
  missing_policy: deny
  policy_error: deny
  unknown_capability: deny
  client_claims_authoritative: false
`;

  test.each([
    ['with _settings and _methods', SETTINGS + GRANT],
    ['with defaults', `version: 1\n${GRANT}${DEFAULTS}`],
    ['with roles alone', GRANT],
    ['with nobody in it', 'roles: {}\n'],
    ['with a role that may nothing', 'roles: {keepers: {grants: []}}\n'],
  ])('%s', async (_title, yaml) => {
    await taken(yaml);
  });

  test.each([
    ['_settings', 'default_decision', 'allow', '`deny`'],
    ['_settings', 'default_decision', 'require_approval', '`deny`'],
    ['_settings', 'policy_error', 'allow', '`deny`'],
    ['_settings', 'unknown_capability', 'allow', '`deny`'],
    ['_settings', 'client_claims_authoritative', 'true', '`false`'],
    ['_settings', 'client_claims_authoritative', "'false'", '`false`'],
    ['defaults', 'missing_policy', 'allow', '`deny`'],
    ['defaults', 'policy_error', 'allow', '`deny`'],
    ['defaults', 'unknown_capability', 'allow', '`deny`'],
    ['defaults', 'client_claims_authoritative', 'true', '`false`'],
    ['_methods', '_other', 'evaluate', '`deny`'],
    ['_methods', '_other', 'filter', '`deny`'],
  ])('%s.%s: %s would open, and is refused', async (group, name, value, wanted) => {
    expect(await refusalOf(`${group}:\n  ${name}: ${value}\n${GRANT}`)).toBe(
      `RBAC_INVALID FILE, line 2, column 3: at \`/${group}/${name}\` it must be ${wanted}`,
    );
  });
});

describe('R8: what a file says of methods', () => {
  const methods = (name: string, word: string): string => `_methods:\n  ${name}: ${word}\n${GRANT}`;

  test.each([
    'initialize',
    'ping',
    'server/discover',
    'notifications/initialized',
    'notifications/cancelled',
    'notifications/progress',
    'notifications/message',
    'notifications/tools/list_changed',
    'logging/setLevel',
  ])('%s cannot be cut', async (name) => {
    for (const word of ['deny', 'evaluate', 'filter']) {
      expect(await refusalOf(methods(name, word))).toMatch(
        /line 2, column 3: at `.*` this method is the protocol's own and cannot be cut$/,
      );
    }
  });

  test.each([
    ['tools/list', 'evaluate', '`filter`, `deny`'],
    ['resources/templates/list', 'evaluate', '`filter`, `deny`'],
    ['tools/call', 'filter', '`evaluate`, `deny`'],
    ['completion/complete', 'filter', '`evaluate`, `deny`'],
    ['tasks/get', 'filter', '`evaluate`, `deny`'],
  ])('%s: %s is no tightening', async (name, word, words) => {
    expect(await refusalOf(methods(name, word))).toMatch(
      `for this method it must be one of ${words}`,
    );
  });

  test.each(['tools/exec', 'tool/call', 'Tools/call', 'constructor', '_others'])(
    '%s is no method that could be meant',
    async (name) => {
      expect(await refusalOf(methods(name, 'deny'))).toMatch('this method is not known');
    },
  );

  test.each(['allow', 'pass', 'true', 'Deny', '~'])('%s is no word for a method', async (word) => {
    expect(await refusalOf(methods('tools/call', word))).toMatch(
      'at `/_methods/tools~1call` it must be one of `filter`, `evaluate`, `deny`',
    );
  });

  test.each(['filter', 'deny'])('a list may be said to %s', async (word) => {
    await taken(methods('prompts/list', word));
  });
});

describe('a grant', () => {
  test.each<[title: string, yaml: string, fault: string]>([
    [
      'R1: with two channels',
      constrained('approval_via: task, require_approval_via: elicitation'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/approval_via` ' +
        'it differs from `require_approval_via`',
    ],
    [
      'R9: with an unknown constraint',
      constrained('actor: human'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/actor` ' +
        'this member is not known',
    ],
    [
      'R9: with an unknown actor',
      constrained('actor_required: robot'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/actor_required` ' +
        'it must be one of `human`, `supervised_ai`, `automation`, `service_account`',
    ],
    [
      'R9: with an unknown channel',
      constrained('approval_via: mail'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/approval_via` ' +
        'it must be one of `task`, `elicitation`, `none`',
    ],
    [
      'R9: that needs an approval and does not',
      constrained('approval_required: false'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/approval_required` ' +
        'an approval is asked for beside it',
    ],
    [
      'R9: that names a channel and needs no approval',
      constrained('approval_required: false, approval_via: task', 'allow'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/approval_required` ' +
        'an approval is asked for beside it',
    ],
    [
      'that denies and asks for something',
      constrained('environment: production, actor_required: human', 'deny'),
      'line 7, column 48: at `/roles/keepers/grants/0/constraints/actor_required` ' +
        'nothing can be asked of what is denied',
    ],
    [
      'with an unknown decision',
      GRANT.replace('allow', 'permit'),
      'line 6, column 9: at `/roles/keepers/grants/0/decision` ' +
        'it must be one of `allow`, `deny`, `require_approval`',
    ],
    [
      'with the decision of another draft (R4)',
      GRANT.replace('allow', 'allow_with_redaction'),
      'line 6, column 9: at `/roles/keepers/grants/0/decision` ' +
        'it must be one of `allow`, `deny`, `require_approval`',
    ],
    [
      'without a decision',
      GRANT.replace('        decision: allow\n', ''),
      'line 4, column 9: at `/roles/keepers/grants/0/decision` this member is missing',
    ],
    [
      'with a member that nobody knows',
      `${GRANT}        reason: none\n`,
      'line 7, column 9: at `/roles/keepers/grants/0/reason` this member is not known',
    ],
    [
      'R16: with an action that no method has',
      GRANT.replace('[execute]', '[execute, run]'),
      'line 5, column 28: at `/roles/keepers/grants/0/actions/1` it must be one of',
    ],
    [
      'R16: with an action of another type',
      GRANT.replace('[execute]', '[execute, read]'),
      'line 5, column 28: at `/roles/keepers/grants/0/actions/1` ' +
        'on a tool there is only `list`, `execute`, `complete`, `subscribe`, `notify`',
    ],
    [
      'R16: with nothing but an action of another type',
      GRANT.replace('[execute]', '[read]'),
      'line 5, column 19: at `/roles/keepers/grants/0/actions/0` on a tool there is only `list`',
    ],
    [
      'without any action',
      GRANT.replace('[execute]', '[]'),
      'line 5, column 9: at `/roles/keepers/grants/0/actions` it must have at least 1 item',
    ],
    [
      'with an action that is no list',
      GRANT.replace('[execute]', 'execute'),
      'line 5, column 9: at `/roles/keepers/grants/0/actions` it must be of type array',
    ],
    [
      'on a type that nobody knows',
      GRANT.replace('tool:', 'tol:'),
      'line 4, column 9: at `/roles/keepers/grants/0/capability` it does not match',
    ],
    [
      'on a pattern',
      GRANT.replace('tool:reset', "'tool:*'"),
      'line 4, column 9: at `/roles/keepers/grants/0/capability` it does not match',
    ],
    [
      'on something like a pattern',
      GRANT.replace('tool:reset', "'tool:reset_*'"),
      'line 4, column 9: at `/roles/keepers/grants/0/capability` it does not match',
    ],
    [
      'on nothing',
      GRANT.replace('tool:reset', "'tool:'"),
      'line 4, column 9: at `/roles/keepers/grants/0/capability` it does not match',
    ],
    [
      'R15: with no environment at all',
      constrained('environment: []'),
      'line 7, column 23: at `/roles/keepers/grants/0/constraints/environment` ' +
        'it must have at least 1 item',
    ],
    [
      'R15: with an environment that is no text',
      constrained('environment: [production, 1]'),
      'line 7, column 49: at `/roles/keepers/grants/0/constraints/environment/1` ' +
        'it must be of type string',
    ],
  ])('%s', async (_title, yaml, fault) => {
    const refusal = await refusalOf(yaml);
    expect(refusal.slice(0, `RBAC_INVALID FILE, ${fault}`.length)).toBe(
      `RBAC_INVALID FILE, ${fault}`,
    );
  });
});

test.each<[title: string, yaml: string, fault: string]>([
  ['no roles', 'version: 1\n', 'line 1, column 1: at `/roles` this member is missing'],
  [
    'methods alone',
    '_methods: {_other: deny}\n',
    'line 1, column 1: at `/roles` this member is missing',
  ],
  ['an unknown version', `version: 2\n${GRANT}`, 'line 1, column 1: at `/version` it must be `1`'],
  [
    'an unknown member',
    `${GRANT}extra: 1\n`,
    'line 7, column 1: at `/extra` this member is not known',
  ],
  [
    'a role without grants',
    'roles:\n  keepers: {grant: []}\n',
    'line 2, column 3: at `/roles/keepers/grants` this member is missing',
  ],
  [
    'R14: a binding of no role',
    `${GRANT}bindings:\n  keeper: ['user:a']\n`,
    'line 8, column 3: at `/bindings/keeper` there is no such role',
  ],
  ['nothing', '', 'line 1, column 1: it must be of type object'],
  ['a list', '- roles\n', 'line 1, column 1: it must be of type object'],
])('a file with %s is refused', async (_title, yaml, fault) => {
  expect(await refusalOf(yaml)).toBe(`RBAC_INVALID FILE, ${fault}`);
});

test('a place inside an alias is told', async () => {
  const yaml = `${GRANT.replace('[execute]', '&all [execute, run]')}`;
  expect(await refusalOf(`${yaml}  guests:\n    grants: []\n`)).toMatch('line 5, column 33');
});
