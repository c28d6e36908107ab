/** Finds what a request speaks of among the things that the server has. */
import { digestOf } from '../contract/digest.ts';
import { isName, type CatalogueItem } from './catalogue.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import type { Kind } from './kinds.ts';
import { templateMatches } from './uri_template.ts';

export interface Found {
  /** False: the server has none of the kind, and does not know the methods. */
  supported: boolean;
  /** Undefined: it does not exist. */
  item?: CatalogueItem | undefined;
  /** It is not listed itself: a template of the server makes it. */
  templated?: true;
}

/** Rejects where the server's lists cannot be had. */
export async function find(
  gate: Pick<Gate, 'catalogue'>,
  exchange: Exchange,
  kind: Kind,
  id: string,
): Promise<Found> {
  if (kind === 'resource') return findResource(gate, exchange, id);
  const { items, supported } = await gate.catalogue(kind, exchange);
  return { supported, item: items.get(id) };
}

/** Both lists are always read, so that time does not tell what is listed from what is not. */
async function findResource(
  gate: Pick<Gate, 'catalogue'>,
  exchange: Exchange,
  uri: string,
): Promise<Found> {
  const listed = await gate.catalogue('resource', exchange);
  const templates = await gate.catalogue('resource_template', exchange);
  const supported = listed.supported || templates.supported;
  const item = listed.items.get(uri);
  if (item || listed.doubled.has(uri) || !isPlain(uri)) return { supported, item };
  const matching = [...templates.items.values()].filter(({ name }) => templateMatches(name, uri));
  const [first, ...others] = matching;
  if (first === undefined) return { supported };
  const digest = others.length > 0 ? digestOf(matching.map((it) => it.digest)) : first.digest;
  return { supported, item: { ...first, name: uri, digest }, templated: true };
}

/**
 * A percent sign before what needs none (RFC 3986, section 6.2.2: `%65` is `e`, `%c3` is `%C3`),
 * or before a separator, another percent sign or a NUL, which a server would read after policy
 * did not.
 */
const ENCODED = /%(?:[46][1-9a-f]|[57][\da]|3\d|2[def]|5[cf]|7e|25|00)/i;
const LOWER_CASE = /%(?:[a-f]|[\dA-F][a-f])/;

/**
 * Whether an address has one spelling: policy reads it as it is, and a server may read
 * `file:///open/../secret` as `file:///secret` (WHATWG URL, section 4.4).
 */
function isPlain(uri: string): boolean {
  const encoded = uri.includes('\\') || ENCODED.test(uri) || LOWER_CASE.test(uri);
  return isName(uri) && URL.parse(uri)?.href === uri && !encoded;
}
