/**
 * The policies that `portcullis check` saves: each is accepted by `opa check --strict`, looks right,
 * and would be silently wrong. Beside each stands how it is mended.
 */

export interface Refusal {
  title: string;
  check: string;
  /** Part of the problem that is reported. */
  problem: string;
  /** Where; the file of the rule unless said otherwise. */
  place?: string;
  bad: Record<string, string>;
  good: Record<string, string>;
}

const HEAD = 'import data.mcp.compare\nimport data.mcp.request\n';
const FILE = 'rules/shop/refund.rego';

/** A rule package `mcp.rules.shop.refund` with a body. */
export function rule(body: string, metadata = ''): string {
  const imports = HEAD.split('\n').filter((line) => {
    const name = line.split('.').at(-1) ?? '';
    return name !== '' && new RegExp(`(?<!some )\\b${name}\\b`, 'u').test(body);
  });
  return `${metadata}package mcp.rules.shop.refund\n\n${imports.join('\n')}\n\n${body}\n`;
}

export function one(body: string, metadata = ''): Record<string, string> {
  return { [FILE]: rule(body, metadata) };
}

const APPLIES = 'applies if request.name == "tool:shop/refund"';
const ALLOW = `effect := "allow"\n\n${APPLIES}\n`;
const WITHIN = 'default within := false\n\nwithin if compare.at_most(request.arguments.amount, 5)';

export const REFUSALS: Refusal[] = [
  {
    title: 'a rule package one step too deep is never read',
    check: 'placement',
    problem: 'is not at `mcp.rules.<area>.<title>`',
    bad: { [FILE]: 'package mcp.rules.shop.refund.extra\n\neffect := "deny"\n\napplies := true\n' },
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'a rule at area depth hides rules from dynamic references',
    check: 'placement',
    problem: 'package mcp.rules.shop is not at',
    bad: {
      [FILE]: rule(ALLOW),
      'rules/shop.rego': 'package mcp.rules.shop\n\nrh[x] := 1 if some x in input.context.list\n',
    },
    good: one(ALLOW),
  },
  {
    title: 'a rule that is named like a test is left out of the build',
    check: 'placement',
    problem: 'is named like a test',
    bad: { [FILE]: 'package mcp.rules.shop.load_test\n\neffect := "deny"\n\napplies := true\n' },
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'a rule in a test file is left out of the build',
    check: 'placement',
    problem: 'a test file holds the package of a rule',
    bad: { 'rules/shop/refund_test.rego': rule('effect := "deny"\n\napplies := true') },
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'a test in a rule file becomes a public name',
    check: 'placement',
    problem: 'a test stands among the rules',
    bad: one(`${ALLOW}\ntest_it if true`),
    good: one(ALLOW),
  },
  {
    title: 'a package inside the library replaces parts of it',
    check: 'placement',
    problem: 'package mcp.compare belongs to the library',
    bad: { 'compare.rego': 'package mcp.compare\n\nat_most(x, _) if x == "any"\n' },
    good: {},
  },
  {
    title: 'a misspelt public name is a rule that nobody reads',
    check: 'names',
    problem: '`witin` is no public name',
    bad: one(`${ALLOW}\nwitin if compare.at_most(request.arguments.amount, 5)`),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'a function under a public name makes the module invalid',
    check: 'names',
    problem: '`applies` is a function',
    bad: one('effect := "deny"\n\napplies(x) if x == request.name'),
    good: one('effect := "deny"\n\napplies if request.name == "tool:shop/refund"'),
  },
  {
    title: 'a partial object under a public name is never true',
    check: 'names',
    problem: '`applies` is a partial object',
    bad: one('effect := "deny"\n\napplies[name] if name := request.name'),
    good: one('effect := "deny"\n\napplies if request.name == "tool:shop/refund"'),
  },
  {
    title: 'a partial set under a public name is never true',
    check: 'names',
    problem: '`applies` is a partial set',
    bad: one('effect := "deny"\n\napplies contains request.name'),
    good: one('effect := "deny"\n\napplies if request.name == "tool:shop/refund"'),
  },
  {
    title: 'a misspelt effect decides nothing',
    check: 'effects',
    problem: 'the effect is not one literal',
    bad: one(`effect := "dney"\n\n${APPLIES}`),
    good: one(`effect := "deny"\n\n${APPLIES}`),
  },
  {
    title: 'a computed effect cannot be read by the build',
    check: 'effects',
    problem: 'the effect is not one literal',
    bad: one(`effect := "deny" if request.surface == "ide"\n\n${APPLIES}`),
    good: one('effect := "deny"\n\napplies if request.surface == "ide"'),
  },
  {
    title: 'a deny with a region would deny inside it too',
    check: 'effects',
    problem: 'an effect of deny has no `within`',
    bad: one(`effect := "deny"\n\n${APPLIES}\n\n${WITHIN}`),
    good: one(`effect := "limit"\n\n${APPLIES}\n\n${WITHIN}`),
  },
  {
    title: 'a limit without a region would deny everything',
    check: 'effects',
    problem: 'an effect of limit needs `within`',
    bad: one(`effect := "limit"\n\n${APPLIES}`),
    good: one(`effect := "limit"\n\n${APPLIES}\n\n${WITHIN}`),
  },
  {
    title: 'an approval that nobody may give',
    check: 'effects',
    problem: 'an effect of require_approval needs `eligible`',
    bad: one(`effect := "require_approval"\n\n${APPLIES}`),
    good: one(
      `effect := "require_approval"\n\n${APPLIES}\n\neligible if "leads" in request.groups`,
    ),
  },
  {
    title: 'obligations of a rule that allows are never fulfilled',
    check: 'effects',
    problem: 'an effect of allow has no `obligations`',
    bad: one(`${ALLOW}\nobligations contains {"type": "log", "level": "info"}`),
    good: one(
      `effect := "oblige"\n\n${APPLIES}\n\nobligations contains {"type": "log", "level": "info"}`,
    ),
  },
  {
    title: 'a rule without applies concerns nothing',
    check: 'effects',
    problem: 'an effect of deny needs `applies`',
    bad: one('effect := "deny"'),
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'a region without a default looks undeclared where it is undefined',
    check: 'effects',
    problem: '`within` has no default',
    bad: one(`${ALLOW}\nwithin if compare.at_most(request.arguments.amount, 5)`),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'a region that is open by default',
    check: 'effects',
    problem: '`within` has no default',
    bad: one(
      `${ALLOW}\ndefault within := true\n\nwithin := false if request.arguments.amount == 7`,
    ),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'a denial that waits for an argument is not there when it is missing',
    check: 'argument_places',
    problem: '`applies` reads the argument `/amount`',
    bad: one('effect := "deny"\n\napplies if compare.more_than(request.arguments.amount, 5)'),
    good: one(`effect := "limit"\n\n${APPLIES}\n\n${WITHIN}`),
  },
  {
    title: 'arguments reach applies through a helper',
    check: 'argument_places',
    problem: '`applies` reads the argument `/amount`',
    bad: one(
      'effect := "deny"\n\napplies if _large\n\n_large if compare.more_than(input.context.arguments.amount, 5)',
    ),
    good: one(`effect := "limit"\n\n${APPLIES}\n\n${WITHIN}`),
  },
  {
    title: 'arguments reach applies through another package',
    check: 'argument_places',
    problem: '`applies` reads the argument `/amount`',
    bad: {
      [FILE]:
        'package mcp.rules.shop.refund\n\nimport data.shop.size\n\neffect := "deny"\n\napplies if size.large\n',
      'size.rego':
        'package shop.size\n\nimport data.mcp.compare\nimport data.mcp.request\n\nlarge if compare.more_than(request.arguments.amount, 5)\n',
    },
    good: one(`effect := "limit"\n\n${APPLIES}\n\n${WITHIN}`),
  },
  {
    title: 'the whole request taken by name may hold arguments',
    check: 'argument_places',
    problem: '`applies` reads the argument `all`',
    bad: one('effect := "deny"\n\napplies if count(request) > 40'),
    good: one('effect := "deny"\n\napplies if request.surface == "ide"'),
  },
  {
    title: 'a denial with `not f(ref)` vanishes where the fact is missing',
    check: 'negation',
    problem: '`not` over a call of `startswith`',
    bad: one('effect := "deny"\n\napplies if not startswith(request.environment, "dev")'),
    good: one(
      'effect := "deny"\n\napplies if not _development\n\n_development if startswith(request.environment, "dev")',
    ),
  },
  {
    title: '`not x in set` is a call too',
    check: 'negation',
    problem: '`not` over a call of `internal.member_2`',
    bad: one('effect := "deny"\n\napplies if not request.surface in {"ide", "web"}'),
    good: one(
      'effect := "deny"\n\napplies if not _known\n\n_known if request.surface in {"ide", "web"}',
    ),
  },
  {
    title: '`not a != b` is one as well',
    check: 'negation',
    problem: '`not` over a call of `neq`',
    bad: one('effect := "deny"\n\napplies if not request.surface != "ide"'),
    good: one('effect := "deny"\n\napplies if request.surface == "ide"'),
  },
  {
    title: 'a helper function under `not` with a reference as its operand',
    check: 'negation',
    problem: '`not` over a call of `_known`',
    bad: one(
      'effect := "deny"\n\napplies if not _known(request.surface)\n\n_known(surface) if surface == "ide"',
    ),
    good: one('effect := "deny"\n\napplies if not request.surface == "ide"'),
  },
  {
    title: 'a reference inside the brackets of another under `not`',
    check: 'negation',
    problem: 'with another in its brackets',
    bad: one('effect := "deny"\n\napplies if not data.open[request.surface]'),
    good: one('effect := "deny"\n\napplies if not _open\n\n_open if data.open[request.surface]'),
  },
  {
    title: 'rules found by a variable under `not` differ between OPA and WASM',
    check: 'negation',
    problem: 'finds rules by a variable',
    bad: one(
      'effect := "deny"\n\napplies if {\n\tsome title\n\tdata.mcp.rules.boundary[title].applies\n\tnot data.mcp.rules.boundary[title].effect == "x"\n}',
    ),
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'null and false are at most everything in Rego',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(`${ALLOW}\ndefault within := false\n\nwithin if request.arguments.amount <= 5`),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'an ordering over a variable that holds an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      `${ALLOW}\ndefault within := false\n\nwithin if {\n\tamount := request.arguments.amount\n\tamount <= 5\n}`,
    ),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'an ordering over the members of an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      `${ALLOW}\ndefault within := false\n\nwithin if {\n\tevery item in request.arguments.items {\n\t\titem.price < 5\n\t}\n}`,
    ),
    good: one(
      `${ALLOW}\ndefault within := false\n\nwithin if {\n\tevery item in request.arguments.items {\n\t\tcompare.less_than(item.price, 5)\n\t}\n}`,
    ),
  },
  {
    title: 'an ordering inside a function that is given an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      `${ALLOW}\ndefault within := false\n\nwithin if _small(request.arguments.amount)\n\n_small(x) if x <= 5`,
    ),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'an ordering over a helper that holds an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      `${ALLOW}\ndefault within := false\n\nwithin if 5 >= _amount\n\n_amount := request.arguments.amount`,
    ),
    good: one(`${ALLOW}\n${WITHIN}`),
  },
  {
    title: 'a builtin that fails removes a denial without a word',
    check: 'builtins',
    problem: '`to_number` can fail',
    bad: one('effect := "deny"\n\napplies if to_number(request.session.state) == 5'),
    good: one('effect := "deny"\n\napplies if request.session.state == "expired"'),
  },
  {
    title: 'a division in a helper of a denial',
    check: 'builtins',
    problem: '`div` can fail',
    bad: one('effect := "deny"\n\napplies if _share == 2\n\n_share := data.total / data.parts'),
    good: one('effect := "deny"\n\napplies if data.share == 2'),
  },
  {
    title: 'a pattern that may be malformed',
    check: 'builtins',
    problem: '`regex.match` can fail',
    bad: one('effect := "deny"\n\napplies if regex.match(data.pattern, request.name)'),
    good: one('effect := "deny"\n\napplies if startswith(request.name, "tool:shop/")'),
  },
  {
    title: 'input read by a variable cannot be projected',
    check: 'reads',
    problem: 'reads `input` other than by a constant path',
    bad: one('effect := "deny"\n\napplies if {\n\tsome name\n\tinput.context[name] == "x"\n}'),
    good: one('effect := "deny"\n\napplies if request.surface == "x"'),
  },
  {
    title: 'rules found by a variable',
    check: 'reads',
    problem: 'finds rules by a variable',
    bad: one(
      'effect := "deny"\n\napplies if {\n\tsome title\n\tdata.mcp.rules.boundary[title].applies == true\n}',
    ),
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'the grants are not where they were once they are indexed',
    check: 'reads',
    problem: 'reads the grants',
    bad: one('effect := "deny"\n\napplies if count(data.grants) > 3'),
    good: one('effect := "deny"\n\napplies if data.closed'),
  },
  {
    title: 'the inside of the library is not a contract',
    check: 'reads',
    problem: 'reads the inside of the library',
    bad: one('effect := "deny"\n\napplies if count(data.mcp.directory.chain) > 3'),
    good: one('effect := "deny"\n\napplies if count(request.chain) > 3'),
  },
  {
    title: '`with` in a rule replaces facts of the request',
    check: 'reads',
    problem: 'uses `with` outside a test',
    bad: one(
      'effect := "deny"\n\napplies if _open with input.context.surface as "ide"\n\n_open if input.context.surface == "ide"',
    ),
    good: one('effect := "deny"\n\napplies if request.surface == "ide"'),
  },
  {
    title: 'a variable that hides an import',
    check: 'shadowing',
    problem: 'the variable `request` hides an import',
    bad: one(
      'effect := "deny"\n\napplies if {\n\tsome request in data.requests\n\trequest.name == "x"\n}\n\napplies if request.surface == "ide"',
    ),
    good: one(
      'effect := "deny"\n\napplies if {\n\tsome entry in data.requests\n\tentry.name == request.name\n}',
    ),
  },
  {
    title: 'a misspelt root is believed in force',
    check: 'reachability',
    problem: 'no rule uses package mcp_rules.shop.refund',
    bad: { [FILE]: 'package mcp_rules.shop.refund\n\neffect := "deny"\n\napplies := true\n' },
    good: one('effect := "deny"\n\napplies := true'),
  },
  {
    title: 'a misspelt member of METADATA changes what a caller is told',
    check: 'metadata',
    problem: 'METADATA `custom` knows no `reason_cod`',
    bad: one(ALLOW, '# METADATA\n# custom: {reason_cod: TOO_MUCH}\n'),
    good: one(ALLOW, '# METADATA\n# custom: {reason_code: TOO_MUCH}\n'),
  },
  {
    title: 'a channel that does not exist',
    check: 'metadata',
    problem: 'METADATA `channels` is malformed',
    bad: one(
      `effect := "require_approval"\n\n${APPLIES}\n\neligible if "leads" in request.groups`,
      '# METADATA\n# custom: {channels: [email]}\n',
    ),
    good: one(
      `effect := "require_approval"\n\n${APPLIES}\n\neligible if "leads" in request.groups`,
      '# METADATA\n# custom: {channels: [task]}\n',
    ),
  },
  {
    title: 'an empty region holds for everything',
    check: 'data',
    problem: 'does not fit its schema (minProperties)',
    place: 'data /grants/0/within',
    bad: { 'data.json': '{"grants": [{"to": {"group": "a"}, "on": "*", "within": {}}]}' },
    good: { 'data.json': '{"grants": [{"to": {"group": "a"}, "on": "*"}]}' },
  },
  {
    title: 'data under mcp would be read as rules',
    check: 'data',
    problem: 'the data root `mcp` is reserved',
    place: 'data /mcp',
    bad: {
      'data.json': '{"mcp": {"rules": {"evil": {"x": {"effect": "allow", "applies": true}}}}}',
    },
    good: { 'data.json': '{"shop": {}}' },
  },
  {
    title: 'an argument that the tool does not have',
    check: 'argument_schemas',
    problem: 'request.arguments.amout',
    bad: {
      ...one(
        `${ALLOW}\ndefault within := false\n\nwithin if compare.at_most(request.arguments.amout, 5)`,
      ),
      'data.json': registered(),
    },
    good: { ...one(`${ALLOW}\n${WITHIN}`), 'data.json': registered() },
  },
];

function registered(): string {
  const input_schema = {
    type: 'object',
    properties: { amount: { type: 'number' } },
    additionalProperties: false,
  };
  const entry = { environment: 'production', risk: 'low', approved: true, input_schema };
  return JSON.stringify({ registry: { 'tool:shop/refund': entry } });
}
