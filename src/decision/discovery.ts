/**
 * A list as one question: which items of a catalogue may this caller see, and why. One policy
 * answers for the whole catalogue, in chunks, so that a long one does not hold up other requests.
 */
import { setImmediate } from 'node:timers/promises';
import type { OwnReason } from '../contract/reasons.ts';
import type { DiscoveryRequest, EvaluationsResponse, Resource } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { PortcullisError } from '../errors.ts';
import { brokenOff } from './decide.ts';
import { judgeListing, withheldAll, type Listed } from './listing.ts';
import {
  completeInput,
  discoveryInput,
  requestInvalid,
  type Circumstances,
  type CompleteInput,
  type Question,
} from './request.ts';
import { NO_POLICY } from './tenancy.ts';
import type { ActivePolicy } from './types.ts';

/** Items that a policy is asked for at a time. */
export const CHUNK_ITEMS = 250;

export interface Discovery {
  /** What is listed, in the order of the catalogue. */
  resources: readonly Resource[];
  /** How each was decided. */
  listed: readonly Listed[];
  /** Why everything is withheld. */
  detail: string | undefined;
}

/** Throws `REQUEST_INVALID` with a pointer, or `REQUEST_TOO_LARGE`. */
export function readDiscovery(body: unknown, items_max: number): DiscoveryRequest {
  const result = VALIDATORS.discovery_request(body);
  if (!result.ok) throw requestInvalid(result.fault);
  if (result.value.evaluations.length <= items_max) return result.value;
  const message = 'the catalogue holds more entries than batch_items_max';
  throw new PortcullisError('REQUEST_TOO_LARGE', message, { pointer: '/evaluations' });
}

/** What the policy sees of every item alike. */
export function listInput(request: DiscoveryRequest, circumstances: Circumstances): CompleteInput {
  const { evaluations: _, ...shared } = request as unknown as Entities;
  return discoveryInput(completeInput({ ...shared, resource: {} }, circumstances));
}

/**
 * Asks for all items. Where one chunk gets no sound answer, every item is withheld. Throws
 * `BACKEND_UNREACHABLE` where whoever decides is not there.
 */
export async function discover(
  { evaluations }: DiscoveryRequest,
  input: CompleteInput,
  policy: ActivePolicy | undefined,
  signal?: AbortSignal,
): Promise<Discovery> {
  const resources = evaluations.map(({ resource }) => resource);
  if (!policy) return nothingOf(resources, 'POLICY_UNAVAILABLE', NO_POLICY);
  const listed: Listed[] = [];
  for (let start = 0; start < resources.length; start += CHUNK_ITEMS) {
    if (start > 0) await setImmediate();
    if (signal?.aborted) return undecided(resources, 'the call was given up');
    const chunk = resources.slice(start, start + CHUNK_ITEMS);
    const judged = await listChunk(policy, input, chunk);
    if (typeof judged === 'string') return undecided(resources, judged);
    listed.push(...judged);
  }
  return { resources, listed, detail: undefined };
}

/** Everything withheld, because the policy could not decide on the list. */
export function undecided(resources: readonly Resource[], detail: string): Discovery {
  return nothingOf(resources, 'POLICY_INDETERMINATE', detail);
}

function nothingOf(
  resources: readonly Resource[],
  reason_code: OwnReason,
  detail: string,
): Discovery {
  return { resources, listed: withheldAll(resources.length, reason_code), detail };
}

export function answerList({ listed }: Discovery): EvaluationsResponse {
  return { evaluations: listed.map(({ visible }) => answerOf(visible)) };
}

type Entities = Omit<Question, 'resource'> & {
  evaluations: { resource: Resource }[];
};

async function listChunk(
  policy: ActivePolicy,
  input: CompleteInput,
  chunk: readonly Resource[],
): Promise<readonly Listed[] | string> {
  try {
    const raw = await policy.list(input, chunk);
    return judgeListing(raw, chunk.length) ?? 'the policy does not list as it should';
  } catch (error) {
    return brokenOff(error);
  }
}

function answerOf(visible: boolean): EvaluationsResponse['evaluations'][number] {
  const outcome = visible ? 'allow' : 'deny';
  const reason_code = visible ? 'ALLOWED' : 'CAPABILITY_NOT_ALLOWED';
  return {
    decision: visible,
    context: { outcome, visible, reason_code, constraints: {}, obligations: [] },
  };
}
