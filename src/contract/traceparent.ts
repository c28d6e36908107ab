/** The trace of a request, from the header that a client sent (W3C Trace Context, section 3.2). */

export interface TraceIds {
  /** 32 hexadecimal digits, not all of them 0. */
  trace_id: string;
  /** Of the caller: 16 hexadecimal digits, not all of them 0. */
  span_id: string;
  flags: number;
}

/** Versions after 00 may have more behind the flags; ff is none. */
const SHAPE = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZEROS = /^0+$/;

/** Undefined where the header is none, or has no ids such as a collector takes. */
export function traceIdsOf(traceparent: unknown): TraceIds | undefined {
  const found = typeof traceparent === 'string' ? SHAPE.exec(traceparent) : null;
  if (!found) return undefined;
  const [, version, trace_id = '', span_id = '', flags = '', more] = found;
  if (version === '00' && more !== undefined) return undefined;
  if (ZEROS.test(trace_id) || ZEROS.test(span_id)) return undefined;
  return { trace_id, span_id, flags: Number.parseInt(flags, 16) };
}
