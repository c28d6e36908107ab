/**
 * Writes `mcp.tables`: Rego cannot read a data root whose name only the data knows, so each root
 * that a grant may name gets a line. A table that appears later, in data loaded without a build, is
 * served from the index that the decision point lays beside the data.
 */
import { packageText, regoString } from './rego_text.ts';

/** Data roots that the library reads. */
export const LIBRARY_ROOTS: readonly string[] = [
  'agents',
  'environments',
  'grants',
  'registry',
  'require_context',
  'surfaces',
];

const NEVER_TABLES = new Set([...LIBRARY_ROOTS, 'mcp', 'portcullis']);

/** The roots of the data that a grant may name, sorted. */
export function tableNames(data: Record<string, unknown>): string[] {
  return Object.keys(data)
    .filter((root) => !NEVER_TABLES.has(root) && /^[a-z_][a-z0-9_]{0,63}$/u.test(root))
    .sort();
}

/** Rego text of the package. */
export function tablesSource(names: readonly string[]): string {
  const indexed = 'entry(name, key) := data.portcullis.index.tables[name][key]';
  const known = names.map((name) => `entry(${regoString(name)}, key) := data.${name}[key]`);
  return packageText('mcp.tables', [indexed, ...known]);
}
