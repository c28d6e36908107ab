/**
 * Writes the static provider of `mcp.router`: one block for each rule and capability, so that a
 * request evaluates only the rules that can concern it, and nothing is dispatched dynamically. That
 * is right in OPA and in WASM alike, and flat from four rules to a thousand.
 */
import { packageText, regoString } from './rego_text.ts';
import type { Effect, RulePackage } from './rule_package.ts';

/** Everything the combiner reads from a router. */
const ROUTER_KINDS = [
  'denied',
  'listed',
  'allowed',
  'limited',
  'askable',
  'asked',
  'eligible',
  'obliged',
  'unobliged',
] as const;
type Kind = (typeof ROUTER_KINDS)[number];

/** Rego text of the package, the same for the same rules. */
export function routerSource(rules: readonly RulePackage[]): string {
  const blocks = rules.flatMap((rule) => (rule.effect ? BLOCKS[rule.effect](rule) : []));
  return packageText('mcp.router', [...blocks, ...ROUTER_KINDS.map(emptyKind)]);
}

const BLOCKS: Record<Effect, (rule: RulePackage) => string[]> = {
  allow: (rule) => [
    ...member('listed', rule, []),
    ...member('allowed', rule, rule.has_within ? [`${ref(rule)}.within == true`] : []),
  ],
  deny: (rule) => member('denied', rule, []),
  limit: (rule) => member('limited', rule, [`not ${ref(rule)}.within == true`]),
  require_approval: (rule) => [
    ...member('askable', rule, []),
    ...member('asked', rule, [`not ${ref(rule)}.within == true`]),
    eligible(rule),
  ],
  oblige: (rule) => [
    ...obliged(rule),
    ...member('unobliged', rule, [`not _stated[${regoString(rule.id)}]`]),
    stated(rule),
  ],
};

function member(kind: Kind, rule: RulePackage, conditions: string[]): string[] {
  const lines = [`${ref(rule)}.applies == true`, ...conditions];
  return rule.capabilities.map((name) => contains(kind, name, regoString(rule.id), lines));
}

/**
 * An approver is asked apart: `applies`, which looks at the requester, is not, and so the names in
 * it are no key here.
 */
function eligible(rule: RulePackage): string {
  return contains('eligible', '*', regoString(rule.id), [`${ref(rule)}.eligible == true`]);
}

function obliged(rule: RulePackage): string[] {
  const lines = [`${ref(rule)}.applies == true`, `some obligation in ${ref(rule)}.obligations`];
  return rule.capabilities.map((name) => contains('obliged', name, 'obligation', lines));
}

/** In a helper of its own: `not is_set(ref)` would be undefined where the reference is. */
function stated(rule: RulePackage): string {
  const lines = [`is_set(${ref(rule)}.obligations)`, `count(${ref(rule)}.obligations) > 0`];
  return `_stated[${regoString(rule.id)}] if {\n\t${lines.join('\n\t')}\n}`;
}

function contains(kind: Kind, capability: string, what: string, lines: string[]): string {
  return `${kind}[${regoString(capability)}] contains ${what} if {\n\t${lines.join('\n\t')}\n}`;
}

/** A kind without rules must still exist, else reading it is a compile error. */
function emptyKind(kind: Kind): string {
  return `${kind}["-"] contains "" if false`;
}

function ref(rule: RulePackage): string {
  return rule.path.map((step, i) => (i === 0 ? step : pathStep(step))).join('');
}

function pathStep(step: string): string {
  return /^[a-zA-Z_]\w*$/u.test(step) ? `.${step}` : `[${regoString(step)}]`;
}
