/** The entries of an AuthZEN evaluations request (Authorization API 1.0, section 7). */
import { VALIDATORS } from '../contract/validate.ts';
import type { AuthzenEvaluationsRequest } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { members, parseEvaluation, requestInvalid, type Request } from './request.ts';
import type { Verdict } from './verdict.ts';

export interface Batch {
  /** Each is read when it is asked for, so that a long batch is not read in one go. */
  entries: Iterable<BatchEntry>;
  semantic: Semantic;
  /** Of all entries, known before one is decided. */
  subjects: readonly unknown[];
}

export interface BatchLimits {
  /** Most entries. */
  batch_items_max: number;
  /** Most that the completed entries may come to, as JSON. */
  batch_bytes_max: number;
}

/** A request, or why the entry is none; such an entry is denied and the others are decided. */
export type BatchEntry = { request: Request } | { fault: string };

type Semantic = NonNullable<
  NonNullable<AuthzenEvaluationsRequest['options']>['evaluations_semantic']
>;

/** The outcome at which a batch ends, with the entry that had it as the last of the answer. */
const ENDS_WITH: Readonly<Record<Semantic, 'permit' | 'deny' | undefined>> = {
  execute_all: undefined,
  deny_on_first_deny: 'deny',
  permit_on_first_permit: 'permit',
};

export function isDiscovery(body: unknown): boolean {
  return members(members(members(body).options).portcullis).discovery !== undefined;
}

/**
 * The entries, each completed by the top level: an entity that an entry lacks is taken whole.
 * Undefined where there is no entry, which makes the top level a single evaluation. Throws
 * `REQUEST_INVALID` with a pointer, or `REQUEST_TOO_LARGE`, before any entry is read.
 */
export function readBatch(body: unknown, limits: BatchLimits): Batch | undefined {
  const result = VALIDATORS.authzen_evaluations_request(body);
  if (!result.ok) throw requestInvalid(result.fault);
  const { evaluations = [], options } = result.value;
  if (evaluations.length === 0) return undefined;
  if (evaluations.length > limits.batch_items_max) {
    throw tooLarge('the batch holds more entries than batch_items_max');
  }
  demandBytes(evaluations, result.value, limits.batch_bytes_max);
  const entries = readEntries(evaluations, result.value);
  const subjects = evaluations.map((entry) => completed(entry, result.value).subject);
  return { entries, subjects, semantic: options?.evaluations_semantic ?? 'execute_all' };
}

/**
 * What the top level holds is evaluated and recorded once for each entry that takes it, so a small
 * body can ask for any amount of work: what counts is the size of the completed entries.
 */
function demandBytes(
  evaluations: readonly object[],
  top: AuthzenEvaluationsRequest,
  bytes_max: number,
): void {
  const measured = new Map<unknown, number>();
  const sizeOf = (entity: unknown): number => {
    const size_bytes = measured.get(entity) ?? Buffer.byteLength(JSON.stringify(entity));
    measured.set(entity, size_bytes);
    return size_bytes;
  };
  let bytes = 0;
  for (const entry of evaluations) {
    for (const entity of Object.values(completed(entry, top))) bytes += sizeOf(entity);
    if (bytes <= bytes_max) continue;
    const limit = `batch_bytes_max (${bytes_max})`;
    throw tooLarge(`the entries, each with what they share, come to more than ${limit}`);
  }
}

function* readEntries(
  evaluations: readonly object[],
  top: AuthzenEvaluationsRequest,
): Generator<BatchEntry> {
  for (const entry of evaluations) yield readEntry(completed(entry, top));
}

function completed(entry: object, top: AuthzenEvaluationsRequest): { subject?: unknown } {
  return { ...entitiesOf(top), ...entitiesOf(entry) };
}

function readEntry(entry: object): BatchEntry {
  const parsed = parseEvaluation(entry);
  if ('request' in parsed) return parsed;
  const { fault } = parsed;
  return { fault: `${requestInvalid(fault).message}: ${fault.pointer}` };
}

/** The body of one evaluation within a body that may hold more. */
export function entitiesOf(body: unknown): object {
  const { subject, action, resource, context } = members(body);
  const entities = Object.entries({ subject, action, resource, context });
  return Object.fromEntries(entities.filter(([, entity]) => entity !== undefined));
}

/** Whether the batch ends with this verdict. */
export function endsBatch(semantic: Semantic, { outcome }: Verdict): boolean {
  return ENDS_WITH[semantic] === (outcome === 'allow' ? 'permit' : 'deny');
}

function tooLarge(message: string): PortcullisError {
  return new PortcullisError('REQUEST_TOO_LARGE', message, { pointer: '/evaluations' });
}
