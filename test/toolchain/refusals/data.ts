/** METADATA and policy data. */
import { ALLOW, APPLIES, lines, one, type Refusal } from './refusal.ts';

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
