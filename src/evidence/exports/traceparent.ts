/** The ids of a trace, from the header that a client sent (W3C Trace Context, section 3.2). */

export interface TraceIds {
  trace_id: string;
  span_id: string;
  flags: number;
}

const SHAPE = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-|$)/;
const ZEROS = /^0+$/;

/** Undefined where there are none, or not such as a collector takes. */
export function traceIdsOf(traceparent: unknown): TraceIds | undefined {
  const [, trace_id = '', span_id = '', flags = ''] = SHAPE.exec(String(traceparent)) ?? [];
  if (ZEROS.test(trace_id) || ZEROS.test(span_id) || trace_id === '') return undefined;
  return { trace_id, span_id, flags: Number.parseInt(flags, 16) };
}
