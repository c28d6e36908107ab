/**
 * What a policy says to a list, judged strictly: of each item whether it is shown, and by which
 * rules, for the evidence.
 */
import { judgeList, judgeResult, showsVerdict } from './result.ts';

/** How one item of a list was decided. */
export interface Listed {
  visible: boolean;
  reason_code: string;
  /** The rules that decided, by id. */
  rules: readonly string[];
}

/** One item as a policy tells it: `[visible, reason_code, rules]`. */
export type ListedText = readonly [boolean, string, readonly string[]];

/** Of a policy that says no more than which items are visible. */
const SHOWN: Listed = { visible: true, reason_code: 'ALLOWED', rules: [] };
const WITHHELD: Listed = { visible: false, reason_code: 'CAPABILITY_NOT_ALLOWED', rules: [] };

/** As policy_result.schema.json has them. */
const REASON_CODE = /^[A-Z][A-Z0-9_]{1,63}$/;
const RULES_MAX = 1024;
const RULE_CHARACTERS_MAX = 512;

/**
 * The decisions on `count` items, or undefined where the raw result is neither distinct positions
 * of the visible ones nor one `[visible, reason_code, rules]` for each item, in order.
 */
export function judgeListing(raw: unknown, count: number): readonly Listed[] | undefined {
  if (Array.isArray(raw) && Array.isArray(raw[0])) return judgeEach(raw, count);
  const positions = judgeList(raw, count);
  return (
    positions && Array.from({ length: count }, (_, i) => (positions.has(i) ? SHOWN : WITHHELD))
  );
}

function judgeEach(raw: readonly unknown[], count: number): Listed[] | undefined {
  if (raw.length !== count) return undefined;
  const listed: Listed[] = [];
  for (const item of raw) {
    if (!isListedText(item)) return undefined;
    const [visible, reason_code, rules] = item;
    listed.push({ visible, reason_code, rules });
  }
  return listed;
}

function isListedText(item: unknown): item is ListedText {
  if (!Array.isArray(item) || item.length !== 3) return false;
  const [visible, reason_code, rules] = item as unknown[];
  return (
    typeof visible === 'boolean' &&
    typeof reason_code === 'string' &&
    REASON_CODE.test(reason_code) &&
    Array.isArray(rules) &&
    rules.length <= RULES_MAX &&
    rules.every(isRule)
  );
}

export function isRule(rule: unknown): rule is string {
  return typeof rule === 'string' && rule !== '' && rule.length <= RULE_CHARACTERS_MAX;
}

/** One result, asked for as a list asks, as an item of a list. */
export function listedText(raw: unknown): ListedText {
  const verdict = judgeResult(raw);
  const visible = showsVerdict(verdict);
  return [visible, visible ? SHOWN.reason_code : verdict.reason_code, verdict.rules];
}

/** Every item withheld, for one reason. */
export function withheldAll(count: number, reason_code: string): readonly Listed[] {
  return Array<Listed>(count).fill({ visible: false, reason_code, rules: [] });
}
