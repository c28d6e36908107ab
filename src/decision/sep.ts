/**
 * The external decision profile of the SEP ("Server-side policy enforcement for MCP capabilities"),
 * translated to and from a request of ours. Its words are read here and nowhere else.
 */
import { SEP_ACTIONS } from '../contract/sep_actions.ts';
import type { SepDecisionRequest, SepDecisionResponse } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { PortcullisError } from '../errors.ts';
import { requestInvalid, type Question } from './request.ts';
import { concealed, messageOf, type Verdict } from './verdict.ts';

export interface SepQuestion {
  request: Question;
  /** No method of MCP is meant: deny without asking a policy. */
  isUnknown: boolean;
}

/** Validates and translates. Throws `REQUEST_INVALID` with a pointer. */
export function readSepRequest(body: unknown, server: string): SepQuestion {
  const result = VALIDATORS.sep_decision_request(body);
  if (!result.ok) throw requestInvalid(result.fault);
  const { subject, capability, action, environment = {}, approval } = result.value;
  const { actor_type, groups } = subject;
  const { deployment, risk } = environment;
  const method = methodOf(capability.type, action);
  const request: Question = {
    subject: {
      type: 'identity',
      id: subject.principal,
      properties: defined({ actor_type, groups, tenant: tenantOf(result.value) }),
    },
    action: { name: method ?? action, properties: { verb: action } },
    resource: { type: capability.type, id: capability.name, properties: { server } },
    context: defined({
      profile: 'mcp/1',
      phase: 'call',
      environment: defined({ deployment, risk }),
      arguments: result.value.arguments,
      approval,
    }),
  };
  return { request, isUnknown: method === undefined };
}

function methodOf(type: string, action: string): string | undefined {
  const table: Record<string, Record<string, string>> = SEP_ACTIONS;
  const actions = Object.hasOwn(table, type) ? table[type] : undefined;
  return actions && Object.hasOwn(actions, action) ? actions[action] : undefined;
}

/** The sources spell the tenant in two places; both may stand if they agree (ruling R3). */
function tenantOf({ subject, environment }: SepDecisionRequest): string | undefined {
  const tenant = subject.tenant ?? environment?.tenant;
  if (environment?.tenant !== undefined && environment.tenant !== tenant) {
    const message = 'the request names two tenants';
    throw new PortcullisError('REQUEST_INVALID', message, { pointer: '/environment/tenant' });
  }
  return tenant;
}

function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

/** The answer in the SEP's words, which have none for duties and for what is hidden. */
export function sepAnswerOf(verdict: Verdict): SepDecisionResponse {
  const told = concealed(verdict);
  const { outcome, constraints, reason_code } = told;
  return {
    decision: outcome,
    ...(Object.keys(constraints).length > 0 && { constraints }),
    reason_code,
    safe_message: messageOf(told),
  };
}
