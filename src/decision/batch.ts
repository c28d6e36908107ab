/** The entries of an AuthZEN evaluations request (Authorization API 1.0, section 7). */
import { VALIDATORS } from '../contract/validate.ts';
import type { AuthzenEvaluationsRequest } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { members, readEvaluation, requestInvalid, type Request } from './request.ts';
import type { Verdict } from './verdict.ts';

export interface Batch {
  entries: BatchEntry[];
  semantic: Semantic;
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
 * `REQUEST_INVALID` with a pointer, or `REQUEST_TOO_LARGE`.
 */
export function readBatch(body: unknown, items_max: number): Batch | undefined {
  const result = VALIDATORS.authzen_evaluations_request(body);
  if (!result.ok) throw requestInvalid(result.fault);
  const { evaluations = [], options } = result.value;
  if (evaluations.length === 0) return undefined;
  if (evaluations.length > items_max) {
    const message = 'the batch holds more entries than batch_items_max';
    throw new PortcullisError('REQUEST_TOO_LARGE', message, { pointer: '/evaluations' });
  }
  const entries = evaluations.map((entry) => readEntry(entry, result.value));
  return { entries, semantic: options?.evaluations_semantic ?? 'execute_all' };
}

function readEntry(entry: object, top: AuthzenEvaluationsRequest): BatchEntry {
  try {
    return { request: readEvaluation({ ...entitiesOf(top), ...entitiesOf(entry) }) };
  } catch (error) {
    if (!(error instanceof PortcullisError)) throw error;
    return { fault: `${error.message}: ${error.pointer ?? ''}` };
  }
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
