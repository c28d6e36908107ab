/** What a static file says to one question, with all that led to it. */
import { members } from '../request.ts';
import type { PolicyInput } from '../types.ts';
import {
  askerOf,
  grantsOn,
  standingOf,
  targetOf,
  type Asker,
  type Finding,
  type Target,
} from './findings.ts';
import { actsOn, isListed, rowOf, type MethodRow, type MethodTable } from './methods.ts';
import type { Rbac } from './model.ts';
import { ruleOn, type Ruling } from './ruling.ts';

export interface Examined extends Ruling {
  /** How each grant on the thing stands, in the order of the file. */
  findings: readonly Finding[];
  /** Somebody with these roles, there, may do something with the thing (ruling R11). */
  visible: boolean;
  /** Why it was decided without the grants. */
  why?: string;
}

/** The fault of an input that cannot be decided on. */
export interface Odd {
  fault: string;
}

/** The file, and the table of the methods that it speaks of. */
export interface Book {
  rbac: Rbac;
  methods: MethodTable;
}

/** What a file says to a question. */
export function examine(book: Book, input: PolicyInput): Examined | Odd {
  const asker = askerOf(book.rbac, input);
  if ('fault' in asker) return asker;
  const target = targetOf(input.resource);
  if (!target) return { fault: 'the resource has no type or no id' };
  const { name, properties } = members(input.action);
  const row = rowOf(book.methods, name);
  const { verb = row?.verb } = members(properties);
  // The word is derived from the method (R16); another one is of another method.
  if (row && verb !== row.verb) return { fault: 'the verb is not that of the method' };
  const { visible } = visibility(book, asker, target);
  const settled = ruleOnMethod(book, String(name), row, target);
  if (settled) return { ...settled, findings: [], visible: settled.outcome === 'allow' || visible };
  const findings = findingsOn(book, asker, target, String(verb));
  const ruling = ruleOn(findings, asker.actor_type);
  return { ...ruling, findings, visible };
}

type Settled = Ruling & { why: string };

/** What the method settles by itself; undefined where the grants decide. */
function ruleOnMethod(
  { rbac }: Book,
  name: string,
  row: MethodRow | undefined,
  { type }: Target,
): Settled | undefined {
  const denied = { outcome: 'deny', constraints: {}, grants: [] } as const;
  if (!row) {
    return { ...denied, reason_code: 'UNKNOWN_METHOD_DENIED', why: 'the method is not known' };
  }
  if (rbac.denied.has(name)) return { ...denied, why: `_methods denies ${name}` };
  // The protocol's own methods are no capabilities, and no file can cut them (R8).
  if (row.handling === 'allow' && type === 'mcp_server') {
    return { ...denied, outcome: 'allow', why: "the method is the protocol's own" };
  }
  if (actsOn(row, type)) return undefined;
  return { ...denied, why: 'the method does not act on such a thing' };
}

function findingsOn(
  { rbac, methods }: Book,
  asker: Asker,
  target: Target,
  verb: string,
): readonly Finding[] {
  const listed = isListed(methods, target.type);
  return grantsOn(rbac, target).map((grant) => ({
    grant,
    standing: standingOf(grant, asker, target, verb, listed),
  }));
}

/**
 * Whether anything can be done with a thing by a method that the file does not deny, with the first
 * ruling that says so.
 */
export function visibility(
  book: Book,
  asker: Asker,
  target: Target,
): { visible: boolean; ruling: Ruling | undefined } {
  const named = new Set(grantsOn(book.rbac, target).flatMap(({ actions }) => [...actions]));
  let refusing: Ruling | undefined;
  for (const [name, row] of Object.entries(book.methods)) {
    const { verb } = row;
    if (verb === undefined || !named.has(verb)) continue;
    if (book.rbac.denied.has(name) || !actsOn(row, target.type)) continue;
    const ruling = ruleOn(findingsOn(book, asker, target, verb), asker.actor_type);
    if (ruling.outcome !== 'deny') return { visible: true, ruling };
    if (!refusing?.grants.length) refusing = ruling;
  }
  return { visible: false, ruling: refusing };
}
