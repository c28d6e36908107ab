import { isBlock, walkRule } from '../ast.ts';
import { isAuthored, placeOf, type Finding, type ParsedPolicy } from '../policy.ts';

/**
 * `or` and `not { … }` come with later versions of Rego. What they mean for a missing fact, and in
 * the compiled policy, is not examined here, so a rule does without them.
 */
export function syntax({ base }: ParsedPolicy): Finding[] {
  return base.definitions
    .filter(({ module }) => isAuthored(module))
    .flatMap(({ rule }) => {
      const found: Finding[] = [];
      walkRule(rule, {
        expr: ({ terms, location }) => {
          if (!isBlock(terms)) return;
          found.push({
            check: 'syntax',
            place: placeOf(location ?? rule.location),
            problem: `a block of \`${terms.type}\``,
            instead: 'write each alternative as a rule of its own, and `not _helper`',
          });
        },
      });
      return found;
    });
}
