import { fileOf, type Finding, type ParsedPolicy } from '../policy.ts';
import type { RuleCustom, RulePackage } from '../rule_package.ts';

/** As policy_result.schema.json has it. */
const SAFE_MESSAGE_LENGTH_MAX = 1024;
const APPROVALS_MAX = 16;
const CHANNELS = ['task', 'elicitation', 'none'];

/** What `custom` of a rule's METADATA may hold, and when a value is right. */
const CUSTOM: Record<keyof RuleCustom, { right: (value: unknown) => boolean; says: string }> = {
  reason_code: {
    right: (value) => typeof value === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/u.test(value),
    says: 'capital letters, digits and `_`, such as TRANSFER_LIMIT',
  },
  safe_message: {
    right: (value) =>
      typeof value === 'string' && value.length > 0 && value.length <= SAFE_MESSAGE_LENGTH_MAX,
    says: 'one sentence that any caller may read',
  },
  channels: {
    right: (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every((v) => CHANNELS.includes(v as string)),
    says: `a list of ${CHANNELS.join(', ')}`,
  },
  approvals: {
    right: (value) =>
      Number.isInteger(value) && Number(value) >= 1 && Number(value) <= APPROVALS_MAX,
    says: `a whole number from 1 to ${APPROVALS_MAX}`,
  },
  grant: {
    right: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    says: 'an object that bounds an approval',
  },
};

/** The build reads METADATA, so a typo in it would silently change what a caller is told. */
export function metadata({ rules }: ParsedPolicy): Finding[] {
  return rules.flatMap((rule) =>
    Object.entries(rule.custom).flatMap(([name, value]) => wrongMember(rule, name, value)),
  );
}

function wrongMember(rule: RulePackage, name: string, value: unknown): Finding[] {
  const known = Object.hasOwn(CUSTOM, name) ? CUSTOM[name as keyof RuleCustom] : undefined;
  if (known?.right(value)) return [];
  const place = rule.modules[0] ? fileOf(rule.modules[0]) : rule.id;
  return [
    {
      check: 'metadata',
      place,
      problem: known
        ? `METADATA \`${name}\` is malformed`
        : `METADATA \`custom\` knows no \`${name}\``,
      instead: known ? `write ${known.says}` : `known are ${Object.keys(CUSTOM).join(', ')}`,
    },
  ];
}
