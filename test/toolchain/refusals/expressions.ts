/** Lines of Rego that mean something else than they say. */
import { ALLOW, deny, FILE, lines, one, rule, type Refusal } from './refusal.ts';

export const EXPRESSIONS: readonly Refusal[] = [
  {
    title: 'a denial with `not f(ref)` vanishes where the fact is missing',
    check: 'negation',
    problem: '`not` over a call of `startswith`',
    bad: deny('applies if not startswith(request.environment, "dev")'),
    good: deny(
      'applies if not _development',
      '',
      '_development if startswith(request.environment, "dev")',
    ),
  },
  {
    title: '`not x in set` is a call too',
    check: 'negation',
    problem: '`not` over a call of `internal.member_2`',
    bad: deny('applies if not request.surface in {"ide", "web"}'),
    good: deny('applies if not _known', '', '_known if request.surface in {"ide", "web"}'),
  },
  {
    title: '`not a != b` is one as well',
    check: 'negation',
    problem: '`not` over a call of `neq`',
    bad: deny('applies if not request.surface != "ide"'),
    good: deny('applies if request.surface == "ide"'),
  },
  {
    title: 'a helper function under `not` with a reference as its operand',
    check: 'negation',
    problem: '`not` over a call of `_known`',
    bad: deny('applies if not _known(request.surface)', '', '_known(surface) if surface == "ide"'),
    good: deny('applies if not request.surface == "ide"'),
  },
  {
    title: 'a reference inside the brackets of another under `not`',
    check: 'negation',
    problem: 'with another in its brackets',
    bad: deny('applies if not data.open[request.surface]'),
    good: deny('applies if not _open', '', '_open if data.open[request.surface]'),
  },
  {
    title: 'a builtin that fails removes a denial without a word',
    check: 'builtins',
    problem: '`to_number` can fail',
    bad: deny('applies if to_number(request.session.state) == 5'),
    good: deny('applies if request.session.state == "expired"'),
  },
  {
    title: 'a division in a helper of a denial',
    check: 'builtins',
    problem: '`div` can fail',
    bad: deny('applies if _share == 2', '', '_share := data.total / data.parts'),
    good: deny('applies if data.share == 2'),
  },
  {
    title: 'a duty that a builtin may leave out',
    check: 'builtins',
    problem: '`to_number` can fail',
    bad: one(duties('to_number(request.session.state)')),
    good: one(duties('5')),
  },
  {
    title: 'a pattern that may be malformed',
    check: 'builtins',
    problem: '`regex.match` can fail',
    bad: deny('applies if regex.match(data.pattern, request.name)'),
    good: deny('applies if startswith(request.name, "tool:shop/")'),
  },
  {
    title: 'a builtin that a compiled policy does not have',
    check: 'unavailable',
    problem: '`time.now_ns` is not there in a compiled policy',
    bad: one(lines(ALLOW, '_now := time.now_ns()')),
    good: one(ALLOW),
  },
  {
    title: 'input read by a variable cannot be projected',
    check: 'reads',
    problem: 'reads `input` other than by a constant path',
    bad: deny('applies if {', '\tsome name', '\tinput.context[name] == "x"', '}'),
    good: deny('applies if request.surface == "x"'),
  },
  {
    title: 'rules found by a variable',
    check: 'reads',
    problem: 'finds rules by a variable',
    bad: deny(
      'applies if {',
      '\tsome title',
      '\tdata.mcp.rules.boundary[title].applies == true',
      '}',
    ),
    good: deny('applies := true'),
  },
  {
    title: 'the grants are not where they were once they are indexed',
    check: 'reads',
    problem: 'reads the grants',
    bad: deny('applies if count(data.grants) > 3'),
    good: deny('applies if data.closed'),
  },
  {
    title: 'the inside of the library is not a contract',
    check: 'reads',
    problem: 'reads the inside of the library',
    bad: deny('applies if count(data.mcp.directory.chain) > 3'),
    good: deny('applies if count(request.chain) > 3'),
  },
  {
    title: '`with` in a rule replaces facts of the request',
    check: 'reads',
    problem: 'uses `with` outside a test',
    bad: deny(
      'applies if _open with input.context.surface as "ide"',
      '',
      '_open if input.context.surface == "ide"',
    ),
    good: deny('applies if request.surface == "ide"'),
  },
  {
    title: 'a misspelt member of the request',
    check: 'members',
    problem: 'the request has no `request.enviroment`',
    bad: deny('applies if request.enviroment == "production"'),
    good: deny('applies if request.environment == "production"'),
  },
  {
    title: 'a misspelt member of the registry entry',
    check: 'members',
    problem: 'the request has no `request.capability.dataclasses`',
    bad: deny('applies if "x" in request.capability.dataclasses'),
    good: deny('applies if "x" in request.capability.data_classes'),
  },
  {
    title: 'a misspelt member of the input',
    check: 'members',
    problem: 'the request has no `input.context.enviroment`',
    bad: deny('applies if input.context.enviroment == "x"'),
    good: deny('applies if input.context.environment.risk == "x"'),
  },
  {
    title: 'a misspelt root of the data',
    check: 'members',
    problem: 'no data file holds the root `blokced`',
    bad: {
      [FILE]: rule(lines('effect := "deny"', '', 'applies if data.blokced[request.user.id]')),
      'data.json': '{"blocked": {}}',
    },
    good: {
      [FILE]: rule(lines('effect := "deny"', '', 'applies if data.blocked[request.user.id]')),
      'data.json': '{"blocked": {}}',
    },
  },
  {
    title: 'a variable that hides an import',
    check: 'shadowing',
    problem: 'the variable `request` hides an import',
    bad: deny(
      'applies if {',
      '\tsome request in data.requests',
      '\trequest.name == "x"',
      '}',
      '',
      'applies if request.surface == "ide"',
    ),
    good: deny(
      'applies if {',
      '\tsome entry in data.requests',
      '\tentry.name == request.name',
      '}',
    ),
  },
  {
    title: 'a misspelt root is believed in force',
    check: 'reachability',
    problem: 'no rule uses package mcp_rules.shop.refund',
    bad: {
      [FILE]: lines(
        'package mcp_rules.shop.refund',
        '',
        'effect := "deny"',
        '',
        'applies := true',
        '',
      ),
    },
    good: deny('applies := true'),
  },
];

/** A rule with a duty that holds a value that is worked out. */
function duties(value: string): string {
  return lines(
    'effect := "oblige"',
    '',
    'applies if request.session',
    '',
    `obligations contains {"type": "limit_result", "items_max": ${value}}`,
  );
}
