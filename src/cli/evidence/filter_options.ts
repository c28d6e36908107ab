/** The filters of the commands that read records. */
import type { Command } from 'commander';
import { PortcullisError } from '../../errors.ts';
import type { Order } from '../../evidence/index/candidates.ts';
import { type Field, FIELD_NAMES, type RecordFilter } from '../../evidence/index/fields.ts';
import { readFilter } from '../../evidence/index/query.ts';

const MEANINGS: Readonly<Record<Field, string>> = {
  subject: 'who asked, such as user:alice@example.com',
  agent: 'the agent that asked for it',
  caller: 'the caller of the decision point',
  tenant: 'the tenant of the subject',
  server: 'the MCP server',
  resource_type: 'such as tool',
  resource_id: 'name or URI of what was asked for',
  action: 'the MCP method, such as tools/call',
  kind: 'kind of record, such as decision or outcome',
  outcome: 'allow, deny, require_approval; or the status of an outcome',
  reason_code: 'such as GRANT_ABSENT',
  evaluation_id: 'the id of an answer',
  trace_id: 'the trace that the request belongs to, 32 hexadecimal digits',
  request_id: 'the id of the MCP request',
};

/** Options by the names that commander gives them. */
export type FilterOptions = Partial<Record<string, unknown>>;

/** Adds an option for each filter. */
export function withFilters(command: Command): Command {
  for (const field of FIELD_NAMES) {
    const name = field.replaceAll('_', '-');
    command.option(`--${name} <value>`, `${MEANINGS[field]} (repeatable)`, append);
  }
  return command
    .option('--from <time>', 'the first time that counts (RFC 3339)', append)
    .option('--to <time>', 'the first time that counts no more', append);
}

/** What the options look for. Throws `ARGUMENT_INVALID`. */
export function filterOf(options: FilterOptions): RecordFilter {
  const given = [...FIELD_NAMES, 'from', 'to'].flatMap((name) => {
    const values = options[optionOf(name)];
    return Array.isArray(values) ? [[name, values as string[]] as const] : [];
  });
  const filter = readFilter(Object.fromEntries(given));
  if ('fault' in filter) throw new PortcullisError('ARGUMENT_INVALID', filter.fault);
  return filter;
}

export function orderOf({ oldest }: FilterOptions): Order {
  return oldest === true ? 'oldest' : 'newest';
}

/** A count that was given as an option. Throws `ARGUMENT_INVALID`. */
export function countOf(text: string, name: string, most: number): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw new PortcullisError('ARGUMENT_INVALID', `${name} is a number from 1 to ${most}`);
}

function optionOf(name: string): string {
  return name.replaceAll(/_[a-z]/g, ([, letter = '']) => letter.toUpperCase());
}

function append(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
