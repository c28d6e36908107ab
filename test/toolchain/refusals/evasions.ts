/** Ways round the other refusals: the same mistakes, said in a way that hides them. */
import { deny, FILE, lines, one, within, type Refusal } from './refusal.ts';

const CLOSED = one(lines('effect := "deny"', '', 'applies := true'));

/** A denial that imports something besides the request. */
function importing(name: string, ...text: string[]): Record<string, string> {
  const { [FILE]: file = '' } = deny(...text);
  return { [FILE]: file.replace('import data.mcp.request', `import ${name}\n$&`) };
}

const HELPERS = {
  'helpers.rego': lines(
    'package helpers.bad',
    '',
    'import data.mcp.request',
    '',
    'flag := request.surface',
    '',
  ),
};

export const EVASIONS: readonly Refusal[] = [
  {
    title: 'what stands in a block of `or` is not examined',
    check: 'syntax',
    problem: 'a block of `or`',
    bad: importing(
      'future.keywords.or',
      'applies if request.surface == "ide" or request.surface == "web"',
    ),
    good: deny('applies if request.surface in {"ide", "web"}'),
  },
  {
    title: 'nor what stands in a block of `not`',
    check: 'syntax',
    problem: 'a block of `not`',
    bad: importing(
      'future.keywords.not',
      'applies if not { request.surface == "ide"; request.tenant == "a" }',
    ),
    good: deny('applies if not _known', '', '_known if request.surface == "ide"'),
  },
  {
    title: 'a variable in the first bracket after an import reads arguments',
    check: 'argument_places',
    problem: 'reads the argument `/x`',
    bad: deny('applies if {', '\tsome surface in ["arguments"]', '\trequest[surface].x == 1', '}'),
    good: deny('applies if request.surface == "x"'),
  },
  {
    title: 'helper rules found by a variable die in the compiled policy',
    check: 'reads',
    problem: 'finds rules by a variable',
    bad: {
      ...deny('applies if {', '\tsome name', '\tdata.helpers[name].flag == "ide"', '}'),
      ...HELPERS,
      'data.json': '{}',
    },
    good: {
      ...deny('applies if data.helpers.bad.flag == "ide"'),
      ...HELPERS,
      'data.json': '{}',
    },
  },
  {
    title: 'rules of its own found by a variable',
    check: 'reads',
    problem: 'finds rules by a variable',
    bad: deny(
      'applies if {',
      '\tsome name in ["p", "q"]',
      '\tnot _flags[name].ok',
      '}',
      '',
      '_flags.p.ok := true',
      '',
      '_flags.q.ok := false',
    ),
    good: deny(
      'applies if {',
      '\tsome name in ["p", "q"]',
      '\tnot _flags[name].ok',
      '}',
      '',
      '_flags := {"p": {"ok": true}, "q": {"ok": false}}',
    ),
  },
  {
    title: 'a rule in the brackets under `not`',
    check: 'negation',
    problem: 'with another in its brackets',
    bad: deny('applies if not data.known[_key]', '', '_key := request.surface'),
    good: deny('applies if not _known', '', '_known if data.known[request.surface]'),
  },
  {
    title: 'an imported fact in the brackets under `not`',
    check: 'negation',
    problem: 'with another in its brackets',
    bad: {
      [FILE]: lines(
        'package mcp.rules.shop.refund',
        '',
        'import data.mcp.request.surface',
        '',
        'effect := "deny"',
        '',
        'applies if not data.known[surface]',
        '',
      ),
      'data.json': '{"known": {}}',
    },
    good: deny('applies if not _known', '', '_known if data.known[request.surface]'),
  },
  {
    title: 'a member of what a call gives under `not`',
    check: 'negation',
    problem: '`not` over a member of a call',
    bad: deny('applies if not split(request.surface, "-")[0] == "ide"'),
    good: deny('applies if not _ide', '', '_ide if split(request.surface, "-")[0] == "ide"'),
  },
  {
    title: 'what fails under `not` lets an allow hold',
    check: 'builtins',
    problem: '`net.cidr_contains` can fail',
    bad: one(
      lines(
        'effect := "allow"',
        '',
        'applies if not _outside',
        '',
        '_outside if net.cidr_contains(data.net, request.tenant)',
      ),
    ),
    good: one(lines('effect := "allow"', '', 'applies if request.tenant == "inside"')),
  },
  {
    title: 'a builtin that the engines answer differently',
    check: 'unavailable',
    problem: '`json.is_valid` answers otherwise in a compiled policy',
    bad: deny('applies if json.is_valid(request.purpose.text)'),
    good: deny('applies if startswith(request.purpose.text, "{")'),
  },
  {
    title: 'a set joined to a text has no order',
    check: 'unavailable',
    problem: '`concat` answers otherwise',
    bad: deny('applies if concat(",", {g | some g in request.groups}) == "a,b"'),
    good: deny('applies if request.groups == {"a", "b"}'),
  },
  {
    title: 'a package that adds to one of the library',
    check: 'placement',
    problem: 'package mcp.rules.boundary.environment belongs to the library',
    bad: {
      'rules/open.rego': 'package mcp.rules.boundary.environment\n\n_same if true\n',
    },
    good: CLOSED,
  },
  {
    title: 'a package in the place of data',
    check: 'placement',
    problem: 'package facts has the root of data',
    bad: {
      ...deny('applies if data.facts.blocked'),
      'facts.rego': 'package facts\n\nblocked if input.context.surface == "ide"\n',
      'data.json': '{"facts": {"seen": true}}',
    },
    good: CLOSED,
  },
  {
    title: 'a package step that is no name',
    check: 'placement',
    problem: 'is no plain name',
    bad: {
      [FILE]: 'package mcp.rules["pay/ments"].block\n\neffect := "deny"\n\napplies := true\n',
    },
    good: CLOSED,
  },
  {
    title: 'a condition with a value of its own never holds',
    check: 'names',
    problem: '`applies` has a value of its own',
    bad: deny('applies := data.flags.block'),
    good: deny('applies if data.flags.block'),
  },
  {
    title: 'an obligation beside another is left out with its fact',
    check: 'obligations',
    problem: 'may be stated in part',
    bad: one(
      lines(
        'effect := "oblige"',
        '',
        'applies := true',
        '',
        'obligations contains {"type": "log", "level": "info"}',
        '',
        'obligations contains {"type": "notify", "target": data.targets.main}',
      ),
    ),
    good: one(
      lines(
        'effect := "oblige"',
        '',
        'applies := true',
        '',
        'obligations := {',
        '\t{"type": "log", "level": "info"},',
        '\t{"type": "notify", "target": data.targets.main},',
        '}',
      ),
    ),
  },
  {
    title: 'an obligation for each class leaves out those without fields',
    check: 'obligations',
    problem: 'may be stated in part',
    bad: one(
      lines(
        'effect := "oblige"',
        '',
        'applies := true',
        '',
        'obligations contains {"type": "notify", "target": data.targets[class]} if {',
        '\tsome class in request.capability.data_classes',
        '}',
      ),
    ),
    good: one(
      lines(
        'effect := "oblige"',
        '',
        'applies := true',
        '',
        'obligations contains {"type": "notify", "target": data.targets[_class]}',
        '',
        '_class := "personal"',
      ),
    ),
  },
  ...[
    'request.method == "tools/call"',
    'request.phase == "call"',
    'input.context.arguments_digest',
  ].map((line): Refusal => ({
    title: `a list has no ${line}`,
    check: 'argument_places',
    problem: 'which a list has not',
    bad: deny('applies if _call', '', `_call if ${line}`),
    good: deny('applies if request.type == "tool"'),
  })),
  {
    title: 'approvals are none of a rule’s business',
    check: 'argument_places',
    problem: '`applies` reads `request.approval`',
    bad: one(lines('effect := "allow"', '', 'applies if request.approval.requester == "x"')),
    good: one(lines('effect := "allow"', '', 'applies if request.user.id == "x"')),
  },
  ...[
    'max([request.arguments.amount, 5]) == 5',
    '_larger(5) <= 5\n\n_larger(_) := request.arguments.amount',
    '{ some v; _amounts[v]; v <= 5 }\n\n_amounts contains request.arguments.amount',
    '{ object.get(request.arguments, "amount", 0, amount); amount <= 5 }',
    'request.arguments.to != "bob"',
  ].map((line): Refusal => ({
    title: `an ordering that is not seen at once: ${line}`,
    check: 'comparisons',
    problem: 'a bare ',
    bad: within(`within if ${line}`),
    good: within('within if compare.at_most(request.arguments.amount, 5)'),
  })),
  ...[
    'not compare.more_than(_amount, 5)\n\n_amount := request.arguments.amount',
    'not _blocked\n\n_blocked if request.arguments.to in data.blocked',
    'not request.arguments.force',
    'count(_blocked) == 0\n\n_blocked contains to if some to in request.arguments.to',
    '[to | some to in request.arguments.to; to in data.blocked] == []',
  ].map((line): Refusal => ({
    title: `a region said the other way round: ${line}`,
    check: 'regions',
    problem: 'arguments',
    bad: within(`within if ${line}`),
    good: within('within if compare.none_of(request.arguments.to, data.blocked)'),
  })),
];
