/** What a rule does with arguments. */
import { ALLOW, APPLIES, deny, FILE, lines, one, type Refusal, WITHIN } from './refusal.ts';

export const ARGUMENTS: readonly Refusal[] = [
  {
    title: 'a denial that waits for an argument is not there when it is missing',
    check: 'argument_places',
    problem: '`applies` reads the argument `/amount`',
    bad: deny('applies if compare.more_than(request.arguments.amount, 5)'),
    good: one(lines('effect := "limit"', '', APPLIES, '', WITHIN)),
  },
  {
    title: 'arguments reach applies through a helper',
    check: 'argument_places',
    problem: '`applies` reads the argument `/amount`',
    bad: deny(
      'applies if _large',
      '',
      '_large if compare.more_than(input.context.arguments.amount, 5)',
    ),
    good: one(lines('effect := "limit"', '', APPLIES, '', WITHIN)),
  },
  {
    title: 'arguments reach applies through another package',
    check: 'argument_places',
    problem: '`applies` reads the argument `/amount`',
    bad: {
      [FILE]: lines(
        'package mcp.rules.shop.refund',
        '',
        'import data.shop.size',
        '',
        'effect := "deny"',
        '',
        'applies if size.large',
        '',
      ),
      'size.rego': lines(
        'package shop.size',
        '',
        'import data.mcp.compare',
        'import data.mcp.request',
        '',
        'large if compare.more_than(request.arguments.amount, 5)',
        '',
      ),
    },
    good: one(lines('effect := "limit"', '', APPLIES, '', WITHIN)),
  },
  {
    title: 'the whole request taken by name may hold arguments',
    check: 'argument_places',
    problem: '`applies` reads the argument `all`',
    bad: deny('applies if count(request) > 40'),
    good: deny('applies if request.surface == "ide"'),
  },
  {
    title: 'null and false are at most everything in Rego',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      lines(ALLOW, 'default within := false', '', 'within if request.arguments.amount <= 5'),
    ),
    good: one(lines(ALLOW, WITHIN)),
  },
  {
    title: 'an ordering over a variable that holds an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      lines(
        ALLOW,
        'default within := false',
        '',
        'within if {',
        `\tamount := request.arguments.amount`,
        `\tamount <= 5`,
        '}',
      ),
    ),
    good: one(lines(ALLOW, WITHIN)),
  },
  {
    title: 'an ordering over the members of an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      lines(
        ALLOW,
        'default within := false',
        '',
        'within if {',
        `\tevery item in request.arguments.items {`,
        `\t\titem.price < 5`,
        `\t}`,
        '}',
      ),
    ),
    good: one(
      lines(
        ALLOW,
        'default within := false',
        '',
        'within if {',
        `\tevery item in request.arguments.items {`,
        `\t\tcompare.less_than(item.price, 5)`,
        `\t}`,
        '}',
      ),
    ),
  },
  {
    title: 'an ordering inside a function that is given an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      lines(
        ALLOW,
        'default within := false',
        '',
        'within if _small(request.arguments.amount)',
        '',
        '_small(x) if x <= 5',
      ),
    ),
    good: one(lines(ALLOW, WITHIN)),
  },
  {
    title: 'an ordering over a helper that holds an argument',
    check: 'comparisons',
    problem: 'a bare ordering over arguments',
    bad: one(
      lines(
        ALLOW,
        'default within := false',
        '',
        'within if 5 >= _amount',
        '',
        '_amount := request.arguments.amount',
      ),
    ),
    good: one(lines(ALLOW, WITHIN)),
  },
  {
    title: 'an argument that the tool does not have',
    check: 'argument_schemas',
    problem: 'request.arguments.amout',
    bad: {
      ...one(
        lines(
          ALLOW,
          'default within := false',
          '',
          'within if compare.at_most(request.arguments.amout, 5)',
        ),
      ),
      'data.json': registered(),
    },
    good: { ...one(lines(ALLOW, WITHIN)), 'data.json': registered() },
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
