/**
 * Reads YAML as the JSON value that it writes, and only where there is no doubt what that is: names
 * are strings and single, numbers finite, tags none, and aliases few (a short text can unfold into
 * gigabytes).
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type Node,
} from 'yaml';
import { jsonFaultText } from '../contract/fault_text.ts';
import { parseJson, pointerSteps, type JsonLimits } from '../contract/json.ts';

export type YamlResult = { ok: true; value: unknown } | { ok: false; why: string };

/** A value together with where each place of it stands in the text. */
export type PlacedYaml =
  | {
      ok: true;
      value: unknown;
      /** `line 3, column 5`: the name or item at a pointer, or as near to it as the text goes. */
      place(pointer: string): string;
    }
  | { ok: false; why: string };

const ALIASES_MAX = 100;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads one YAML 1.2 document of the core schema. Never throws; `why` quotes nothing. */
export function parseYaml(bytes: Uint8Array, limits: JsonLimits): PlacedYaml {
  if (bytes.length > limits.size_bytes_max) return refuse('it is larger than the limit');
  try {
    return parseText(utf8.decode(bytes), limits);
  } catch (cause) {
    if (cause instanceof ReferenceError)
      return refuse('an alias leads nowhere, or there are too many');
    return refuse(cause instanceof RangeError ? 'it is nested too deeply' : 'it is not UTF-8');
  }
}

function parseText(text: string, limits: JsonLimits): PlacedYaml {
  const lines = new LineCounter();
  const placeOf = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `line ${line}, column ${col}`;
  };
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    resolveKnownTags: false,
    lineCounter: lines,
  });
  const [error] = [...document.errors, ...document.warnings];
  if (error)
    return refuse(
      `not strict YAML, ${error.code.toLowerCase().replaceAll('_', ' ')}`,
      placeOf(error.pos[0]),
    );
  let fault: { why: string; node: unknown } | undefined;
  visit(document, {
    Pair: (_, { key }) => {
      const isName = isScalar(key) && typeof key.value === 'string' && key.value !== '__proto__';
      if (!isName) fault ??= { why: 'a name is not a string', node: key };
    },
    Scalar: (_, node) => {
      const isFinite = typeof node.value !== 'number' || Number.isFinite(node.value);
      if (!isFinite) fault ??= { why: 'a number is out of range', node };
    },
  });
  if (fault) return refuse(fault.why, placeOf((fault.node as Node).range?.[0] ?? 0));
  const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
  const result = parseJson(JSON.stringify(value) ?? '', limits);
  if (!result.ok) return refuse(jsonFaultText(result.fault));
  return { ...result, place: (pointer) => placeOf(offsetOf(document, pointer)) };
}

function offsetOf(document: Document, pointer: string): number {
  let node = document.contents as Node | null | undefined;
  let offset = node?.range?.[0] ?? 0;
  for (const step of pointerSteps(pointer) ?? []) {
    if (isAlias(node)) node = node.resolve(document);
    const next = childOf(node, step);
    if (!next) break;
    offset = next.at?.range?.[0] ?? offset;
    node = next.value;
  }
  return offset;
}

/** What a step leads to, and the node that stands for it: the name of a member, or the item. */
function childOf(
  node: Node | null | undefined,
  step: string,
): { at: Node | null | undefined; value: Node | null | undefined } | undefined {
  if (isSeq<Node>(node)) {
    const item = node.items[Number(step)];
    return item && { at: item, value: item };
  }
  const pair = isMap<Node, Node | null>(node)
    ? node.items.find(({ key }) => isScalar(key) && key.value === step)
    : undefined;
  return pair && { at: pair.key, value: pair.value };
}

function refuse(why: string, place?: string): { ok: false; why: string } {
  return { ok: false, why: place === undefined ? why : `${why} in ${place}` };
}
