/**
 * The policies that `portcullis check` saves: each is accepted by `opa check --strict`, looks
 * right, and would be silently wrong. Beside each stands how it is mended.
 */

export interface Refusal {
  title: string;
  check: string;
  /** Part of the problem that is reported. */
  problem: string;
  /** Where; the file of the rule unless said otherwise. */
  place?: string;
  bad: Record<string, string>;
  good: Record<string, string>;
}

const HEAD = 'import data.mcp.compare\nimport data.mcp.request\n';
export const FILE = 'rules/shop/refund.rego';

/** A rule package `mcp.rules.shop.refund` with a body. */
export function rule(body: string, metadata = ''): string {
  const imports = HEAD.split('\n').filter((line) => {
    const name = line.split('.').at(-1) ?? '';
    return name !== '' && new RegExp(`(?<!some )\\b${name}\\b`, 'u').test(body);
  });
  return `${metadata}package mcp.rules.shop.refund\n\n${imports.join('\n')}\n\n${body}\n`;
}

/** That package as a policy, with an empty root in the data for each that it names. */
export function one(body: string, metadata = ''): Record<string, string> {
  const roots = [...body.matchAll(/\bdata\.([a-z_]+)/gu)].map(([, root = '']) => root);
  const own = roots.filter((root) => !['mcp', 'grants', 'portcullis'].includes(root));
  const policy = { [FILE]: rule(body, metadata) };
  if (own.length === 0) return policy;
  return {
    ...policy,
    'data.json': JSON.stringify(Object.fromEntries(own.map((root) => [root, {}]))),
  };
}

export const APPLIES = 'applies if request.name == "tool:shop/refund"';
export const ALLOW = `effect := "allow"\n\n${APPLIES}\n`;
export const WITHIN =
  'default within := false\n\nwithin if compare.at_most(request.arguments.amount, 5)';

/** A denial. */
export function deny(...text: string[]): Record<string, string> {
  return one(lines('effect := "deny"', '', ...text));
}

/** An allow with a region. */
export function within(...text: string[]): Record<string, string> {
  return one(lines(ALLOW, 'default within := false', '', ...text));
}

/** Rego line by line. */
export function lines(...text: string[]): string {
  return text.join('\n');
}
