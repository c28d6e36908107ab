/** Of which traces the ids are told, to a collector and to who looks for them. */
import { expect, test } from '@jest/globals';
import { traceIdsOf } from '../../src/contract/traceparent.ts';

const TRACE_ID = '0af7651916cd43dd8448eb211c803190';
const SPAN_ID = 'b7ad6b7169203330';

test.each([
  ['as it is', `00-${TRACE_ID}-${SPAN_ID}-01`, 1],
  ['with every flag', `00-${TRACE_ID}-${SPAN_ID}-ff`, 255],
  ['without a flag', `00-${TRACE_ID}-${SPAN_ID}-00`, 0],
  ['of a later version, with more', `01-${TRACE_ID}-${SPAN_ID}-01-more`, 1],
])('a traceparent %s tells its ids', (_what, traceparent, flags) => {
  expect(traceIdsOf(traceparent)).toEqual({ trace_id: TRACE_ID, span_id: SPAN_ID, flags });
});

test.each([
  ['that is none', undefined],
  ['that is no text', 7],
  ['that is a list', [`00-${TRACE_ID}-${SPAN_ID}-01`]],
  ['that is empty', ''],
  ['with a text before', `x00-${TRACE_ID}-${SPAN_ID}-01`],
  ['with a text behind', `00-${TRACE_ID}-${SPAN_ID}-01x`],
  ['with a trace of zeros', `00-${'0'.repeat(32)}-${SPAN_ID}-01`],
  ['with a span of zeros', `00-${TRACE_ID}-${'0'.repeat(16)}-01`],
  ['in capitals', `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`],
  ['of the version that is none', `ff-${TRACE_ID}-${SPAN_ID}-01`],
  ['of version 00 with more', `00-${TRACE_ID}-${SPAN_ID}-01-more`],
  ['without flags', `00-${TRACE_ID}-${SPAN_ID}`],
])('a traceparent %s tells none', (_what, traceparent) => {
  expect(traceIdsOf(traceparent)).toBeUndefined();
});
