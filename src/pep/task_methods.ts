/**
 * The operations on a task. Only its owner may do any: for everybody else it does not exist. The
 * owner may do what policy now says of the use that made it, asked by the name of the operation.
 */
import type { EvaluationResponse, Obligation } from '../contract/types.gen.ts';
import { invalidParams, missingTasks, unknownTask } from './answers.ts';
import { decide } from './decide.ts';
import { RELATED_TASK, resourceNamed, takesTasks, type Asker } from './evaluation.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import { find } from './find.ts';
import { askerOf, notReady, type Gate, type Handler } from './gate.ts';
import type { Verdict } from './judge.ts';
import { maskBody } from './mask.ts';
import { isObject, wireCopy, type JsonObject } from './message.ts';
import type { KnownMethod } from './methods.ts';
import { withholdsStream } from './obligations/plan.ts';
import { tellsEnd, tellState, ttlOf } from './task_state.ts';
import type { Task } from './tasks.ts';
import { mayBeTold, type Taken } from './use.ts';

interface Operation {
  method: KnownMethod;
  /** What the server is given beside the task, or a pointer to what is wrong with the request. */
  params?(params: JsonObject): JsonObject | string;
  tell(work: TaskWork, answer: ServerAnswer, obligations: readonly Obligation[]): Taken;
  /** It may wait for long, so that policy is asked again before anything is told. */
  waits?: true;
}

interface TaskWork {
  gate: Gate;
  exchange: Exchange;
  operation: Operation;
  task: Task;
  asker: Asker;
}

const WITHHELD = { withheld: 'RESULT_WITHHELD' } as const;

export const getTask = operating({ method: 'tasks/get', tell: tellTask });
export const cancelTask = operating({ method: 'tasks/cancel', tell: tellTask });
export const updateTask = operating({
  method: 'tasks/update',
  // No question of a task is told yet, so that nobody has an answer to one.
  params: ({ inputResponses }) =>
    isObject(inputResponses) ? { inputResponses: {} } : '/params/inputResponses',
  tell: tellTask,
});
export const resultOfTask = operating({ method: 'tasks/result', tell: tellResult, waits: true });

function operating(operation: Operation): Handler {
  return async (gate, exchange) => {
    const { request, era } = exchange.arrival;
    if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
    const { taskId } = request.params;
    if (typeof taskId !== 'string') {
      return invalidParams(exchange.id, request.method, '/params/taskId');
    }
    const more = operation.params?.(request.params) ?? {};
    if (typeof more === 'string') return invalidParams(exchange.id, request.method, more);
    if (era === 'modern' && !takesTasks(request)) return missingTasks(exchange.id);
    const asker = askerOf(exchange);
    const task = asker && gate.tasks.find(taskId, gate.principal);
    if (!task) return unknown(gate, exchange, taskId);
    const { _meta } = request.params;
    const params = { taskId, ...more, ...(isObject(_meta) && { _meta }) };
    return operate({ gate, exchange, operation, task, asker }, params);
  };
}

function unknown({ line }: Gate, { id, arrival }: Exchange, task_id: string): object {
  return unknownTask(arrival.request.method, line, id, task_id);
}

async function operate(work: TaskWork, params: JsonObject): Promise<object | undefined> {
  const { gate, exchange, operation, task } = work;
  const verdict = await decideTask(work);
  if (verdict.outcome !== 'allow') return refuse(work, verdict);
  const { answer: decision } = verdict;
  if (gate.entrance?.objected) {
    gate.entrance.known = true;
    gate.report(decision, { status: 'refused' });
    return gate.refuse(exchange, { reason_code: 'POLICY_DENIED' });
  }
  const obligations = [...task.origin.obligations, ...decision.context.obligations];
  exchange.masked = withholdsStream(obligations);
  exchange.takes_tasks = exchange.arrival.era === 'modern';
  const answer = await gate.forward(exchange, params, decision);
  if (answer === undefined) {
    gate.report(decision, { status: exchange.sent ? 'abandoned' : 'cancelled' });
    return undefined;
  }
  if (!operation.waits) return tell(work, decision, answer, obligations);
  const now = await decideTask(work);
  if (now.outcome !== 'allow') {
    gate.report(decision, { status: 'executed', reason_code: 'RESULT_WITHHELD' });
    return refuse(work, now);
  }
  gate.report(now.answer, { status: 'executed' });
  return tell(work, decision, answer, [...obligations, ...now.answer.context.obligations]);
}

/** Asked as the call itself would be now, by the name of the operation. */
async function decideTask({ gate, exchange, operation, task, asker }: TaskWork): Promise<Verdict> {
  const { kind, name, arguments: args } = task.origin;
  const { item } = await find(gate, exchange, kind, name);
  return decide(gate.parts, gate.watch, {
    asker,
    method: operation.method,
    resource: resourceNamed(gate.parts.settings.server, kind, name, item),
    arguments: args,
    signal: exchange.signal,
  });
}

function refuse(
  { gate, exchange, task }: TaskWork,
  verdict: Exclude<Verdict, { outcome: 'allow' }>,
): object {
  if (verdict.outcome === 'hidden') return unknown(gate, exchange, task.id);
  const { answer, reason_code, safe_message, overruled } = verdict;
  if (answer && overruled) gate.report(answer, { status: 'refused', reason_code });
  return gate.refuse(exchange, { reason_code, safe_message }, answer?.context.evaluation_id);
}

function tell(
  work: TaskWork,
  decision: EvaluationResponse,
  answer: ServerAnswer,
  obligations: readonly Obligation[],
): object {
  const { gate, exchange, operation } = work;
  const told = mayBeTold(answer) ? operation.tell(work, answer, obligations) : WITHHELD;
  if ('withheld' in told) {
    const reason_code = told.withheld;
    gate.report(decision, { status: 'executed', reason_code });
    return gate.refuse(exchange, { reason_code }, decision.context.evaluation_id);
  }
  const { message, status, masked } = told;
  gate.report(decision, { status, ...(masked.length > 0 && { masked }) });
  return message;
}

/** The state of the task, or that the server heard of what its owner wants of it. */
function tellTask(
  work: TaskWork,
  { body }: ServerAnswer,
  obligations: readonly Obligation[],
): Taken {
  const { gate, exchange, operation, task } = work;
  if ('error' in body) return tellError(work, body, obligations);
  const result = wireCopy(body.result);
  if (!isObject(result)) return WITHHELD;
  if (operation.method !== 'tasks/get' && !('taskId' in result)) {
    const { resultType } = result;
    return executed(exchange, resultType === undefined ? {} : { resultType });
  }
  const told = tellState(gate.parts, task.id, obligations, result);
  if (!told) return WITHHELD;
  gate.tasks.keep(task, ttlOf(result));
  task.ended ||= tellsEnd(told.state);
  return executed(exchange, told.state, told.masked);
}

/** As the call would have been answered, and with the name of the task. */
function tellResult(
  work: TaskWork,
  { body }: ServerAnswer,
  obligations: readonly Obligation[],
): Taken {
  const { gate, exchange, task } = work;
  if ('error' in body) return tellError(work, body, obligations);
  const result = wireCopy(body.result);
  const told = maskBody(gate.parts, { result }, obligations, { of: 'tool' });
  if (!told || !('result' in told.body)) return WITHHELD;
  task.ended = true;
  const { _meta, ...open } = told.body.result as JsonObject;
  const beside = isObject(_meta) ? _meta : {};
  const named = { ...beside, [RELATED_TASK]: { taskId: task.id } };
  return executed(exchange, { ...open, _meta: named }, told.masked);
}

function tellError(
  { gate, exchange }: TaskWork,
  body: ServerAnswer['body'],
  obligations: readonly Obligation[],
): Taken {
  const told = maskBody(gate.parts, body, obligations, { of: 'tool' });
  if (!told) return WITHHELD;
  const message = { jsonrpc: '2.0', id: exchange.id, ...told.body };
  return { message, status: 'failed', masked: told.masked };
}

function executed({ id }: Exchange, result: JsonObject, masked: string[] = []): Taken {
  return { message: { jsonrpc: '2.0', id, result }, status: 'executed', masked };
}
