/**
 * `GET /v1/evidence/records`, `/v1/evidence/records/{index}` and `/v1/evidence/receipts/{record}`.
 * A caller that is bound to tenants has the records of their subjects, and no others.
 */
import type { Caller } from '../../decision/types.ts';
import { PortcullisError } from '../../errors.ts';
import type { Order } from '../../evidence/index/candidates.ts';
import type { RecordFilter } from '../../evidence/index/fields.ts';
import { readFilter } from '../../evidence/index/query.ts';
import { refusal, type Answer, type Exchange } from '../exchange.ts';

const JSON_TYPE = 'application/json';
/** For who says nothing, or as many as a page may hold where that is less. */
const LIMIT = 100;
const INDEX = /^(0|[1-9]\d{0,14})$/;
/** What repeats of a stranger's name. */
const NAME = /^[\w-]{1,64}$/;

export async function answerRecords({ evidence, query, caller }: Exchange): Promise<Answer> {
  const { limit, order, cursor, ...filters } = valuesOf(query);
  const filter = boundTo(caller, filterOf(filters));
  const bytes = await evidence.records.page({
    filter,
    order: orderOf(single(order, 'order')),
    limit: limitOf(single(limit, 'limit'), evidence.page_records_max),
    bytes_max: evidence.page_bytes_max,
    ...(cursor && { cursor: single(cursor, 'cursor') ?? '' }),
  });
  return { status: 200, type: JSON_TYPE, content: bytes };
}

export async function answerRecord({ evidence, path, caller }: Exchange): Promise<Answer> {
  const name = lastOf(path);
  if (!INDEX.test(name)) return absent();
  const found = await evidence.records.record(Number(name), boundTo(caller, { fields: {} }));
  return found ? { status: 200, type: JSON_TYPE, content: found } : absent();
}

export async function answerReceipt({ evidence, path, caller }: Exchange): Promise<Answer> {
  const name = lastOf(path);
  const filter = boundTo(caller, { fields: {} });
  const index = INDEX.test(name)
    ? (await evidence.records.record(Number(name), filter)) && Number(name)
    : await evidence.records.find(name, filter);
  const receipt = index === undefined ? undefined : await evidence.tree.receiptOf(index);
  if (receipt === undefined) return absent();
  return { status: 200, type: 'text/plain; charset=utf-8', content: receipt };
}

/** Records of other tenants are as if they were not there. */
function boundTo({ tenants }: Caller, { fields, ...times }: RecordFilter): RecordFilter {
  if (!tenants) return { fields, ...times };
  const asked = fields.tenant?.filter((tenant) => tenants.has(tenant));
  return { ...times, fields: { ...fields, tenant: asked ?? [...tenants].sort() } };
}

function valuesOf(query: URLSearchParams): Partial<Record<string, string[]>> {
  const names = new Set(query.keys());
  return Object.fromEntries([...names].map((name) => [name, query.getAll(name)]));
}

function filterOf(values: Partial<Record<string, string[]>>): RecordFilter {
  const odd = Object.keys(values).find((name) => !NAME.test(name));
  if (odd !== undefined) throw invalid('the query has a name that is no filter');
  const filter = readFilter(values as Record<string, string[]>);
  if ('fault' in filter) throw invalid(filter.fault);
  return filter;
}

function single(values: readonly string[] | undefined, name: string): string | undefined {
  if (values && values.length > 1) throw invalid(`\`${name}\` is given twice`);
  return values?.[0];
}

function orderOf(order = 'newest'): Order {
  if (order === 'newest' || order === 'oldest') return order;
  throw invalid('`order` is newest or oldest');
}

function limitOf(text: string | undefined, most: number): number {
  if (text === undefined) return Math.min(LIMIT, most);
  if (INDEX.test(text) && Number(text) >= 1 && Number(text) <= most) return Number(text);
  throw invalid(`\`limit\` is a number from 1 to ${most}`);
}

/** The last step of a path, as it was meant. */
function lastOf(path: string): string {
  try {
    return decodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
  } catch {
    return '';
  }
}

function absent(): Answer {
  return refusal(404, 'WIRE_INVALID', 'the log has no such record');
}

function invalid(message: string): PortcullisError {
  return new PortcullisError('REQUEST_INVALID', message);
}
