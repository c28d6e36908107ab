/**
 * A request that a client makes again, with what the server asked for (MCP 2026-07-28, mrtr). It is
 * decided on as any other; the server is given its own state and the answers to what it asked.
 */
import { keyedDigestOf } from '../contract/digest.ts';
import { jsonPointer } from '../contract/json.ts';
import { invalidParams, invalidState } from './answers.ts';
import { mayAsk } from './ask_answer.ts';
import { judgeAsk, type AskMethod } from './asks.ts';
import { isOffered } from './client_offers.ts';
import { isObject, type JsonObject } from './message.ts';
import { principalOf } from './principal.ts';
import { openState, type Owner } from './request_state.ts';
import type { Work } from './use.ts';

/** What a client brings to a request for the server. */
export interface Inputs {
  requestState?: string;
  inputResponses?: JsonObject;
}

type Target = Pick<Work, 'gate' | 'exchange' | 'rule' | 'use'>;

/** Whose request this is, for the state of its rounds. */
export function ownerOf({ gate, exchange, rule, use }: Target): Owner {
  const { digestKey, settings } = gate.parts;
  return {
    principal: principalOf(exchange.arrival.trusted),
    server: settings.server,
    method: rule.method,
    name: use.id,
    arguments_digest: keyedDigestOf(digestKey, use.arguments),
  };
}

/** Whether a request continues another; its result belongs to this round alone. */
export function isRetry({ requestState, inputResponses }: JsonObject): boolean {
  return requestState !== undefined || inputResponses !== undefined;
}

export type Read =
  | { ok: true; inputs: Inputs; unasked: JsonObject }
  /** The answer to the client. */
  | { ok: false; message: object };

/** Looks at nothing but the request, so that what is hidden is treated as what does not exist. */
export function readInputs(target: Target): Read {
  const { gate, exchange, rule } = target;
  const { request, era } = exchange.arrival;
  const { requestState, inputResponses } = request.params;
  if (era === 'legacy' || !mayAsk(rule.method)) return { ok: true, inputs: {}, unasked: {} };
  const refuse = (at: string[]): Read => {
    const message = invalidParams(exchange.id, request.method, jsonPointer(['params', ...at]));
    return { ok: false, message };
  };
  if (requestState !== undefined && typeof requestState !== 'string')
    return refuse(['requestState']);
  if (inputResponses !== undefined && !isObject(inputResponses)) return refuse(['inputResponses']);
  const given = Object.entries(inputResponses ?? {});
  const malformed = given.find(([, response]) => !isObject(response));
  if (malformed) return refuse(['inputResponses', malformed[0]]);
  if (requestState === undefined) return { ok: true, inputs: {}, unasked: inputResponses ?? {} };
  const { digestKey, clock } = gate.parts;
  const state = openState(digestKey, ownerOf(target), requestState, clock.now_ms());
  if (!state) return { ok: false, message: invalidState(exchange.id) };
  const { asked, inner } = state;
  const answers = given.filter(([name]) => asked.includes(name));
  return { ok: true, inputs: inputsOf(answers, inner), unasked: {} };
}

function inputsOf(answers: [string, unknown][], inner?: string): Inputs {
  return {
    ...(inner !== undefined && { requestState: inner }),
    ...(answers.length > 0 && { inputResponses: Object.fromEntries(answers) }),
  };
}

/**
 * Answers that come without a state, to what this guard never passed on. The specification lets a
 * server that needs no state take them, and a client that was never asked send them: what policy
 * refuses to have asked would then be answered unasked. So they are given to the server only where
 * policy would let it ask by that method whatever it wants to know, and else ignored, as what a
 * server does not recognise (MCP 2026-07-28, mrtr, error handling).
 */
export async function admitUnasked(
  { gate, exchange }: Target,
  unasked: JsonObject,
): Promise<Inputs> {
  const { arrival, signal } = exchange;
  const read = Object.entries(unasked).map(([name, response]) => ({ name, ...answerOf(response) }));
  const methods = new Set(read.flatMap(({ method }) => method ?? []));
  const free = new Set<AskMethod>();
  for (const method of methods) {
    const ask = { method, params: {}, arguments: {} };
    if (!isOffered(arrival.offers, ask)) continue;
    const judged = await judgeAsk(gate, arrival, ask, signal);
    if (!judged.ok) continue;
    free.add(method);
    gate.report(judged.decision, { status: 'executed' });
  }
  const answers = read.filter(({ method }) => method && free.has(method));
  return inputsOf(answers.map(({ name, response }) => [name, response]));
}

/** The members of an answer to each method; the first tells which it answers. */
const ANSWERS: Readonly<Record<AskMethod, readonly [sign: string, ...string[]]>> = {
  'elicitation/create': ['action', 'content'],
  'roots/list': ['roots'],
  'sampling/createMessage': ['role', 'content', 'model', 'stopReason'],
};

/** Taken as an answer to one method, without what would make it one to another. */
function answerOf(given: unknown): { method?: AskMethod; response?: JsonObject } {
  if (!isObject(given)) return {};
  for (const [method, members] of Object.entries(ANSWERS)) {
    const [sign] = members;
    if (given[sign] === undefined) continue;
    const kept = Object.entries(given).filter(([name]) => members.includes(name));
    return { method: method as AskMethod, response: Object.fromEntries(kept) };
  }
  return {};
}
