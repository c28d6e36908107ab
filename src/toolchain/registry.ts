/**
 * The registry of a policy beside the tools that a server lists: what became of each, and the
 * policy as it would be under the definitions of today.
 */
import { canonicalJson } from '../contract/canonical.ts';
import { JSON_LIMITS, jsonPointer } from '../contract/json.ts';
import type { PolicyData } from '../contract/types.gen.ts';
import type { Sources } from './sources.ts';

type Entry = NonNullable<PolicyData['registry']>[string];

/** A tool as its server lists it. */
export interface ListedTool {
  /** SHA-256 over the canonical definition, as guards send it. */
  digest: string;
  input_schema: unknown;
}

/**
 * `changed`: the digest on record is another, or arguments on record are not those of the tool.
 * `gone`: the server lists it no more. `not_pinned`: no digest is on record. `new`: no entry is.
 */
export type ToolStatus = 'same' | 'changed' | 'gone' | 'not_pinned' | 'new';

export interface ToolReport {
  /** `tool:payments/transfer` */
  capability: string;
  status: ToolStatus;
  /** Of the listed definition. */
  digest?: string;
  /** What of the record is not so any more. */
  differs?: Differences;
}

/** Arguments are JSON Pointers, with `*` for any item. */
export interface Differences {
  digest: boolean;
  gone: string[];
  added: string[];
  retyped: string[];
}

/** The servers whose tools the registry names. */
export function serversOf({ data }: Sources): string[] {
  const names = Object.keys(registryOf(data)).map((name) => /^tool:([^/]+)\//u.exec(name)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** Each tool of a server that the registry or the server has, in order. */
export function compareRegistry(
  { data }: Sources,
  server: string,
  listed: ReadonlyMap<string, ListedTool>,
): ToolReport[] {
  const registry = registryOf(data);
  const prefix = `tool:${server}/`;
  const known = Object.keys(registry).filter((name) => name.startsWith(prefix));
  const now = [...listed.keys()].map((name) => prefix + name);
  return [...new Set([...known, ...now])].sort().map((capability) => {
    const tool = listed.get(capability.slice(prefix.length));
    return { capability, ...statusOf(registry[capability], tool) };
  });
}

function statusOf(
  entry: Entry | undefined,
  tool: ListedTool | undefined,
): Omit<ToolReport, 'capability'> {
  if (!tool) return { status: 'gone' };
  const { digest } = tool;
  if (!entry) return { status: 'new', digest };
  const differs = differencesOf(entry, tool);
  const { gone, added, retyped } = differs;
  const isSame = [gone, added, retyped].every(({ length }) => length === 0);
  if (differs.digest || !isSame) return { status: 'changed', digest, differs };
  return { status: entry.digest === undefined ? 'not_pinned' : 'same', digest };
}

/** A recorded schema may leave out what no rule depends on: it is its arguments that count. */
function differencesOf(entry: Entry, tool: ListedTool): Differences {
  const recorded = argumentsOf(entry.input_schema);
  const now = entry.input_schema === undefined ? recorded : argumentsOf(tool.input_schema);
  const both = [...recorded.keys()].filter((pointer) => now.has(pointer));
  return {
    digest: entry.digest !== undefined && entry.digest !== tool.digest,
    gone: [...recorded.keys()].filter((pointer) => !now.has(pointer)),
    added: [...now.keys()].filter((pointer) => !recorded.has(pointer)),
    retyped: both.filter((pointer) => {
      const [before, after] = [recorded.get(pointer), now.get(pointer)];
      return before !== undefined && after !== undefined && before !== after;
    }),
  };
}

/** What a schema lists, with the type that it states. */
function argumentsOf(
  schema: unknown,
  steps: readonly string[] = [],
): Map<string, string | undefined> {
  const found = new Map<string, string | undefined>();
  if (!isObject(schema) || steps.length > JSON_LIMITS.depth_max) return found;
  const { properties, items, type } = schema;
  if (steps.length > 0)
    found.set(jsonPointer(steps), type === undefined ? type : canonicalJson(type));
  const inner = { ...(isObject(properties) && properties), ...(isObject(items) && { '*': items }) };
  for (const [name, value] of Object.entries(inner)) {
    for (const [pointer, stated] of argumentsOf(value, [...steps, name]))
      found.set(pointer, stated);
  }
  return found;
}

/** The policy with the input schemas that the server lists in the place of those that differ. */
export function underListed(
  sources: Sources,
  server: string,
  listed: ReadonlyMap<string, ListedTool>,
): Sources {
  const registry: Record<string, Entry> = { ...registryOf(sources.data) };
  for (const { capability, status } of compareRegistry(sources, server, listed)) {
    const schema = listed.get(capability.slice(`tool:${server}/`.length))?.input_schema;
    const entry = registry[capability];
    if (status !== 'changed' || !entry || !isObject(schema)) continue;
    registry[capability] = { ...entry, input_schema: schema };
  }
  return { ...sources, data: { ...sources.data, registry } };
}

function registryOf(data: Record<string, unknown>): Record<string, Entry> {
  return isObject(data.registry) ? (data.registry as Record<string, Entry>) : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
