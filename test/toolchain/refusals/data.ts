/** METADATA and policy data. */
import { ALLOW, APPLIES, lines, one, type Refusal } from './refusal.ts';

/** A grant over one argument of a tool whose schema is known. */
function granted(pointer: string): Record<string, string> {
  const amount = { type: 'number' };
  const input_schema = {
    properties: {
      amount,
      lines: { items: { properties: { price: amount } } },
      open: { properties: {}, additionalProperties: true },
      closed: { properties: {} },
    },
  };
  const tool = { environment: 'production', risk: 'low', approved: true, input_schema };
  const on = 'tool:shop/refund';
  const grant = { to: { group: 'a' }, on, within: { [pointer]: { at_most: 5 } } };
  return { 'data.json': JSON.stringify({ registry: { [on]: tool }, grants: [grant] }) };
}

export const DATA: readonly Refusal[] = [
  {
    title: 'a misspelt member of METADATA changes what a caller is told',
    check: 'metadata',
    problem: 'METADATA `custom` knows no `reason_cod`',
    bad: one(ALLOW, lines('# METADATA', '# custom: {reason_cod: TOO_MUCH}', '')),
    good: one(ALLOW, lines('# METADATA', '# custom: {reason_code: TOO_MUCH}', '')),
  },
  {
    title: 'a channel that does not exist',
    check: 'metadata',
    problem: 'METADATA `channels` is malformed',
    bad: one(
      lines(
        'effect := "require_approval"',
        '',
        APPLIES,
        '',
        'eligible if "leads" in request.groups',
      ),
      lines('# METADATA', '# custom: {channels: [email]}', ''),
    ),
    good: one(
      lines(
        'effect := "require_approval"',
        '',
        APPLIES,
        '',
        'eligible if "leads" in request.groups',
      ),
      lines('# METADATA', '# custom: {channels: [task]}', ''),
    ),
  },
  {
    title: 'an empty region holds for everything',
    check: 'data',
    problem: 'does not fit its schema: it must have at least 1 member',
    place: 'data /grants/0/within',
    bad: { 'data.json': '{"grants": [{"to": {"group": "a"}, "on": "*", "within": {}}]}' },
    good: { 'data.json': '{"grants": [{"to": {"group": "a"}, "on": "*"}]}' },
  },
  {
    title: 'a grant over an argument that the tool does not have never holds',
    check: 'grant_arguments',
    problem: 'the tool has no argument `/amout`',
    place: 'data /grants/0/within/~1amout',
    bad: granted('/amout'),
    good: granted('/amount'),
  },
  {
    title: 'an argument within others is looked for where the schema lists it',
    check: 'grant_arguments',
    problem: 'the tool has no argument `/lines/*/prise`',
    place: 'data /grants/0/within/~1lines~1*~1prise',
    bad: granted('/lines/*/prise'),
    good: granted('/lines/*/price'),
  },
  {
    title: 'what a schema leaves open may be there',
    check: 'grant_arguments',
    problem: 'the tool has no argument `/closed/a`',
    place: 'data /grants/0/within/~1closed~1a',
    bad: granted('/closed/a'),
    good: granted('/open/a'),
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
];
