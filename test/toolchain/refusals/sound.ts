/** Policies that look like those that are refused, and are sound and common. */
import { APPLIES, deny, FILE, rule, within } from './refusal.ts';

export const SOUND: readonly { title: string; policy: Record<string, string> }[] = [
  {
    title: '`not` over a call with what is bound already',
    policy: deny(
      'applies if {',
      '\tsome group in request.groups',
      '\tnot group in {"a", "b"}',
      '\tnot startswith(group, "team-")',
      '}',
    ),
  },
  {
    title: '`every` over arguments',
    policy: within(
      'within if {',
      '\tevery line in request.arguments.lines {',
      '\t\tcompare.at_most(line.price, 5)',
      '\t}',
      '}',
    ),
  },
  {
    title: 'a table of its own read by a variable',
    policy: deny(
      'applies if {',
      '\tsome group in request.groups',
      '\t_barred[group]',
      '}',
      '',
      '_barred[group] := true if some group in data.barred',
    ),
  },
  {
    title: 'a rule with a constant',
    policy: {
      [FILE]: rule(`effect := "limit"\n\n${APPLIES}\n\ndefault within := false\n\nwithin := true`),
    },
  },
];
