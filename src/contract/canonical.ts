/**
 * Canonical JSON (RFC 8785): one text for one value, so that it can be hashed, compared and signed.
 * Numbers and strings are written as ECMAScript does (section 3.2.2); members are sorted by UTF-16
 * code units (section 3.2.3), which is the order of `Array.prototype.sort`.
 */

/**
 * The canonical text of an I-JSON value; members that are `undefined` are left out. Throws a
 * `TypeError` for what I-JSON cannot hold, as the RFC demands.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return canonicalString(value);
  if (typeof value === 'number') return canonicalNumber(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') return canonicalObject(value as Record<string, unknown>);
  throw new TypeError(`no canonical form for a ${typeof value}`);
}

/** Text that JSON writes as it is: printable ASCII but `"` and `\\`. */
const PLAIN = /^[ !#-[\]-~]*$/;

function canonicalString(value: string): string {
  if (PLAIN.test(value)) return `"${value}"`;
  if (!value.isWellFormed()) throw new TypeError('no canonical form for a lone surrogate');
  return JSON.stringify(value);
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value))
    throw new TypeError('no canonical form for a number beyond a double');
  return JSON.stringify(value);
}

function canonicalObject(value: Record<string, unknown>): string {
  let text = '';
  eachMember(value, (_name, member) => {
    text += text === '' ? member : `,${member}`;
  });
  return `{${text}}`;
}

/** Hands over each member in canonical order: its name, and its canonical text with that name. */
export function eachMember(value: object, take: (name: string, text: string) => void): void {
  for (const name of sortedNames(value)) {
    const member = (value as Record<string, unknown>)[name];
    if (member === undefined) continue;
    take(name, `${canonicalString(name)}:${canonicalJson(member)}`);
  }
}

/** Sorting what is sorted already costs more than finding out. */
function sortedNames(value: object): string[] {
  const names = Object.keys(value);
  for (let i = 1; i < names.length; i += 1) {
    if ((names[i - 1] as string) > (names[i] as string)) return names.sort();
  }
  return names;
}
