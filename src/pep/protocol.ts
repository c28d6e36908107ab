/** The protocol's own methods: passed once a policy is active, with capabilities trimmed. */
import { offeredKinds, offersTasks, privateCache, trimServerResult } from './capabilities.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import { notReady, type Gate } from './gate.ts';
import { isComplete, isObject, wireCopy, type JsonObject } from './message.ts';

/** Passes a request and its answer as they are; at once where a policy is known to be active. */
export async function pass(gate: Gate, exchange: Exchange): Promise<object | undefined> {
  if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
  const answer = await gate.forward(exchange, exchange.arrival.request.params);
  return answer?.raw;
}

/** Begins a connection only while the decision point answers now, not because it once did. */
export async function initialize(gate: Gate, exchange: Exchange): Promise<object | undefined> {
  if (!(await gate.watch.ask())) return notReady(gate, exchange);
  const { request, offers } = exchange.arrival;
  const { protocolVersion, clientInfo, _meta } = request.params;
  // Nothing else that a client can do is told, because nothing else is decided on.
  const params = { protocolVersion, capabilities: offers, clientInfo, _meta };
  const answer = await gate.forward(exchange, params);
  return (
    answer &&
    trimmed(gate, exchange, answer, (result) => {
      gate.offer(offeredKinds(result));
      return result;
    })
  );
}

/** As `initialize`; and the answer belongs to this caller alone. */
export async function discoverServer(gate: Gate, exchange: Exchange): Promise<object | undefined> {
  if (!(await gate.watch.ask())) return notReady(gate, exchange);
  const answer = await gate.forward(exchange, exchange.arrival.request.params);
  const ttl_ms_max = gate.parts.settings.list_ttl_ms_max;
  return answer && trimmed(gate, exchange, answer, (result) => privateCache(result, ttl_ms_max));
}

function trimmed(
  { parts, tasks }: Gate,
  { id, arrival }: Exchange,
  { body, raw }: ServerAnswer,
  finish: (result: JsonObject) => JsonObject,
): object {
  if ('error' in body) return raw;
  const result = wireCopy(body.result);
  const known = isObject(result) && isComplete(result) ? result : {};
  const told = trimServerResult(known, arrival.era, parts.settings);
  tasks.offered ||= offersTasks(told);
  return { jsonrpc: '2.0', id, result: finish(told) };
}
