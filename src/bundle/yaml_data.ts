/**
 * Reads YAML as the JSON value that it writes, and only where there is no doubt what that is: names
 * are strings and single, numbers finite, tags none, and aliases few (a short text can unfold into
 * gigabytes).
 */
import { isScalar, LineCounter, parseDocument, visit, type Node } from 'yaml';
import { jsonFaultText } from '../contract/fault_text.ts';
import { parseJson, type JsonLimits } from '../contract/json.ts';

export type YamlResult = { ok: true; value: unknown } | { ok: false; why: string };

const ALIASES_MAX = 100;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Reads one YAML 1.2 document of the core schema. Never throws; `why` quotes nothing. */
export function parseYaml(bytes: Uint8Array, limits: JsonLimits): YamlResult {
  if (bytes.length > limits.size_bytes_max) return refuse('it is larger than the limit');
  try {
    return parseText(utf8.decode(bytes), limits);
  } catch (cause) {
    if (cause instanceof ReferenceError)
      return refuse('an alias leads nowhere, or there are too many');
    return refuse(cause instanceof RangeError ? 'it is nested too deeply' : 'it is not UTF-8');
  }
}

function parseText(text: string, limits: JsonLimits): YamlResult {
  const lines = new LineCounter();
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
      lines.linePos(error.pos[0]).line,
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
  if (fault) return refuse(fault.why, lines.linePos((fault.node as Node).range?.[0] ?? 0).line);
  const value: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
  const result = parseJson(JSON.stringify(value) ?? '', limits);
  return result.ok ? result : refuse(jsonFaultText(result.fault));
}

function refuse(why: string, line?: number): YamlResult {
  return { ok: false, why: line === undefined ? why : `${why} in line ${line}` };
}
