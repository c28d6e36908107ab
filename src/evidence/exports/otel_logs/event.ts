/**
 * A record as a log record of OpenTelemetry in the JSON encoding of OTLP: ids of a trace are
 * hexadecimal, 64-bit integers are texts, members are in lowerCamelCase (OTLP, "JSON Protobuf
 * Encoding").
 */
import { traceIdsOf } from '../../../contract/traceparent.ts';
import type { EvidenceRecord } from '../../../contract/types.gen.ts';

type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: AnyValue[] } };

export interface KeyValue {
  key: string;
  value: AnyValue;
}

/** Before each name of an attribute, so that it meets nobody else's. */
const PREFIX = 'portcullis';

/** OpenTelemetry Logs Data Model, "Severity Fields". */
const SEVERITIES = {
  INFO: 9,
  WARN: 13,
  ERROR: 17,
} as const;

const SEVERITY_OF: Readonly<Record<string, keyof typeof SEVERITIES>> = {
  actor_failure: 'WARN',
  recovery: 'WARN',
  backend_error: 'ERROR',
};

export function otelLogRecord(record: EvidenceRecord): object {
  const { v: _v, time, kind, decision, ...members } = record;
  const severityText = decision === false ? 'WARN' : (SEVERITY_OF[kind] ?? 'INFO');
  const trace = traceIdsOf(record.request?.traceparent);
  return {
    timeUnixNano: `${Date.parse(time)}000000`,
    severityNumber: SEVERITIES[severityText],
    severityText,
    eventName: `${PREFIX}.${kind}`,
    body: { stringValue: `${PREFIX}.${kind}` },
    attributes: attributesOf(PREFIX, { kind, decision, ...members }),
    ...(trace && { traceId: trace.trace_id, spanId: trace.span_id, flags: trace.flags }),
  };
}

/** One attribute for each value, its name made of the names above it. */
export function attributesOf(prefix: string, members: object): KeyValue[] {
  return Object.entries(members).flatMap(([name, value]: [string, unknown]) => {
    const key = `${prefix}.${name}`;
    if (value === undefined || value === null) return [];
    if (typeof value === 'object' && !Array.isArray(value)) return attributesOf(key, value);
    return [{ key, value: anyValue(value) }];
  });
}

/** An object within a list is JSON: attributes are flat. */
function anyValue(value: unknown): AnyValue {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (Number.isSafeInteger(value)) return { intValue: String(value) };
  if (typeof value === 'number') return { doubleValue: value };
  if (Array.isArray(value)) return { arrayValue: { values: value.map(anyValue) } };
  return { stringValue: JSON.stringify(value) };
}
