/** Shapes of policies that broke a router, each with what becomes of it. */
import type { JsonObject, Request } from './model.ts';

export interface Shape {
  files: Record<string, string>;
  /** The check that refuses it; else it is built and judged alike. */
  refused?: string;
  /** The outcome in the compiled policy, request by request. */
  outcomes?: string[];
  /** Where strict OPA reports an error; nowhere by default. */
  errors?: boolean[];
  requests?: Request[];
}

const REGISTRY = {
  'tool:payments/transfer': { environment: 'production', risk: 'low', approved: true },
};
const TO_ALL = [{ to: { anyone: true }, on: '*' }];

export function call(changes: { arguments?: JsonObject; context?: JsonObject } = {}): Request {
  return {
    subject: { type: 'identity', id: 'user:alice', properties: { groups: ['tellers'] } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
    context: {
      profile: 'mcp/1',
      phase: 'call',
      environment: { deployment: 'production' },
      arguments: changes.arguments ?? {},
      ...changes.context,
    },
  };
}

function dataOf(changes: object = {}): string {
  return JSON.stringify({ registry: REGISTRY, grants: TO_ALL, ...changes });
}

/** One rule, beside a grant that allows everything. */
function withRule(body: string, data: object = {}): Record<string, string> {
  const head = '# METADATA\n# title: a rule\npackage mcp.rules.t.rule\n\n';
  const imports = ['request', 'compare']
    .filter((name) => body.includes(`${name}.`))
    .map((name) => `import data.mcp.${name}\n`);
  return { 'rule.rego': `${head}${imports.join('')}\n${body}\n`, 'data.json': dataOf(data) };
}

/** A denial, with a helper function and a rule of its own. */
function deny(line: string): Record<string, string> {
  const helpers = [
    ...(line.includes('_far(') ? ['_far(x) if x == "far"'] : []),
    ...(line.includes('_ide') ? ['_ide if request.surface == "ide"'] : []),
  ];
  return withRule(['effect := "deny"', `applies if ${line}`, ...helpers].join('\n\n'));
}

const AREA = 'package mcp.rules.t\n\nimport data.mcp.request\n\n';
const AMOUNTS = [null, false, -5, '100', 100, 101].map((amount) => call({ arguments: { amount } }));
const AT_MOST_100 = ['deny', 'deny', 'allow', 'deny', 'allow', 'deny'];

/** Under `not` these are undefined where the surface is, and the denial with them. */
const VANISHING = [
  'not startswith(request.surface, "i")',
  'not request.tenant > 3',
  'not request.surface in {"ide", "app"}',
  'not "x" in request.surface',
  'not _far(request.surface)',
  'not count(request.surface) > 3',
  'not {"ide": true}[request.surface]',
  'not is_set(request.surface)',
];

export const SHAPES: Record<string, Shape> = {
  'a partial object at area depth': {
    files: {
      ...withRule('effect := "deny"\n\napplies if "tellers" in request.groups'),
      'area.rego': `${AREA}found[group] := 1 if some group in request.groups\n`,
    },
    refused: 'placement',
  },
  'a function at area depth': {
    files: {
      ...withRule('effect := "deny"\n\napplies if "tellers" in request.groups'),
      'area.rego': `${AREA}found(x) if x in request.groups\n`,
    },
    refused: 'placement',
  },
  'a function that is called `applies`': {
    files: withRule('effect := "deny"\n\napplies(x) if x in request.groups'),
    refused: 'names',
  },
  'rules found by variables': {
    files: withRule(
      'effect := "deny"\n\napplies if {\n\tsome a, t\n\tdata.mcp.rules[a][t].effect == "allow"\n}',
    ),
    refused: 'reads',
  },
  ...Object.fromEntries(
    VANISHING.map((line) => [
      `a denial by \`${line}\``,
      { files: deny(line), refused: 'negation' },
    ]),
  ),
  ...Object.fromEntries(
    ['not request.surface', 'not request.surface == "ide"', 'not _ide'].map((line) => [
      `a denial by \`${line}\``,
      { files: deny(line), outcomes: ['deny'], requests: [call()] },
    ]),
  ),
  'a bare ordering over an argument': {
    files: withRule(
      'effect := "limit"\n\napplies := true\n\ndefault within := false\n\n' +
        'within if request.arguments.amount <= 100',
    ),
    refused: 'comparisons',
  },
  'a limit and amounts of every type': {
    files: withRule(
      'effect := "limit"\n\napplies := true\n\ndefault within := false\n\n' +
        'within if compare.at_most(request.arguments.amount, 100)',
    ),
    requests: AMOUNTS,
    outcomes: AT_MOST_100,
  },
  'a table in a region of a grant, and amounts of every type': {
    files: {
      'data.json': dataOf({
        limits: { 'user:alice': 100 },
        grants: [{ ...TO_ALL[0], within: { '/amount': { at_most: { data: 'limits' } } } }],
      }),
    },
    requests: AMOUNTS,
    outcomes: AT_MOST_100,
  },
  'a limit that is text': {
    files: {
      'data.json': dataOf({
        limits: { 'user:alice': '100' },
        grants: [{ ...TO_ALL[0], within: { '/amount': { at_most: { data: 'limits' } } } }],
      }),
    },
    requests: AMOUNTS,
    outcomes: AMOUNTS.map(() => 'deny'),
  },
  'data that would be read as a rule': {
    files: { 'data.json': dataOf({ mcp: { rules: { t: { evil: { applies: true } } } } }) },
    refused: 'data',
  },
  'an empty region': {
    files: { 'data.json': dataOf({ grants: [{ ...TO_ALL[0], within: {} }] }) },
    refused: 'data',
  },
  'a region that is declared and undefined': {
    files: withRule(
      'effect := "allow"\n\napplies := true\n\ndefault within := false\n\n' +
        'within if request.arguments.force',
      { grants: [] },
    ),
    requests: [call(), call({ arguments: { force: true } })],
    outcomes: ['deny', 'allow'],
  },
  'a region without a default': {
    files: withRule('effect := "allow"\n\napplies := true\n\nwithin if request.arguments.force'),
    refused: 'effects',
  },
  'no region at all': {
    files: withRule('effect := "allow"\n\napplies := true', { grants: [] }),
    requests: [call()],
    outcomes: ['allow'],
  },
  'an approval to ask for, and none granted': {
    files: withRule('effect := "require_approval"\n\napplies := true\n\neligible := true'),
    requests: [
      call(),
      call({ context: { approval: {} } }),
      call({ context: { approval: { granted_rules: ['t/other'] } } }),
      call({ context: { approval: { granted_rules: ['t/rule'] } } }),
    ],
    outcomes: ['require_approval', 'require_approval', 'require_approval', 'allow'],
  },
  'duties that are no set': {
    files: withRule('effect := "oblige"\n\napplies := true\n\nobligations := ["log"]'),
    requests: [call()],
    outcomes: ['deny'],
  },
  'duties that are undefined': {
    files: withRule(
      'effect := "oblige"\n\napplies := true\n\nobligations contains request.capability.title',
    ),
    requests: [call()],
    outcomes: ['deny'],
  },
  'two values for one rule': {
    files: withRule(
      'effect := "deny"\n\napplies if _level == 3\n\n' +
        '_level := 1 if "tellers" in request.groups\n\n_level := 2 if request.user.id',
    ),
    requests: [call()],
    outcomes: ['error'],
    errors: [true],
  },
  'a duty beside another, by a builtin that can fail': {
    files: withRule(
      'effect := "oblige"\n\napplies := true\n\n' +
        'obligations contains {"type": "log", "level": "info"}\n\n' +
        'obligations contains {"type": "limit_result", "items_max": most} if ' +
        'most := to_number(request.arguments.amount)',
    ),
    refused: 'builtins',
  },
  'a builtin that fails': {
    files: withRule(
      'effect := "limit"\n\napplies := true\n\ndefault within := false\n\n' +
        'within if compare.at_most(to_number(request.arguments.amount), 100)',
    ),
    requests: ['abc', '5'].map((amount) => call({ arguments: { amount } })),
    outcomes: ['deny', 'allow'],
    errors: [true, false],
  },
};
