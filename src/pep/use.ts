/**
 * The use of one capability: decided on what was asked for as it is, executed at most once, masked
 * on its way. What differs from method to method stands in `uses.ts`.
 */
import type { OwnReason } from '../contract/reasons.ts';
import type { EvaluationResponse } from '../contract/types.gen.ts';
import { failure, invalidParams, RPC, unknownItem } from './answers.ts';
import { argumentsFault } from './arguments_fault.ts';
import { asks, tellAsks, URL_ELICITATION_REQUIRED } from './ask_answer.ts';
import type { CatalogueItem } from './catalogue.ts';
import { decide, isTooLarge } from './decide.ts';
import { resourceNamed, type Asker } from './evaluation.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import { find, type Found } from './find.ts';
import { askerOf, notReady, type Entrance, type Gate, type Handler } from './gate.ts';
import type { Refused, Verdict } from './judge.ts';
import type { Kind } from './kinds.ts';
import { maskBody } from './mask.ts';
import { isComplete, isObject, type JsonObject } from './message.ts';
import type { KnownMethod } from './methods.ts';
import type { ResultShape } from './obligations/apply.ts';
import { withholdsStream } from './obligations/plan.ts';
import { admitUnasked, ownerOf, readInputs, type Inputs } from './retry.ts';

/** What a request asks for. */
export interface Use {
  kind: Kind;
  /** The name of a tool or prompt, a URI or a URI template. */
  id: string;
  /** What policy may read of it. */
  arguments: JsonObject;
  /** What the server is given: only what the method defines. */
  params: JsonObject;
  /** What the client asks for a task with (2025-11-25). */
  task?: JsonObject;
}

export interface UseRule {
  method: KnownMethod;
  /** The use, or a pointer to what is wrong with the request. */
  read(params: JsonObject): Use | string;
  /** How a result is masked. */
  shape(use: Use): ResultShape;
  /** How the server may answer with a task; undefined where it may not. */
  defer?(work: Work, item: CatalogueItem): Deferral | undefined;
  /** What is told of an answer that policy let pass; rejects where nothing can be. */
  tell?(work: Work, message: JsonObject): Promise<JsonObject>;
}

/** A use that the server may make a task of. */
export interface Deferral {
  /** Why it must not begin. */
  refusal?: OwnReason;
  /** What the server is given beside the use. */
  params: JsonObject;
  /** What is told of an answer that is its matter; undefined where it is an ordinary one. */
  take(answer: ServerAnswer, decision: EvaluationResponse): Taken | undefined;
  /** The server answered, or will not. */
  end(): void;
}

/** What is told, or why nothing is. */
export type Taken = Finished | Withheld;

export interface Withheld {
  withheld: string;
  safe_message?: string | undefined;
  /** Of the decision that says so, where it is another than that on the use. */
  evaluation_id?: string | undefined;
}

/** A use on its way. */
export interface Work {
  gate: Gate;
  exchange: Exchange;
  rule: UseRule;
  use: Use;
  asker: Asker;
  /** What the client brings to a further round. */
  inputs: Inputs;
  /** Answers to what was not asked. */
  unasked: JsonObject;
}

/** Yields a result, a refusal, or the answer of a thing that does not exist. */
export function using(rule: UseRule): Handler {
  return async (gate, exchange) => {
    const { request } = exchange.arrival;
    if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
    const use = rule.read(request.params);
    if (typeof use === 'string') return invalidParams(exchange.id, request.method, use);
    // Before the name is looked at: of a tool that does not exist policy reads less.
    if (isTooLarge(gate.parts, use.arguments)) {
      return gate.refuse(exchange, { reason_code: 'ARGUMENTS_TOO_LARGE' });
    }
    const asker = askerOf(exchange);
    if (!asker) return unknown(gate, exchange, use);
    const read = readInputs({ gate, exchange, rule, use });
    if (!read.ok) return read.message;
    return perform({ gate, exchange, rule, use, asker, ...read });
  };
}

/** The decision comes first, and then what it says of the thing. */
async function perform(work: Work): Promise<object | undefined> {
  const { gate, exchange, use } = work;
  const found = await find(gate, exchange, use.kind, use.id);
  if (!found.supported) return failure(exchange.id, RPC.METHOD_NOT_FOUND, 'Method not found');
  const { item } = found;
  const verdict = await decideUse(work, item);
  if (!verdict.answer) return gate.refuse(exchange, verdict);
  if (!item || verdict.outcome === 'hidden') return unknown(gate, exchange, use);
  if (gate.entrance?.objected) return objected(gate, exchange, gate.entrance, verdict.answer);
  if (verdict.outcome === 'refuse') return refuse(work, item, verdict);
  return execute(work, found, item, verdict.answer);
}

/** The answer is not told: the entry tells its objection, which the caller may know. */
function objected(
  gate: Gate,
  exchange: Exchange,
  entrance: Entrance,
  answer: EvaluationResponse,
): object {
  entrance.known = true;
  gate.report(answer, { status: 'refused' });
  return gate.refuse(exchange, { reason_code: 'POLICY_DENIED' });
}

/**
 * A name that the server does not have is asked about too, so that time does not tell it from one
 * that policy hides.
 */
async function decideUse(
  { gate, exchange, rule, use, asker }: Work,
  item: CatalogueItem | undefined,
): Promise<Verdict> {
  const question = {
    asker,
    method: rule.method,
    resource: resourceNamed(gate.parts.settings.server, use.kind, use.id, item),
    arguments: use.arguments,
    signal: exchange.signal,
  };
  const refused = gate.refusals.recall(question);
  if (refused) return refused;
  const verdict = await decide(gate.parts, gate.watch, question);
  gate.refusals.keep(question, verdict, (answer, repeats) => {
    gate.report(answer, { status: 'refused', repeats });
  });
  return verdict;
}

function unknown(gate: Gate, { id }: Exchange, use: Use): object {
  return unknownItem(use.kind, gate.line, id, use.id);
}

function refuse(
  { gate, exchange, use, asker }: Work,
  item: CatalogueItem,
  verdict: Refused,
): object {
  const { answer, reason_code, safe_message, overruled } = verdict;
  const isWeak = asker.trusted.session?.state === 'step_up';
  const step_up = verdict.step_up ?? (isWeak ? {} : undefined);
  if (overruled) gate.report(answer, { status: 'refused', reason_code });
  const arguments_fault = argumentsFault(item, use.arguments);
  const refusal = { reason_code, safe_message, arguments_fault, step_up };
  return gate.refuse(exchange, refusal, answer.context.evaluation_id);
}

/** The definition is looked at again, since what was decided on may have changed meanwhile. */
async function execute(
  work: Work,
  found: Found,
  item: CatalogueItem,
  decision: EvaluationResponse,
): Promise<object | undefined> {
  const { gate, exchange, use } = work;
  const inputs = { ...work.inputs, ...(await admitUnasked(work, work.unasked)) };
  const { item: now } = await find(gate, exchange, use.kind, use.id).catch((error: unknown) => {
    const refused = { status: 'refused', reason_code: 'POLICY_UNAVAILABLE' } as const;
    gate.report(decision, exchange.cancelled ? { status: 'cancelled' } : refused);
    throw error;
  });
  if (now?.digest !== item.digest) {
    gate.report(decision, { status: 'refused', reason_code: 'DEFINITION_CHANGED' });
    if (!now) return unknown(gate, exchange, use);
    const reason_code = 'DEFINITION_CHANGED';
    return gate.refuse(exchange, { reason_code }, decision.context.evaluation_id);
  }
  exchange.masked = withholdsStream(decision.context.obligations);
  const deferral = work.rule.defer?.(work, item);
  if (deferral?.refusal) {
    const reason_code = deferral.refusal;
    gate.report(decision, { status: 'refused', reason_code });
    return gate.refuse(exchange, { reason_code }, decision.context.evaluation_id);
  }
  try {
    const answer = await gate.forward(
      exchange,
      { ...use.params, ...inputs, ...deferral?.params },
      decision,
    );
    if (answer !== undefined) return await finish(work, found, decision, answer, deferral);
  } finally {
    deferral?.end();
  }
  gate.report(decision, { status: exchange.sent ? 'abandoned' : 'cancelled' });
  return undefined;
}

export interface Finished {
  message: object;
  status: 'executed' | 'failed';
  masked: string[];
}

/** Applies the obligations to what the server answered; what cannot be masked is withheld. */
async function finish(
  work: Work,
  found: Found,
  decision: EvaluationResponse,
  answer: ServerAnswer,
  deferral: Deferral | undefined,
): Promise<object> {
  const { gate, exchange, rule, use } = work;
  const { evaluation_id } = decision.context;
  const asking = !exchange.masked && asks(answer, rule.method, exchange.arrival.era);
  if (asking) return finishAsking(work, decision, answer);
  const finished = deferral?.take(answer, decision) ?? ordinary(work, answer, decision);
  if ('withheld' in finished) {
    const reason_code = finished.withheld;
    gate.report(decision, { status: 'executed', reason_code });
    return gate.refuse(exchange, { reason_code }, evaluation_id);
  }
  const { message, status, masked } = finished;
  gate.report(decision, { status, ...(masked.length > 0 && { masked }) });
  if (found.templated && saysUnknown(answer)) return unknown(gate, exchange, use);
  return rule.tell && status === 'executed' ? rule.tell(work, message as JsonObject) : message;
}

function ordinary(work: Work, answer: ServerAnswer, decision: EvaluationResponse): Taken {
  const finished = mayBeTold(answer) ? mask(work, answer, decision) : undefined;
  return finished ?? { withheld: 'RESULT_WITHHELD' };
}

/** What it asks is decided on for itself; where that is refused, the call has no result. */
async function finishAsking(
  work: Work,
  decision: EvaluationResponse,
  answer: ServerAnswer,
): Promise<object> {
  const { gate, exchange } = work;
  const told = await tellAsks(gate, exchange, answer, ownerOf(work));
  if (told.ok) {
    gate.report(decision, { status: 'executed' });
    return told.message;
  }
  const { reason_code, safe_message, id = decision.context.evaluation_id } = told;
  gate.report(decision, { status: 'executed', reason_code });
  return gate.refuse(exchange, { reason_code, safe_message }, id);
}

/** A task, and any other kind of answer, is a message of its own, which is not passed here. */
export function mayBeTold({ body }: Pick<ServerAnswer, 'body'>): boolean {
  if ('error' in body) {
    return isObject(body.error) && body.error['code'] !== URL_ELICITATION_REQUIRED;
  }
  return isObject(body.result) && isComplete(body.result) && body.result['task'] === undefined;
}

/** MCP, resources, error handling: of 2025-11-25, and of 2026-07-28. */
const NOT_FOUND: readonly unknown[] = [-32002, RPC.INVALID_PARAMS];

/** An address that a template would make, and that the server does not know. */
function saysUnknown({ body }: ServerAnswer): boolean {
  return 'error' in body && isObject(body.error) && NOT_FOUND.includes(body.error['code']);
}

function mask(
  { gate: { parts }, exchange, rule, use }: Work,
  { body, raw }: ServerAnswer,
  { context: { obligations } }: EvaluationResponse,
): Finished | undefined {
  const status = 'error' in body ? 'failed' : 'executed';
  if (!exchange.masked) return { message: raw, status, masked: [] };
  const told = maskBody(parts, body, obligations, rule.shape(use));
  if (told === undefined) return undefined;
  const message = { jsonrpc: '2.0', id: exchange.id, ...told.body };
  return { message, status, masked: told.masked };
}
