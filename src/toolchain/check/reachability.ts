import { fileOf, isAuthored, reachedFrom, type Finding, type ParsedPolicy } from '../policy.ts';
import { hasMask, isMaskPackage } from '../mask.ts';
import { packagePath, startsWith } from '../references.ts';
import { RULES_ROOT } from '../rule_package.ts';

/**
 * A package that no rule reaches decides nothing: most often its name is a typo of `mcp.rules`, and
 * its author believes it in force.
 */
export function reachability(policy: ParsedPolicy): Finding[] {
  const { base, rules } = policy;
  const inRules = new Set(rules.flatMap((rule) => rule.rules));
  const isMasked = hasMask(policy);
  const roots = base.definitions.filter(
    ({ rule, module }) => inRules.has(rule) || (isMasked && isMaskPackage(module)),
  );
  const reached = new Set([...reachedFrom(roots, base)].map(({ module }) => module));
  return base.modules
    .filter((module) => isAuthored(module) && !reached.has(module))
    .filter((module) => !startsWith(packagePath(module), RULES_ROOT))
    .map((module) => ({
      check: 'reachability',
      place: `${fileOf(module)}:${module.package.location?.row ?? 1}`,
      problem: `no rule uses package ${packagePath(module).slice(1).join('.')}`,
      instead:
        'put a rule under `mcp.rules.<area>.<title>`, import the package there, or remove it',
    }));
}
