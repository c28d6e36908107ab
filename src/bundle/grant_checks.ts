/** What a schema cannot say of grants: names that would be confused, tables that do not exist. */
import { jsonPointer } from '../contract/json.ts';
import type { Grant } from '../contract/types.gen.ts';
import { invalidData, isObject, type Data } from './data_files.ts';
import { dictionary } from './grant_index.ts';

/** Throws `DATA_INVALID` with a pointer to the grant at fault. */
export function checkGrants(
  grants: readonly Grant[],
  data: Data,
  rules: Data,
  tables: readonly string[],
): void {
  const named = new Map<string, Grant>();
  const asking = new Set<string>();
  for (const [i, grant] of grants.entries()) {
    const name = grant.id ?? `grant:${grant.on}`;
    const fail = (why: string): Error => invalidData(why, `/grants/${i}`);
    if (Object.hasOwn(rules, name)) throw fail('a grant has the name of a rule');
    if (!saysTheSame(named.get(name) ?? grant, grant)) {
      throw fail('two grants of one name give different reasons; give each an id');
    }
    if (grant.require_approval && asking.has(name)) {
      throw fail('an approval of one grant would count for another; give each an id');
    }
    named.set(name, grant);
    if (grant.require_approval) asking.add(name);
    checkTables(grant, i, data, tables);
  }
}

/** The library keeps one reason for a name; two would end the evaluation. */
function saysTheSame(a: Grant, b: Grant): boolean {
  return a.reason_code === b.reason_code && a.safe_message === b.safe_message;
}

function checkTables(grant: Grant, i: number, data: Data, tables: readonly string[]): void {
  for (const { table, path } of operands(grant)) {
    if (table !== undefined && (tables.includes(table) || isTable(table, data))) continue;
    throw invalidData(
      'a grant names a table that does not exist',
      jsonPointer(['grants', `${i}`, ...path]),
    );
  }
}

/** Roots of the library are never tables. */
const LIBRARY_ROOTS = new Set([
  'agents',
  'environments',
  'grants',
  'registry',
  'require_context',
  'surfaces',
]);

function isTable(name: string, data: Data): boolean {
  return !LIBRARY_ROOTS.has(name) && Object.hasOwn(data, name) && isObject(data[name]);
}

/** The operands of a grant's regions that are objects, and the table that each names. */
function* operands(grant: Grant): Generator<{ table: string | undefined; path: string[] }> {
  for (const kind of ['within', 'unless_within'] as const) {
    for (const [pointer, tests] of Object.entries(grant[kind] ?? {})) {
      for (const [test, operand] of Object.entries(tests)) {
        if (!isObject(operand)) continue;
        const table = typeof operand.data === 'string' ? operand.data : undefined;
        yield { table, path: [kind, pointer, test] };
      }
    }
  }
}

/**
 * Tables that grants name and that the build did not know: Rego can only read the roots that the
 * policy names, so these are laid into the index, where the built `mcp.tables` finds them.
 */
export function tablesBeside(
  grants: readonly Grant[],
  data: Data,
  tables: readonly string[],
): Record<string, unknown> {
  const beside = dictionary<unknown>();
  for (const grant of grants) {
    for (const { table } of operands(grant)) {
      if (table !== undefined && !tables.includes(table)) beside[table] = data[table];
    }
  }
  return beside;
}
