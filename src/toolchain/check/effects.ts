import { fileOf, type Finding, type ParsedPolicy } from '../policy.ts';
import { EFFECTS, named, type Effect, type RulePackage } from '../rule_package.ts';

type Need = 'required' | 'optional' | 'forbidden';
type Part = 'applies' | 'within' | 'obligations' | 'eligible';

/** What a rule of each effect has beside it. */
const EFFECT_NEEDS: Record<Effect, Record<Part, Need>> = {
  allow: {
    applies: 'required',
    within: 'optional',
    obligations: 'forbidden',
    eligible: 'forbidden',
  },
  deny: {
    applies: 'required',
    within: 'forbidden',
    obligations: 'forbidden',
    eligible: 'forbidden',
  },
  limit: {
    applies: 'required',
    within: 'required',
    obligations: 'forbidden',
    eligible: 'forbidden',
  },
  require_approval: {
    applies: 'required',
    within: 'optional',
    obligations: 'forbidden',
    eligible: 'required',
  },
  oblige: {
    applies: 'required',
    within: 'forbidden',
    obligations: 'required',
    eligible: 'forbidden',
  },
};

/**
 * The effect is a literal, because the build reads it; each effect has what it needs and nothing
 * that would be ignored; and `within` has a default, so that an undefined region is outside.
 */
export function effects({ rules }: ParsedPolicy): Finding[] {
  return rules.flatMap((rule) => [...unfitting(rule), ...undefaulted(rule)]);
}

function unfitting(rule: RulePackage): Finding[] {
  const { effect } = rule;
  if (!effect) {
    const instead = `write \`effect := "…"\` once, without a body: ${EFFECTS.join(', ')}`;
    return [finding(rule, 'the effect is not one literal', instead)];
  }
  return Object.entries(EFFECT_NEEDS[effect]).flatMap(([part, need]) => {
    const present = named(rule.rules, part).length > 0;
    if (present && need === 'forbidden') {
      return [
        finding(rule, `an effect of ${effect} has no \`${part}\``, 'remove it, or split the rule'),
      ];
    }
    if (!present && need === 'required') {
      return [finding(rule, `an effect of ${effect} needs \`${part}\``, `declare \`${part}\``)];
    }
    return [];
  });
}

function undefaulted(rule: RulePackage): Finding[] {
  const within = named(rule.rules, 'within');
  const defaults = within.filter((definition) => definition.default);
  const isFalse = defaults.length === 1 && defaults[0]?.head.value?.value === false;
  if (within.length === 0 || isFalse) return [];
  return [finding(rule, '`within` has no default', 'write `default within := false` above it')];
}

function finding(rule: RulePackage, problem: string, instead: string): Finding {
  const place = rule.modules[0] ? fileOf(rule.modules[0]) : rule.id;
  return { check: 'effects', place, problem, instead };
}
