/** What is told of a task, in an answer, a list or a notification. */
import type { Obligation } from '../contract/types.gen.ts';
import { maskBody } from './mask.ts';
import { isObject, wireCopy, type Answer, type JsonObject } from './message.ts';
import { withholdsStream } from './obligations/plan.ts';
import type { GuardParts } from './settings.ts';
import { mayBeTold } from './use.ts';

export interface ToldState {
  state: JsonObject;
  /** What was taken away, as an outcome report names it. */
  masked: string[];
}

/** For where policy was not asked what it masks: leaves what tells nothing of the call. */
export const UNSPOKEN: readonly Obligation[] = [
  { type: 'keep_fields', paths: [], unstructured: 'drop' },
];

/**
 * The state of a task as the server says it, for the owner: of that very task, with its result or
 * error as those of the call itself would be, and without what it asks the client. Undefined: it is
 * withheld.
 */
export function tellState(
  parts: GuardParts,
  task_id: string,
  obligations: readonly Obligation[],
  said: unknown,
): ToldState | undefined {
  const copy = wireCopy(said);
  if (!isObject(copy) || copy['taskId'] !== task_id) return undefined;
  const { inputRequests: _asked, ...state } = copy;
  const payload = payloadOf(state);
  if (payload && !mayBeTold({ body: payload })) return undefined;
  const told = payload && maskBody(parts, payload, obligations, { of: 'tool' });
  if (payload && !told) return undefined;
  const open = withholdsStream(obligations) ? known(state) : state;
  if (!open) return undefined;
  const limited = { ...open, ...limitsOf(open, parts.settings.task_ttl_ms_max), ...told?.body };
  return { state: limited, masked: told?.masked ?? [] };
}

/** How long the server keeps a task, in both generations' words; undefined where it says no end. */
export function ttlOf({ ttl, ttlMs = ttl }: JsonObject): number | undefined {
  return typeof ttlMs === 'number' ? ttlMs : undefined;
}

/** Whether a state is the last that its owner needs to ask for. */
export function tellsEnd(state: JsonObject): boolean {
  return 'result' in state || 'error' in state || state['status'] === 'cancelled';
}

/** A state of 2026-07-28 holds how the task ended. */
function payloadOf(state: JsonObject): Answer['body'] | undefined {
  if ('error' in state) return { error: state['error'] };
  return 'result' in state ? { result: state['result'] } : undefined;
}

const STATUSES: readonly unknown[] = [
  'working',
  'input_required',
  'completed',
  'failed',
  'cancelled',
];
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

const isTime = (value: unknown) => typeof value === 'string' && TIME.test(value);
const isDuration = (value: unknown) => value === null || typeof value === 'number';

/** The members that tell nothing of the call; `statusMessage` and `_meta` may. */
const KNOWN: Readonly<Record<string, (value: unknown) => boolean>> = {
  taskId: () => true,
  status: (value) => STATUSES.includes(value),
  createdAt: isTime,
  lastUpdatedAt: isTime,
  ttl: isDuration,
  ttlMs: isDuration,
  pollInterval: isDuration,
  pollIntervalMs: isDuration,
  resultType: (value) => value === 'task' || value === 'complete',
};

/** Undefined where one of them is not what it is to be, and could carry anything. */
function known(state: JsonObject): JsonObject | undefined {
  const entries = Object.entries(state).filter(([name]) => Object.hasOwn(KNOWN, name));
  return entries.every(([name, value]) => KNOWN[name]?.(value))
    ? Object.fromEntries(entries)
    : undefined;
}

/** Nobody is told of a longer time than the task is remembered for. */
function limitsOf(state: JsonObject, ttl_ms_max: number): JsonObject {
  const limited = Math.min(ttlOf(state) ?? ttl_ms_max, ttl_ms_max);
  return {
    ...('ttl' in state && { ttl: limited }),
    ...('ttlMs' in state && { ttlMs: limited }),
  };
}
