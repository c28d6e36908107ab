/** `tools/call`: decided on the arguments as they are, executed at most once, masked on its way. */
import type { EvaluationResponse, Obligation } from '../contract/types.gen.ts';
import { failure, invalidParams, RPC, unknownTool } from './answers.ts';
import { argumentsFault } from './arguments_fault.ts';
import type { CatalogueItem } from './catalogue.ts';
import { decide } from './decide.ts';
import { toolResource, type Asker } from './evaluation.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import { askerOf, notReady, type Entrance, type Gate } from './gate.ts';
import type { Verdict } from './judge.ts';
import { isObject, type JsonObject, type Request } from './message.ts';
import { applyToError, applyToResult, RESULT_LIMITS, type RpcError } from './obligations/apply.ts';
import { withholdsStream } from './obligations/plan.ts';

interface Call {
  name: string;
  arguments: JsonObject;
  /** What the server is given: no task, no answers to questions that it could not ask. */
  params: JsonObject;
}

/** Yields a result, a refusal, or the answer of a tool that does not exist. */
export async function callTool(gate: Gate, exchange: Exchange): Promise<object | undefined> {
  const { request } = exchange.arrival;
  if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
  const call = readCall(request);
  if (typeof call === 'string') return invalidParams(exchange.id, request.method, call);
  if (isTooLarge(gate, call)) return gate.refuse(exchange, { reason_code: 'ARGUMENTS_TOO_LARGE' });
  const asker = askerOf(exchange);
  if (!asker) return unknown(gate, exchange, call);
  const { items, supported } = await gate.tools(exchange);
  if (!supported) return failure(exchange.id, RPC.METHOD_NOT_FOUND, 'Method not found');
  const item = items.get(call.name);
  const verdict = await decideCall(gate, exchange, asker, call, item);
  if (verdict.outcome === 'refuse' && !verdict.answer) return gate.refuse(exchange, verdict);
  if (!item || verdict.outcome === 'hidden') return unknown(gate, exchange, call);
  if (gate.entrance?.objected) return objected(gate, exchange, gate.entrance, verdict);
  if (verdict.outcome === 'refuse') return refuse(gate, exchange, call, item, verdict);
  return execute(gate, exchange, call, item, verdict.answer);
}

/** The answer is not told: the entry tells its objection, which the caller may know. */
function objected(gate: Gate, exchange: Exchange, entrance: Entrance, verdict: Verdict): object {
  entrance.known = true;
  if (verdict.answer) gate.report(verdict.answer, { status: 'refused' });
  return gate.refuse(exchange, { reason_code: 'POLICY_DENIED' });
}

/**
 * A name that the server does not have is asked about too, so that time does not tell it from one
 * that policy hides.
 */
function decideCall(
  gate: Gate,
  { signal }: Exchange,
  asker: Asker,
  call: Call,
  item: CatalogueItem | undefined,
): Promise<Verdict> {
  return decide(gate.parts, gate.watch, {
    asker,
    method: 'tools/call',
    resource: toolResource(gate.parts.settings.server, call.name, item),
    arguments: call.arguments,
    signal,
  });
}

/** The call, or a pointer to what is wrong with it. */
function readCall({ params }: Request): Call | string {
  const { name, arguments: args, _meta } = params;
  if (typeof name !== 'string') return '/params/name';
  if (args !== undefined && !isObject(args)) return '/params/arguments';
  const forwarded = { name, ...(args && { arguments: args }), ...(isObject(_meta) && { _meta }) };
  return { name, arguments: args ?? {}, params: forwarded };
}

/**
 * Looked at before the name is: what the policy reads of the arguments of one tool can be more than
 * the decision point takes, and of a tool that does not exist it reads less.
 */
function isTooLarge({ parts }: Gate, call: Call): boolean {
  const size_bytes = Buffer.byteLength(JSON.stringify(call.arguments));
  return size_bytes > parts.settings.arguments_bytes_max;
}

function unknown(gate: Gate, { id }: Exchange, { name }: Call): object {
  return unknownTool(gate.line, id, name);
}

function refuse(
  gate: Gate,
  exchange: Exchange,
  call: Call,
  item: CatalogueItem,
  verdict: Extract<Verdict, { outcome: 'refuse' }>,
): object {
  const { answer, reason_code, safe_message, overruled } = verdict;
  if (answer && overruled) gate.report(answer, { status: 'refused', reason_code });
  const arguments_fault = argumentsFault(item, call.arguments);
  const refusal = { reason_code, safe_message, arguments_fault };
  return gate.refuse(exchange, refusal, answer?.context.evaluation_id);
}

/** The definition is looked at again, since what was decided on may have changed meanwhile. */
async function execute(
  gate: Gate,
  exchange: Exchange,
  call: Call,
  item: CatalogueItem,
  decision: EvaluationResponse,
): Promise<object | undefined> {
  const { items } = await gate.tools(exchange).catch((error: unknown) => {
    const refused = { status: 'refused', reason_code: 'POLICY_UNAVAILABLE' } as const;
    gate.report(decision, exchange.cancelled ? { status: 'cancelled' } : refused);
    throw error;
  });
  const now = items.get(call.name);
  if (now?.digest !== item.digest) {
    gate.report(decision, { status: 'refused', reason_code: 'DEFINITION_CHANGED' });
    if (!now) return unknown(gate, exchange, call);
    const reason_code = 'DEFINITION_CHANGED';
    return gate.refuse(exchange, { reason_code }, decision.context.evaluation_id);
  }
  exchange.masked = withholdsStream(decision.context.obligations);
  const answer = await gate.forward(exchange, call.params, decision);
  if (answer === undefined) {
    gate.report(decision, { status: exchange.sent ? 'abandoned' : 'cancelled' });
    return undefined;
  }
  return finish(gate, exchange, decision, answer);
}

interface Finished {
  message: object;
  status: 'executed' | 'failed';
  masked: string[];
}

/** Applies the obligations to what the server answered; what cannot be masked is withheld. */
function finish(
  gate: Gate,
  exchange: Exchange,
  decision: EvaluationResponse,
  answer: ServerAnswer,
): object {
  const { obligations, evaluation_id } = decision.context;
  const finished = mayBeTold(answer) ? mask(gate, exchange, answer, obligations) : undefined;
  if (finished === undefined) {
    gate.report(decision, { status: 'executed', reason_code: 'RESULT_WITHHELD' });
    return gate.refuse(exchange, { reason_code: 'RESULT_WITHHELD' }, evaluation_id);
  }
  const { message, status, masked } = finished;
  gate.report(decision, { status, ...(masked.length > 0 && { masked }) });
  return message;
}

/** The error of 2025-11-25 that carries an elicitation. */
const URL_ELICITATION_REQUIRED = -32042;

/**
 * A task, a question to the user and any other kind of answer is a message of its own, which is not
 * enforced and therefore not passed.
 */
function mayBeTold({ body }: ServerAnswer): boolean {
  if ('error' in body)
    return isObject(body.error) && body.error['code'] !== URL_ELICITATION_REQUIRED;
  if (!isObject(body.result)) return false;
  const { resultType, task } = body.result;
  return (resultType === undefined || resultType === 'complete') && task === undefined;
}

function mask(
  { parts }: Gate,
  exchange: Exchange,
  { body, raw }: ServerAnswer,
  obligations: readonly Obligation[],
): Finished | undefined {
  const status = 'error' in body ? 'failed' : 'executed';
  if (!exchange.masked) return { message: raw, status, masked: [] };
  const limits = { ...RESULT_LIMITS, size_bytes_max: parts.settings.result_bytes_max };
  const frame = { jsonrpc: '2.0', id: exchange.id };
  if ('error' in body) {
    const applied = applyToError(body.error as RpcError, obligations, parts.digestKey, limits);
    if (!applied.ok) return withheld(parts.log, applied.reason);
    return { message: { ...frame, error: applied.error }, status, masked: applied.masked };
  }
  const applied = applyToResult(body.result, obligations, parts.digestKey, limits);
  if (!applied.ok) return withheld(parts.log, applied.reason);
  return { message: { ...frame, result: applied.result }, status, masked: applied.masked };
}

function withheld(log: Gate['parts']['log'], reason: string): undefined {
  log.warn('a result was withheld', { reason });
}
