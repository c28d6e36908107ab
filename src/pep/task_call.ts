/**
 * A call that the server may answer with a task: because the client asks for one (2025-11-25), or
 * because it takes them (2026-07-28). Room for the task is kept before the call is made.
 */
import type { EvaluationResponse } from '../contract/types.gen.ts';
import { MISSING_CAPABILITY } from './answers.ts';
import type { CatalogueItem } from './catalogue.ts';
import { takesTasks, withoutCredentials } from './evaluation.ts';
import type { ServerAnswer } from './exchange.ts';
import { isObject, wireCopy, type JsonObject } from './message.ts';
import { tellState, ttlOf } from './task_state.ts';
import type { Origin, Place } from './tasks.ts';
import type { Deferral, Taken, Work } from './use.ts';

/** What a client may say of the task that it asks for; a pointer to what is wrong with it. */
export function readTask(task: unknown): JsonObject | string {
  if (!isObject(task)) return '/params/task';
  const { ttl } = task;
  if (ttl === undefined) return {};
  return typeof ttl === 'number' && ttl >= 0 ? { ttl } : '/params/task/ttl';
}

/** Undefined: the server is not asked for a task, and may not answer with one. */
export function deferCall(work: Work, item: CatalogueItem): Deferral | undefined {
  const { exchange, use } = work;
  if (exchange.arrival.era === 'modern') {
    return takesTasks(exchange.arrival.request) ? offered(work, item) : undefined;
  }
  const { task } = use;
  return task !== undefined && makesTasks(item) ? asked(work, item, task) : undefined;
}

/** A tool of a server without tasks is called as if none was asked for (MCP 2025-11-25, tasks). */
function makesTasks({ definition: { execution } }: CatalogueItem): boolean {
  const support = isObject(execution) ? execution['taskSupport'] : undefined;
  return support === 'optional' || support === 'required';
}

function asked(work: Work, item: CatalogueItem, task: JsonObject): Deferral {
  const place = reserve(work);
  if (!place) return { refusal: 'TOO_MANY_TASKS', params: {}, take: nothing, end: nothing };
  return {
    params: { task },
    take: ({ body }, decision) => {
      const result = resultOf(body);
      if (result?.['task'] === undefined) return undefined;
      const told = made(work, item, place, decision, result['task']);
      if ('withheld' in told) return told;
      const beside = work.exchange.masked ? {} : result;
      return finished(work, { ...beside, task: told.state });
    },
    end: place.release,
  };
}

/** Without room the server is not told that the client takes tasks: most calls need none. */
function offered(work: Work, item: CatalogueItem): Deferral {
  const place = reserve(work);
  work.exchange.takes_tasks = place !== undefined;
  return {
    params: {},
    take: ({ body }, decision) => {
      if (!place) return needsTasks(body) ? { withheld: 'TOO_MANY_TASKS' } : undefined;
      const result = resultOf(body);
      if (result?.['resultType'] !== 'task') return undefined;
      const told = made(work, item, place, decision, result);
      return 'withheld' in told ? told : finished(work, told.state);
    },
    end: () => place?.release(),
  };
}

const nothing = () => undefined;

function reserve({ gate }: Work): Place | undefined {
  const place = gate.tasks.reserve(gate.principal);
  if (!place) gate.parts.log.warn('a principal has too many tasks, or all have');
  return place;
}

/** One reading of what the server says, which may differ from time to time. */
function resultOf(body: ServerAnswer['body']): JsonObject | undefined {
  const result = 'result' in body ? wireCopy(body.result) : undefined;
  return isObject(result) ? result : undefined;
}

function needsTasks(body: ServerAnswer['body']): boolean {
  return 'error' in body && isObject(body.error) && body.error['code'] === MISSING_CAPABILITY;
}

/** The task is remembered before its owner is told of it. */
function made(
  { gate, exchange, asker, use }: Work,
  item: CatalogueItem,
  place: Place,
  { context: { obligations } }: EvaluationResponse,
  task: unknown,
): { state: JsonObject } | { withheld: 'RESULT_WITHHELD' } {
  const id = isObject(task) ? task['taskId'] : undefined;
  const withheld = { withheld: 'RESULT_WITHHELD' } as const;
  if (!isTaskId(id)) return withheld;
  const told = tellState(gate.parts, id, obligations, task);
  const origin: Origin = {
    kind: use.kind,
    name: use.id,
    item,
    arguments: use.arguments,
    asker: withoutCredentials(asker),
    obligations,
  };
  const kept = place.take(id, origin, ttlOf(task as JsonObject));
  if (!kept) {
    gate.parts.log.error('the server gave the id of a task to another one');
    return withheld;
  }
  gate.follow(exchange, kept);
  return told ?? withheld;
}

const TASK_ID_LENGTH_MAX = 1024;

function isTaskId(id: unknown): id is string {
  return typeof id === 'string' && id !== '' && id.length <= TASK_ID_LENGTH_MAX;
}

function finished({ exchange: { id } }: Work, result: JsonObject): Taken {
  return { message: { jsonrpc: '2.0', id, result }, status: 'executed', masked: [] };
}
