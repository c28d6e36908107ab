/** Constraints that the decision point checks itself: the actor, and the arguments it was given. */
import { satisfiesActor } from '../contract/actors.ts';
import type { Projection } from '../contract/types.gen.ts';
import { members, type CompleteInput, type Profile } from './request.ts';
import { refuse, type Verdict } from './verdict.ts';

/**
 * Refuses where the actor that the policy requires was not proved. An approval by a human could
 * stand for a human actor; while nothing keeps approvals, none can be validated.
 */
export function demandActor(verdict: Verdict, { subject }: CompleteInput): Verdict {
  const { actor_required } = verdict.constraints;
  if (verdict.outcome === 'deny' || actor_required === undefined) return verdict;
  const { actor_type } = members(subject.properties);
  if (satisfiesActor(actor_required, actor_type)) return verdict;
  return refuse(verdict, 'ACTOR_VALIDATION_FAILED');
}

/**
 * Refuses a call whose arguments are not what the rules of the active policy read, whatever the
 * policy made of the rest: absent is not the same as empty.
 *
 * A PEP of ours follows a projection and says which (`arguments_projection`): another one than the
 * active policy's, or none where rules read arguments, means that it has to read the projection
 * again. A plain AuthZEN or SEP caller knows no projections: `arguments`, if it sends them, are
 * taken to be all of them, and their absence where rules read some leaves the policy undecided.
 */
export function demandArguments(
  verdict: Verdict,
  profile: Profile,
  input: CompleteInput,
  projection: Projection,
): Verdict {
  const { phase, arguments: sent, arguments_projection: followed } = input.context;
  if (phase !== 'call') return verdict;
  const isPep = profile === 'mcp/1';
  const isStale = isPep && followed !== undefined && followed !== projection.digest;
  const isSilent = sent === undefined || (isPep && followed === undefined);
  if (!isStale && !(isSilent && readsArguments(input.resource, projection))) return verdict;
  const undecided: Verdict = { ...verdict, constraints: {}, obligations: [], rules: [] };
  if (isPep) return refuse(undecided, 'ARGUMENTS_INCOMPLETE');
  return refuse(undecided, 'POLICY_INDETERMINATE', 'the rules read arguments and there are none');
}

/** Whether any rule that may speak of the capability reads arguments. */
function readsArguments(resource: CompleteInput['resource'], { pointers }: Projection): boolean {
  const { type, id, properties } = members(resource);
  const server = String(members(properties).server);
  const names = [`${String(type)}:${server}/${String(id)}`, `${String(type)}:${server}/*`, '*'];
  return names.some((name) => (pointers[name]?.length ?? 0) > 0);
}
