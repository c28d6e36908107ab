/** What a PEP must know of a decision point before it asks. */
import type { Clock } from '../contract/ambient.ts';
import { OBLIGATION_TYPES } from '../contract/obligations.ts';
import type { Status } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import type { EvidenceLog } from '../evidence/types.ts';
import { NO_POLICY, servesTenant } from './tenancy.ts';
import type { Caller, Evaluator } from './types.ts';

export interface StatusParts {
  evaluator: Evaluator;
  evidence: EvidenceLog;
  clock: Clock;
  settings: { instance: string };
}

/** As status.schema.json has it. */
const PROBLEM_CHARACTERS_MAX = 1024;

/** Of the service; or of the policy that decides for a tenant, where `caller` may ask for that. */
export function statusOf(parts: StatusParts, tenant?: string, caller?: Caller): Status {
  const { evaluator, evidence, clock, settings } = parts;
  const base = { instance: settings.instance, obligations: [...OBLIGATION_TYPES] };
  if (caller && tenant !== undefined && !servesTenant(caller, tenant)) {
    return { ...base, ready: false, problem: NO_POLICY };
  }
  const { writable, problem, exports } = evidence.status();
  const service = {
    ready: writable,
    ...(!writable && { problem: problem ?? 'the evidence log cannot be written' }),
    ...(exports && mayReadEvidence(caller) && { exports }),
  };
  if (evaluator.per_tenant && tenant === undefined) return { ...base, ...service };
  try {
    const policy = evaluator.current(tenant);
    const age_ms = clock.now_ms() - Date.parse(policy.activated_at);
    return {
      ...base,
      ...service,
      policy: {
        ...policy.identity,
        activated_at: policy.activated_at,
        age_seconds: Math.max(0, age_ms / 1000),
        unsafe_allow_all: policy.unsafe_allow_all,
      },
      arguments_projection: policy.projection,
    };
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    return { ...base, ready: false, problem: error.message.slice(0, PROBLEM_CHARACTERS_MAX) };
  }
}

/** Whoever may see the records of all tenants may see how many there are. */
function mayReadEvidence(caller: Caller | undefined): boolean {
  return caller !== undefined && caller.scopes.has('evidence') && caller.tenants === undefined;
}
