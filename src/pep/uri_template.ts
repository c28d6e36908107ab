/** The part of RFC 6570 that the guard needs to know which addresses a template may stand for. */

/** An expression, such as `{path}` or `{?first,second}`. */
const EXPRESSION = /\{[^{}]*\}/;
const EXPRESSIONS = /\{([^{}]*)\}/g;

/**
 * Whether an address may come from a template: each expression may stand for anything. Policy
 * decides on the address itself, so that too much is matched here opens nothing.
 */
export function templateMatches(template: string, uri: string): boolean {
  const [first = '', ...rest] = template.split(EXPRESSION);
  if (rest.length === 0) return uri === template;
  const last = rest.pop() as string;
  if (!uri.startsWith(first)) return false;
  let at = first.length;
  for (const literal of rest) {
    const found = uri.indexOf(literal, at);
    if (found === -1) return false;
    at = found + literal.length;
  }
  return uri.length - last.length >= at && uri.endsWith(last);
}

/**
 * The address that a template makes of its variables; undefined where one is missing, or where an
 * expression is more than a variable (RFC 6570, levels 1 and 2: `{x}` and `{+x}`).
 */
export function expandTemplate(
  template: string,
  variables: Readonly<Record<string, unknown>>,
): string | undefined {
  let complete = true;
  const uri = template.replace(EXPRESSIONS, (_whole, expression: string) => {
    const [, reserved, name] = /^(\+?)(\w+)$/.exec(expression) ?? [];
    const value = name === undefined ? undefined : variables[name];
    if (typeof value !== 'string' || !value.isWellFormed()) complete = false;
    else return reserved ? encodeURI(value) : encodeURIComponent(value);
    return '';
  });
  return complete ? uri : undefined;
}
