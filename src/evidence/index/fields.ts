/** What records are found by: who, what, how it ended, and what belongs together. */
import { traceIdsOf } from '../../contract/traceparent.ts';
import type { EvidenceRecord } from '../../contract/types.gen.ts';

type Values = readonly (string | number | undefined)[];

const FIELDS = {
  subject: ({ request }) => [request?.subject.id],
  agent: ({ request }) => [request?.agent],
  caller: ({ caller }) => [caller],
  tenant: (record) => [record.tenant, record.subject_tenant, record.request?.subject.tenant],
  server: ({ request }) => [request?.resource?.server],
  resource_type: ({ request }) => [request?.resource?.type],
  resource_id: ({ request }) => [request?.resource?.id],
  action: ({ request }) => [request?.action],
  kind: ({ kind }) => [kind],
  outcome: ({ outcome, status }) => [outcome, status],
  reason_code: ({ reason_code }) => [reason_code],
  evaluation_id: ({ evaluation_id }) => [evaluation_id, evaluation_id?.replace(ENTRY, '')],
  trace_id: ({ request }) => [traceIdsOf(request?.traceparent)?.trace_id],
  request_id: ({ request }) => [request?.request_id],
} as const satisfies Record<string, (record: EvidenceRecord) => Values>;

/** A value that a record is found by. */
export type Field = keyof typeof FIELDS;

export const FIELD_NAMES = Object.keys(FIELDS) as readonly Field[];

/** Which records are looked for: those that meet all of it. */
export interface RecordFilter {
  /** Of each field one of these values. */
  fields: Partial<Readonly<Record<Field, readonly string[]>>>;
  /** Milliseconds since 1970: the first that counts. */
  from_ms?: number;
  /** The first that counts no more. */
  to_ms?: number;
}

/** The place of an entry behind the evaluation id of its batch. */
const ENTRY = /#\d+$/;

/** The values of a field, each once; a record need not have any. */
export function valuesOf(record: EvidenceRecord, field: Field): string[] {
  const values: Values = FIELDS[field](record);
  return [...new Set(values.flatMap((value) => (value === undefined ? [] : String(value))))];
}

/** Whether a record meets a filter, judged by what stands in it. */
export function meets(record: EvidenceRecord, { fields, from_ms, to_ms }: RecordFilter): boolean {
  const time_ms = Date.parse(record.time);
  if (from_ms !== undefined && time_ms < from_ms) return false;
  if (to_ms !== undefined && time_ms >= to_ms) return false;
  return FIELD_NAMES.every((field) => {
    const wanted = fields[field];
    return wanted === undefined || valuesOf(record, field).some((value) => wanted.includes(value));
  });
}
