/**
 * The operations on a task. Only its owner may do any: for everybody else it does not exist. The
 * owner may do what policy now says of the use that made it, asked by the name of the operation;
 * and may stop it for as long as policy lets it know of the capability.
 */
import type { EvaluationResponse, Obligation, Resource } from '../contract/types.gen.ts';
import { invalidParams, missingTasks, unknownTask } from './answers.ts';
import { tellInputs } from './ask_answer.ts';
import { decide } from './decide.ts';
import { RELATED_TASK, resourceNamed, takesTasks, type Asker } from './evaluation.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import { find } from './find.ts';
import { askerOf, notReady, type Gate, type Handler } from './gate.ts';
import type { Verdict } from './judge.ts';
import { discover } from './list.ts';
import { maskBody } from './mask.ts';
import { isObject, wireCopy, type Answer, type JsonObject } from './message.ts';
import type { KnownMethod } from './methods.ts';
import { withholdsStream } from './obligations/plan.ts';
import { tellsEnd, tellState, ttlOf, UNSPOKEN } from './task_state.ts';
import type { Task } from './tasks.ts';
import { mayBeTold, type Taken } from './use.ts';

/** An operation on its way. */
interface TaskWork {
  gate: Gate;
  exchange: Exchange;
  method: KnownMethod;
  task: Task;
  asker: Asker;
  /** What the server is given. */
  params: JsonObject;
}

interface Decided {
  method: KnownMethod;
  tell(work: TaskWork, answer: ServerAnswer, obligations: Obligations): Taken | Promise<Taken>;
  /** It may wait for long, so that policy is asked again before anything is told. */
  waits?: true;
}

type Obligations = readonly Obligation[];
/** What the server is given beside the task, or a pointer to what is wrong with the request. */
type ReadMore = (params: JsonObject, task?: Task) => JsonObject | string;

const WITHHELD = { withheld: 'RESULT_WITHHELD' } as const;

/** Answers to what the owner was asked; a server would have to ignore others (extension tasks). */
const readResponses: ReadMore = ({ inputResponses }, task) => {
  if (!isObject(inputResponses)) return '/params/inputResponses';
  const given = Object.entries(inputResponses);
  const answers = given.filter(([name, value]) => task?.asked.includes(name) && isObject(value));
  return { inputResponses: Object.fromEntries(answers) };
};

export const getTask = decided({ method: 'tasks/get', tell: tellAsking });
export const updateTask = decided({ method: 'tasks/update', tell: tellTask }, readResponses);
export const resultOfTask = decided({ method: 'tasks/result', tell: tellResult, waits: true });
export const cancelTask = ofOwner('tasks/cancel', cancel);

function decided(rule: Decided, readMore?: ReadMore): Handler {
  return ofOwner(rule.method, (work) => carryOut(work, rule), readMore);
}

/** `act` is left to the owner of the task that a request names. */
function ofOwner(
  method: KnownMethod,
  act: (work: TaskWork) => Promise<object | undefined>,
  readMore: ReadMore = () => ({}),
): Handler {
  return async (gate, exchange) => {
    const { request, era } = exchange.arrival;
    if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
    const { taskId, _meta } = request.params;
    if (typeof taskId !== 'string') return invalidParams(exchange.id, method, '/params/taskId');
    const fault = readMore(request.params);
    if (typeof fault === 'string') return invalidParams(exchange.id, method, fault);
    if (era === 'modern' && !takesTasks(request)) return missingTasks(exchange.id);
    const asker = askerOf(exchange);
    const task = asker && gate.tasks.find(taskId, gate.principal);
    if (!task) return unknownTask(method, gate.line, exchange.id, taskId);
    exchange.takes_tasks = era === 'modern';
    const more = readMore(request.params, task) as JsonObject;
    const params = { taskId, ...more, ...(isObject(_meta) && { _meta }) };
    return act({ gate, exchange, method, task, asker, params });
  };
}

async function carryOut(work: TaskWork, rule: Decided): Promise<object | undefined> {
  const { gate, exchange, task, params } = work;
  const verdict = await decideTask(work);
  if (verdict.outcome !== 'allow') return refuse(work, verdict);
  const { answer: decision } = verdict;
  if (isObjected(work)) {
    gate.report(decision, { status: 'refused' });
    return gate.refuse(exchange, { reason_code: 'POLICY_DENIED' });
  }
  const obligations = [...task.origin.obligations, ...decision.context.obligations];
  exchange.masked = withholdsStream(obligations);
  const answer = await gate.forward(exchange, params, decision);
  if (answer === undefined) {
    gate.report(decision, { status: exchange.sent ? 'abandoned' : 'cancelled' });
    return undefined;
  }
  if (!rule.waits) return finish(work, rule, decision, answer, obligations);
  const now = await decideTask(work);
  if (now.outcome !== 'allow') {
    gate.report(decision, { status: 'executed', reason_code: 'RESULT_WITHHELD' });
    return refuse(work, now);
  }
  gate.report(now.answer, { status: 'executed' });
  const due = [...obligations, ...now.answer.context.obligations];
  return finish(work, rule, decision, answer, due);
}

/**
 * Stopping is less than doing: what policy would no longer let its owner begin, for its arguments
 * or without an approval, the owner may still end.
 */
async function cancel(work: TaskWork): Promise<object | undefined> {
  const { gate, exchange, method, task, asker, params } = work;
  const { digest } = await gate.catalogue('tool', exchange);
  const [visible] = await discover(gate, exchange, asker, [await resourceOf(work)], digest);
  if (visible !== true) return unknown(work);
  if (isObjected(work)) return gate.refuse(exchange, { reason_code: 'POLICY_DENIED' });
  const { obligations } = task.origin;
  exchange.masked = withholdsStream(obligations);
  const answer = await gate.forward(exchange, params);
  if (answer === undefined) return undefined;
  gate.parts.log.info('a task was ended by its owner', { method, capability: task.origin.name });
  const taken = 'error' in answer.body ? obligations : UNSPOKEN;
  const told = mayBeTold(answer) ? tellTask(work, answer, taken) : WITHHELD;
  if ('withheld' in told) return gate.refuse(exchange, { reason_code: told.withheld });
  return told.message;
}

/** The entry of the SDK would object: nothing is done, and the owner is told its objection. */
function isObjected({ gate: { entrance } }: TaskWork): boolean {
  if (!entrance?.objected) return false;
  entrance.known = true;
  return true;
}

/** Asked as the call itself would be now, by the name of the operation. */
async function decideTask(work: TaskWork): Promise<Verdict> {
  const { gate, exchange, method, task, asker } = work;
  const { arguments: args } = task.origin;
  const resource = await resourceOf(work);
  const { signal } = exchange;
  return decide(gate.parts, gate.watch, { asker, method, resource, arguments: args, signal });
}

async function resourceOf({ gate, exchange, task: { origin } }: TaskWork): Promise<Resource> {
  const { item } = await find(gate, exchange, origin.kind, origin.name);
  return resourceNamed(gate.parts.settings.server, origin.kind, origin.name, item);
}

function unknown({ gate, exchange, method, task }: TaskWork): object {
  return unknownTask(method, gate.line, exchange.id, task.id);
}

function refuse(work: TaskWork, verdict: Exclude<Verdict, { outcome: 'allow' }>): object {
  const { gate, exchange } = work;
  if (verdict.outcome === 'hidden') return unknown(work);
  const { answer, reason_code, safe_message, overruled } = verdict;
  if (answer && overruled) gate.report(answer, { status: 'refused', reason_code });
  return gate.refuse(exchange, { reason_code, safe_message }, answer?.context.evaluation_id);
}

async function finish(
  work: TaskWork,
  rule: Decided,
  decision: EvaluationResponse,
  answer: ServerAnswer,
  obligations: Obligations,
): Promise<object> {
  const { gate, exchange } = work;
  const told: Taken = mayBeTold(answer) ? await rule.tell(work, answer, obligations) : WITHHELD;
  if ('withheld' in told) {
    const { withheld: reason_code, safe_message } = told;
    const { evaluation_id = decision.context.evaluation_id } = told;
    gate.report(decision, { status: 'executed', reason_code });
    return gate.refuse(exchange, { reason_code, safe_message }, evaluation_id);
  }
  const { message, status, masked } = told;
  gate.report(decision, { status, ...(masked.length > 0 && { masked }) });
  return message;
}

/** The state, with what it asks: each of that is decided on for itself, and all told or nothing. */
async function tellAsking(
  work: TaskWork,
  answer: ServerAnswer,
  obligations: Obligations,
): Promise<Taken> {
  const { gate, exchange, task } = work;
  const { body } = answer;
  const result = 'result' in body ? wireCopy(body.result) : undefined;
  const asked = isObject(result) ? result['inputRequests'] : undefined;
  const told = tellTask(work, answer, obligations);
  if (asked === undefined || 'withheld' in told) return told;
  if (withholdsStream(obligations)) return WITHHELD;
  const inputs = await tellInputs(gate, exchange, asked);
  if (!inputs.ok) {
    const { reason_code: withheld, safe_message, id: evaluation_id } = inputs;
    return { withheld, safe_message, evaluation_id };
  }
  task.asked = Object.keys(inputs.told);
  const { result: state } = told.message as { result: JsonObject };
  return executed(exchange, { ...state, inputRequests: inputs.told }, told.masked);
}

/** The state of the task, or that the server heard of what its owner wants of it. */
function tellTask(work: TaskWork, { body }: ServerAnswer, obligations: Obligations): Taken {
  const { gate, exchange, method, task } = work;
  if ('error' in body) return tellError(work, body, obligations);
  const result = wireCopy(body.result);
  if (!isObject(result)) return WITHHELD;
  if (method !== 'tasks/get' && !('taskId' in result)) {
    const { resultType } = result;
    const bare = resultType === undefined ? {} : { resultType };
    return executed(exchange, withholdsStream(obligations) ? bare : result);
  }
  const told = tellState(gate.parts, task.id, obligations, result);
  if (!told) return WITHHELD;
  gate.tasks.keep(task, ttlOf(result));
  task.ended ||= tellsEnd(told.state);
  return executed(exchange, told.state, told.masked);
}

/** As the call would have been answered, and with the name of the task. */
function tellResult(work: TaskWork, { body }: ServerAnswer, obligations: Obligations): Taken {
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
  body: Answer['body'],
  obligations: Obligations,
): Taken {
  const told = maskBody(gate.parts, body, obligations, { of: 'tool' });
  if (!told) return WITHHELD;
  const message = { jsonrpc: '2.0', id: exchange.id, ...told.body };
  return { message, status: 'failed', masked: told.masked };
}

function executed({ id }: Exchange, result: JsonObject, masked: string[] = []): Taken {
  return { message: { jsonrpc: '2.0', id, result }, status: 'executed', masked };
}
