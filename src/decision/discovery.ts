/**
 * A list as one question: which items of a catalogue may this caller see. One policy answers for
 * the whole catalogue, in chunks, so that a long one does not hold up other requests.
 */
import { setImmediate } from 'node:timers/promises';
import type {
  DiscoveryRequest,
  EvaluationsResponse,
  RecordedItem,
  Resource,
} from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { PortcullisError } from '../errors.ts';
import { brokenOff } from './decide.ts';
import {
  completeInput,
  discoveryInput,
  requestInvalid,
  type Circumstances,
  type CompleteInput,
  type Question,
} from './request.ts';
import { judgeList } from './result.ts';
import { NO_POLICY } from './tenancy.ts';
import type { ActivePolicy } from './types.ts';

const CHUNK_ITEMS = 250;

export interface Discovery {
  shown: RecordedItem[];
  withheld: RecordedItem[];
  answer: EvaluationsResponse;
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
  const { visible, detail } = await listAll(policy, input, resources, signal);
  const items = resources.map(recordedItem);
  return {
    shown: items.filter((_, i) => visible.has(i)),
    withheld: items.filter((_, i) => !visible.has(i)),
    answer: { evaluations: resources.map((_, i) => answerOf(visible.has(i))) },
    detail,
  };
}

type Entities = Omit<Question, 'resource'> & {
  evaluations: { resource: Resource }[];
};

/** Positions of the visible items among all. */
async function listAll(
  policy: ActivePolicy | undefined,
  input: CompleteInput,
  resources: readonly Resource[],
  signal: AbortSignal | undefined,
): Promise<{ visible: ReadonlySet<number>; detail: string | undefined }> {
  const visible = new Set<number>();
  if (!policy) return { visible, detail: NO_POLICY };
  for (let start = 0; start < resources.length; start += CHUNK_ITEMS) {
    if (start > 0) await setImmediate();
    if (signal?.aborted) return { visible: new Set(), detail: 'the call was given up' };
    const chunk = resources.slice(start, start + CHUNK_ITEMS);
    const positions = await listChunk(policy, input, chunk);
    if (typeof positions === 'string') return { visible: new Set(), detail: positions };
    for (const position of positions) visible.add(start + position);
  }
  return { visible, detail: undefined };
}

async function listChunk(
  policy: ActivePolicy,
  input: CompleteInput,
  chunk: readonly Resource[],
): Promise<ReadonlySet<number> | string> {
  try {
    const raw = await policy.list(input, chunk);
    return judgeList(raw, chunk.length) ?? 'the policy does not list by distinct positions';
  } catch (error) {
    return brokenOff(error);
  }
}

function recordedItem({ type, id, properties }: Resource): RecordedItem {
  const { definition_digest } = properties;
  return { type, id, ...(definition_digest !== undefined && { definition_digest }) };
}

function answerOf(visible: boolean): EvaluationsResponse['evaluations'][number] {
  const outcome = visible ? 'allow' : 'deny';
  const reason_code = visible ? 'ALLOWED' : 'CAPABILITY_NOT_ALLOWED';
  return {
    decision: visible,
    context: { outcome, visible, reason_code, constraints: {}, obligations: [] },
  };
}
