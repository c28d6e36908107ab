/**
 * Records as audit events of the SEP ("Server-side policy enforcement for MCP capabilities", audit
 * events): a view for whoever collects those. The record stays the evidence.
 */
import { sepWordsOf } from '../contract/sep_actions.ts';
import { traceIdsOf } from '../contract/traceparent.ts';
import type { ActorType, EvidenceRecord, Outcome } from '../contract/types.gen.ts';

/** The eight kinds of the SEP. It publishes the first name; the others are ours, in its style. */
export const SEP_EVENT_TYPES = {
  policy_evaluation: 'mcp.policy.decision',
  policy_denial: 'mcp.policy.denial',
  approval_required: 'mcp.policy.approval_required',
  approval_validated: 'mcp.policy.approval_validated',
  actor_validation_failure: 'mcp.policy.actor_validation_failure',
  discovery_filtering: 'mcp.policy.discovery_filtering',
  capability_execution: 'mcp.policy.capability_execution',
  external_decision_error: 'mcp.policy.external_decision_error',
} as const;

export type SepEventType = (typeof SEP_EVENT_TYPES)[keyof typeof SEP_EVENT_TYPES];

/** The ten members of the SEP; null where nobody said, or where it was redacted. */
export interface SepAuditEvent {
  event_type: SepEventType;
  /** RFC 3339, UTC. */
  timestamp: string;
  server: string | null;
  principal: string | null;
  /** As it was proved. */
  actor_type: ActorType | null;
  /** Of a list: its type, and `*`. */
  capability: { type: string | null; name: string | null };
  action: string | null;
  decision: Outcome | null;
  reason_code: string | null;
  environment: { deployment: string | null };
}

/** An event, and beside it what ties it to the evidence. */
export interface SepAudit {
  event: SepAuditEvent;
  /** The trace of the client where it named one (W3C Trace Context), else the evaluation. */
  correlation_id: string | null;
  policy_revision: string | null;
  evidence_index: number;
  /** What the record held of the request was removed since. */
  redacted: boolean;
}

type Told = Pick<SepAuditEvent, 'decision' | 'reason_code'> & { type: SepEventType };

/**
 * The event of a record; undefined where the SEP has none. `decision` is the record of the decision
 * that an outcome names: without it, what was asked is not told.
 */
export function sepAuditOf(
  record: EvidenceRecord,
  decision?: EvidenceRecord,
): SepAudit | undefined {
  const told = TOLD[record.kind]?.(record);
  if (!told) return undefined;
  const asked = record.kind === 'outcome' ? (decision ?? record) : record;
  const { request, policy, evaluation_id } = asked;
  const { type: event_type, decision: outcome, reason_code } = told;
  return {
    event: {
      event_type,
      timestamp: record.time,
      ...askedOf(asked),
      decision: outcome,
      reason_code,
      environment: { deployment: request?.environment ?? null },
    },
    correlation_id: traceIdsOf(request?.traceparent)?.trace_id ?? evaluation_id ?? null,
    policy_revision: policy?.revision ?? null,
    evidence_index: record.index,
    redacted: request === undefined && asked.seals?.request !== undefined,
  };
}

/** Who asked for what. */
function askedOf({
  kind,
  request,
  server,
}: EvidenceRecord): Pick<
  SepAuditEvent,
  'server' | 'principal' | 'actor_type' | 'capability' | 'action'
> {
  const { subject, resource, action } = request ?? {};
  const words = action === undefined ? undefined : sepWordsOf(action);
  return {
    server: resource?.server ?? server ?? null,
    principal: subject?.id ?? null,
    actor_type: subject?.actor_type ?? null,
    capability: {
      type: resource?.type ?? words?.type ?? null,
      name: resource?.id ?? (kind === 'discovery' ? '*' : null),
    },
    action: words?.action ?? action ?? null,
  };
}

const T = SEP_EVENT_TYPES;

/** What each kind of record tells. A kind that is not here is about the log and not about MCP. */
const TOLD: Readonly<
  Partial<Record<EvidenceRecord['kind'], (record: EvidenceRecord) => Told | undefined>>
> = {
  decision({ outcome = 'deny', reason_code = null }) {
    const told = { decision: outcome, reason_code };
    if (outcome !== 'deny') return { type: T.policy_evaluation, ...told };
    const isActor = reason_code === 'ACTOR_VALIDATION_FAILED';
    return { type: isActor ? T.actor_validation_failure : T.policy_denial, ...told };
  },
  discovery({ withheld, seals, detail }) {
    const type = T.discovery_filtering;
    if (detail !== undefined)
      return { type, decision: 'deny', reason_code: 'POLICY_INDETERMINATE' };
    if (withheld === undefined && seals) return { type, decision: 'allow', reason_code: null };
    const isFiltered = withheld !== undefined && withheld.length > 0;
    // Ruling R5: this code is for the audit only.
    const reason_code = isFiltered ? 'CAPABILITY_NOT_VISIBLE' : 'ALLOWED';
    return { type, decision: 'allow', reason_code };
  },
  actor_failure: ({ reason_code = null }) => ({
    type: T.actor_validation_failure,
    decision: 'deny',
    reason_code,
  }),
  approval: ({ status, reason_code = null }) => APPROVALS[status ?? '']?.(reason_code),
  outcome({ status, reason_code = null }) {
    if (status === 'cancelled') return undefined;
    const isRefused = status === 'refused';
    const type = isRefused ? T.policy_denial : T.capability_execution;
    return { type, decision: isRefused ? 'deny' : 'allow', reason_code };
  },
  backend_error: () => ({
    type: T.external_decision_error,
    decision: 'deny',
    reason_code: 'POLICY_UNAVAILABLE',
  }),
};

/** By the status of an approval. */
const APPROVALS: Readonly<Partial<Record<string, (reason_code: string | null) => Told>>> = {
  requested: (reason_code) => ({
    type: T.approval_required,
    decision: 'require_approval',
    reason_code: reason_code ?? 'APPROVAL_REQUIRED',
  }),
  granted: validated,
  consumed: validated,
  refused: unapproved,
  expired: unapproved,
};

function validated(reason_code: string | null): Told {
  return { type: T.approval_validated, decision: 'allow', reason_code: reason_code ?? 'ALLOWED' };
}

function unapproved(reason_code: string | null): Told {
  const code = reason_code ?? 'APPROVAL_VALIDATION_FAILED';
  return { type: T.policy_denial, decision: 'deny', reason_code: code };
}
