/**
 * A record as an event of the decision log of OPA (management API, "Decision Log Service API"):
 * the members that an OPA server writes, with the input as far as it was recorded.
 */
import { traceIdsOf } from '../../../contract/traceparent.ts';
import type { EvidenceRecord, RecordedRequest } from '../../../contract/types.gen.ts';

export interface OpaNames {
  /** Name of the instance that sends. */
  instance: string;
  /** Version of Portcullis. */
  version: string;
  /** Name of the log. */
  origin: string;
}

/** Undefined for what is no decision. */
export function opaEvent(record: EvidenceRecord, names: OpaNames): object | undefined {
  const { kind, index, time, evaluation_id, caller, policy, request } = record;
  if (kind !== 'decision' && kind !== 'discovery') return undefined;
  const trace = traceIdsOf(request?.traceparent);
  return {
    labels: {
      id: names.instance,
      version: names.version,
      app: 'portcullis',
      evidence_origin: names.origin,
      evidence_index: String(index),
    },
    decision_id: evaluation_id,
    ...(trace && { trace_id: trace.trace_id, span_id: trace.span_id }),
    ...(policy && { bundles: { policy: { revision: policy.revision } } }),
    path: `portcullis/${kind}`,
    ...(request && { input: inputOf(request, record) }),
    result: resultOf(record),
    ...maskOf(record),
    requested_by: caller,
    timestamp: time,
  };
}

/** Members that are undefined are left out of the text. */
function inputOf(request: RecordedRequest, record: EvidenceRecord): object {
  const { profile, arguments: projected } = record as EvidenceRecord & { arguments?: object };
  const { subject, action, resource, request_id, traceparent, ...rest } = request;
  const { id: subject_id, delegation, ...properties } = subject ?? {};
  const { type, id, ...facts } = resource ?? {};
  const { agent, environment, session, ...context } = rest;
  return {
    subject: {
      id: subject_id,
      properties: { ...properties, delegation: delegation?.map((link) => ({ id: link })) },
    },
    action: { name: action },
    ...(resource && { resource: { type, id, properties: facts } }),
    context: {
      ...context,
      arguments: projected,
      agent: agent === undefined ? undefined : { id: agent },
      environment: environment === undefined ? undefined : { deployment: environment },
      session: session === undefined ? undefined : { state: session },
      request: { id: request_id, traceparent },
      profile,
    },
  };
}

/** Members of a record that have a place of their own in an event. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'v',
  'index',
  'time',
  'instance',
  'kind',
  'evaluation_id',
  'caller',
  'policy',
  'request',
  'arguments',
  'profile',
  'masked',
  'erased',
]);

function resultOf(record: EvidenceRecord): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !ELSEWHERE.has(name)));
}

/** JSON Pointers of what the policy masked or erased before it was recorded. */
function maskOf(record: EvidenceRecord): object {
  const { masked, erased } = record as EvidenceRecord & { erased?: readonly string[] };
  return { ...(erased?.length && { erased }), ...(masked?.length && { masked }) };
}
