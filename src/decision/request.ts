/**
 * From what a caller sent to what a policy sees. A request is never changed in place: what is the
 * decision point's to say is laid over it, and what only the caller says moves under `claimed`.
 */
import { PortcullisError } from '../errors.ts';
import { VALIDATORS, type SchemaFault } from '../contract/validate.ts';
import type { Caller, PolicyInput } from './types.ts';

/** Members of a JSON object whose types are not known. */
export type Members = Readonly<Record<string, unknown>>;

/** Which contract the caller keeps: ours, plain AuthZEN, or the SEP's decision profile. */
export type Profile = 'mcp/1' | 'authzen' | 'sep';

/** What is asked, validated and still as the caller put it. */
export interface Question {
  subject: Members;
  action: Members;
  resource: Members;
  context: Members;
}

export interface Request extends Question {
  profile: Profile;
}

/** The entities of a validated body; `context` may be absent from a plain one. */
type Entities = Omit<Question, 'context'> & { context?: Members };

/** What is known when a request is completed. */
export interface Circumstances {
  caller: Caller;
  /** RFC 3339, UTC. */
  time: string;
}

/** The input of a policy, with members that can be read. */
export interface CompleteInput extends PolicyInput {
  subject: Members;
  action: Members;
  resource?: Members;
  context: Members;
}

/** As `parseEvaluation`; throws `REQUEST_INVALID` with a pointer. */
export function readEvaluation(body: unknown): Request {
  const parsed = parseEvaluation(body);
  if ('fault' in parsed) throw requestInvalid(parsed.fault);
  return parsed.request;
}

/** Validates one evaluation, MCP-profiled iff `context.profile` is `mcp/1`. */
export function parseEvaluation(body: unknown): { request: Request } | { fault: SchemaFault } {
  const isProfiled = members(members(body).context).profile === 'mcp/1';
  const result = isProfiled
    ? VALIDATORS.evaluation_request(body)
    : VALIDATORS.authzen_evaluation_request(body);
  if (!result.ok) return { fault: result.fault };
  const { subject, action, resource, context = {} } = result.value as unknown as Entities;
  const profile = isProfiled ? 'mcp/1' : 'authzen';
  return { request: { profile, subject, action, resource, context } };
}

/**
 * The input of the policy. The decision point gives the time, and who asks it; an `approval` or a
 * `caller` that came with the request is a claim, and so is every actor type from a caller that may
 * not attest them.
 */
export function completeInput(request: Question, circumstances: Circumstances): CompleteInput {
  const { subject, action, resource } = request;
  const { approval, caller: claimant, claimed, agent, ...context } = request.context;
  const { caller, time } = circumstances;
  const claims: Record<string, unknown> = { ...members(claimed) };
  if (approval !== undefined) claims.approval = approval;
  if (claimant !== undefined) claims.caller = claimant;
  const isAttested = caller.scopes.has('attest:actor');
  const proved = isAttested ? subject : withoutActorType(subject, claims);
  const complete: Record<string, unknown> = {
    ...context,
    phase: context.phase ?? 'call',
    time,
    caller: { id: caller.id, channel: caller.channel },
  };
  if (agent !== undefined) complete.agent = namedAgent(agent);
  if (Object.keys(claims).length > 0) complete.claimed = claims;
  if (complete.phase === 'discovery') delete complete.arguments;
  return { subject: proved, action, resource, context: complete };
}

/** The same question as a list asks it: without arguments and without the item. */
export function discoveryInput(input: CompleteInput): CompleteInput {
  const { arguments: _, ...context } = input.context;
  const { subject, action } = input;
  return { subject, action, context: { ...context, phase: 'discovery' } };
}

/** COAZ gives the verified client as a plain string. */
function namedAgent(agent: unknown): unknown {
  return typeof agent === 'string' ? { id: agent, verified: true } : agent;
}

function withoutActorType(subject: Members, claims: Record<string, unknown>): Members {
  const { actor_type, delegation, ...properties } = members(subject.properties);
  if (actor_type === undefined && delegation === undefined) return subject;
  if (actor_type !== undefined) claims.actor_type = actor_type;
  if (delegation === undefined) return { ...subject, properties };
  return { ...subject, properties: { ...properties, delegation: untyped(delegation) } };
}

function untyped(delegation: unknown): unknown {
  if (!Array.isArray(delegation)) return delegation;
  return delegation.map((link: unknown) => {
    const { actor_type: _, ...rest } = members(link);
    return isMembers(link) ? rest : link;
  });
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The members of an object; none for anything else. */
export function members(value: unknown): Members {
  return isMembers(value) ? value : {};
}

export function requestInvalid({ pointer, keyword }: SchemaFault): PortcullisError {
  return new PortcullisError('REQUEST_INVALID', `the request fails its schema (${keyword})`, {
    pointer,
  });
}
