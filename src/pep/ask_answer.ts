/**
 * An answer that asks the client for something before there is a result: an `input_required` result
 * of 2026-07-28, and the error -32042 of 2025-11-25. All of it is allowed and told anew, or nothing
 * of the answer is told.
 */
import { isAskMethod, judgeAsk, readAsk, type Ask, type Judged } from './asks.ts';
import { isOffered } from './client_offers.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import type { Gate } from './gate.ts';
import { isObject, mutableCopy, wireCopy, type JsonObject } from './message.ts';
import type { Era, KnownMethod } from './methods.ts';
import { sealState, type Owner } from './request_state.ts';
import type { GuardParts } from './settings.ts';

/** The methods whose answer may ask (MCP 2026-07-28, mrtr, supported requests). */
const ASKING: readonly KnownMethod[] = ['tools/call', 'prompts/get', 'resources/read'];
/** The client has to open addresses before it calls again (MCP 2025-11-25, elicitation). */
export const URL_ELICITATION_REQUIRED = -32042;
/** Most that one answer may ask. */
const ASKS_MAX = 32;

/** Whether the answer to a method may ask. */
export function mayAsk(method: KnownMethod): boolean {
  return ASKING.includes(method);
}

/** Whether an answer asks, in the words of the era. */
export function asks({ body }: ServerAnswer, method: KnownMethod, era: Era): boolean {
  if (!mayAsk(method)) return false;
  if ('error' in body) {
    const { error } = body;
    return era === 'legacy' && isObject(error) && error['code'] === URL_ELICITATION_REQUIRED;
  }
  const { result } = body;
  return era === 'modern' && isObject(result) && result['resultType'] === 'input_required';
}

type Refused = Exclude<Judged, { ok: true }>;

const WITHHELD: Refused = { ok: false, reason_code: 'RESULT_WITHHELD' };

/** What the client is told of an answer that asks, or why nothing is. */
export async function tellAsks(
  gate: Gate,
  exchange: Exchange,
  { body }: ServerAnswer,
  owner: Owner,
): Promise<{ ok: true; message: object } | Refused> {
  const { id } = exchange;
  const copy = wireCopy(body) as ServerAnswer['body'];
  const question =
    'error' in copy ? readError(copy.error) : readResult(copy.result, gate.parts, owner);
  if (!question) return WITHHELD;
  const refused = await judgeAll(gate, exchange, question.asked);
  if (refused) return refused;
  for (const { params } of question.asked) {
    const { elicitationId } = params;
    if (typeof elicitationId === 'string') gate.asked.send(elicitationId);
  }
  return { ok: true, message: { jsonrpc: '2.0', id, ...question.body } };
}

/** What the client is told of the requests in the state of a task, or why nothing is. */
export async function tellInputs(
  gate: Gate,
  exchange: Exchange,
  inputRequests: unknown,
): Promise<{ ok: true; told: JsonObject } | Refused> {
  const inputs = readInputs(wireCopy(inputRequests));
  if (!inputs) return WITHHELD;
  const refused = await judgeAll(gate, exchange, inputs.asked);
  return refused ?? { ok: true, told: inputs.told };
}

/** Why they may not be asked; undefined where all are offered and allowed. */
async function judgeAll(
  gate: Gate,
  { arrival, signal }: Exchange,
  asked: readonly Ask[],
): Promise<Refused | undefined> {
  if (asked.length > ASKS_MAX) return WITHHELD;
  if (!asked.every((ask) => isOffered(arrival.offers, ask))) return WITHHELD;
  const judged = await Promise.all(asked.map((ask) => judgeAsk(gate, arrival, ask, signal)));
  const refused = judged.find((each) => !each.ok);
  const status = refused || signal.aborted ? 'cancelled' : 'executed';
  for (const each of judged) if (each.ok) gate.report(each.decision, { status });
  return refused;
}

interface Question {
  asked: readonly Ask[];
  /** As it is told, made anew. */
  body: JsonObject;
}

function readError(error: unknown): Question | undefined {
  const { code, message, data } = isObject(error) ? error : {};
  const listed = isObject(data) ? data['elicitations'] : undefined;
  if (typeof message !== 'string' || !Array.isArray(listed) || listed.length === 0)
    return undefined;
  const asked = listed.map((each) => readAsk('elicitation/create', each, 'legacy'));
  if (!asked.every(isAsk) || asked.some(({ params }) => params['mode'] !== 'url')) return undefined;
  const elicitations = asked.map(({ params }) => mutableCopy(params));
  return { asked, body: { error: { code, message, data: { elicitations } } } };
}

/** Sealed even where the server gave no state: the guard has to know again what was asked. */
function readResult(
  result: unknown,
  { digestKey, settings, clock }: GuardParts,
  owner: Owner,
): Question | undefined {
  const { inputRequests = {}, requestState: inner, _meta } = isObject(result) ? result : {};
  if (inner !== undefined && typeof inner !== 'string') return undefined;
  const inputs = readInputs(inputRequests);
  const names = Object.keys(inputs?.told ?? {});
  if (!inputs || (names.length === 0 && inner === undefined)) return undefined;
  const expires_at_ms = clock.now_ms() + settings.request_state_ttl_seconds * 1000;
  const requestState = sealState(digestKey, owner, { asked: names, inner }, expires_at_ms);
  if (requestState === undefined) return undefined;
  const body = {
    resultType: 'input_required',
    ...(names.length > 0 && { inputRequests: inputs.told }),
    requestState,
    ...(isObject(_meta) && { _meta }),
  };
  return { asked: inputs.asked, body: { result: body } };
}

interface Inputs {
  asked: readonly Ask[];
  /** As they are told, made anew, by their names. */
  told: JsonObject;
}

function readInputs(given: unknown): Inputs | undefined {
  if (!isObject(given)) return undefined;
  const asked = Object.values(given).map(readInput);
  if (!asked.every(isAsk)) return undefined;
  const names = Object.keys(given);
  const told = asked.map(({ method, params }, index) => [
    names[index],
    { method, ...(method !== 'roots/list' && { params: mutableCopy(params) }) },
  ]);
  return { asked, told: Object.fromEntries(told) as JsonObject };
}

function readInput(given: unknown): Ask | string {
  const { method, params } = isObject(given) ? given : {};
  return isAskMethod(method) ? readAsk(method, params, 'modern') : '/method';
}

function isAsk(read: Ask | string): read is Ask {
  return typeof read === 'object';
}
