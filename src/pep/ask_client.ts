/** A request of the server to its client, up to 2025-11-25: decided on before it leaves. */
import { deniedMethod, invalidParams, refusedRequest } from './answers.ts';
import { judgeAsk, readAsk, type Ask, type AskMethod } from './asks.ts';
import { servedCall } from './call_context.ts';
import { isOffered } from './client_offers.ts';
import type { Ends } from './ends.ts';
import { progressTokenOf, RELATED_TASK, relatedTaskOf } from './evaluation.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { mutableCopy, type Id, type Request } from './message.ts';
import type { SendOptions } from './transport.ts';

type AskRequest = Omit<Request, 'method'> & { method: AskMethod };

interface Asked {
  id: Id;
  ask: Ask;
  /** What the server wants to hear of progress under, if it wants to. */
  token: Id | undefined;
  /** The task that it names (2025-11-25); on its way it has to be one of the client's own. */
  task: { taskId: string } | undefined;
}

/** Where a message of the server belongs. */
export interface Place {
  /** As the client's side of the connection knows them. */
  options: SendOptions | undefined;
  /** The call that the server names with it. */
  named: Exchange | undefined;
  /** It names a call that nobody waits for. */
  late: boolean;
}

function namesOf(request: AskRequest): Pick<Asked, 'token' | 'task'> {
  return { token: progressTokenOf(request), task: relatedTaskOf(request) };
}

/** The client hears of what is allowed; about everything else the server is told an error. */
export async function askClient(
  gate: Gate,
  ends: Ends,
  request: AskRequest,
  place: Place,
): Promise<void> {
  const { id, method, params } = request;
  const ask = readAsk(method, params, 'legacy');
  const refusal =
    typeof ask === 'string'
      ? invalidParams(id, method, ask)
      : await pass(gate, ends, { ask, id, ...namesOf(request) }, place);
  if (refusal) queueMicrotask(() => ends.toServer(refusal));
}

/** Yields the answer to the server; undefined: the client has to answer, or nobody has to. */
async function pass(
  gate: Gate,
  ends: Ends,
  asked: Asked,
  place: Place,
): Promise<object | undefined> {
  const { id, ask, token } = asked;
  const served = serviceOf(ends, place);
  if (!served || !isOffered(served.arrival.offers, ask)) return deniedMethod(id);
  if (!ends.stream.passes(place.named)) return refused(gate, id, 'RESULT_WITHHELD');
  const wanted = ends.asked.open(id, token);
  if (!wanted) return refused(gate, id, 'POLICY_UNAVAILABLE');
  const until = served.signal ? AbortSignal.any([wanted, served.signal]) : wanted;
  const judged = await judgeAsk(gate, served.arrival, ask, until);
  const status = until.aborted ? 'cancelled' : 'executed';
  if (judged.ok) gate.report(judged.decision, { status });
  if (wanted.aborted) return undefined;
  if (judged.ok && !until.aborted) return tell(ends, asked, place);
  ends.asked.settle(id);
  if (judged.ok) return refused(gate, id, 'POLICY_UNAVAILABLE');
  return refused(gate, id, judged.reason_code, judged);
}

async function tell(ends: Ends, asked: Asked, { options }: Place): Promise<undefined> {
  const { id, ask } = asked;
  const { elicitationId } = ask.params;
  ends.asked.tell(id);
  if (typeof elicitationId === 'string') ends.asked.send(elicitationId);
  await ends.toClient(saidAnew(asked), options);
}

function refused(
  { parts }: Gate,
  id: Id,
  reason_code: string,
  said: { safe_message?: string | undefined; id?: string | undefined } = {},
): object {
  const { safe_message, id: request_id = parts.random.id() } = said;
  return refusedRequest(id, { reason_code, safe_message, request_id });
}

/** On whose behalf the server asks: of a call that it serves, or of the connection's own client. */
function serviceOf(
  ends: Ends,
  { named, late }: Place,
): (Pick<Exchange, 'arrival'> & Partial<Pick<Exchange, 'signal'>>) | undefined {
  if (late) return undefined;
  const exchange = named ?? ends.exchanges.running(servedCall(ends)?.id);
  const served = exchange ?? (ends.caller && { arrival: ends.caller });
  // 2026-07-28 has no requests to a client.
  return served?.arrival.era === 'legacy' ? served : undefined;
}

/** The progress of a request is told under its own id. */
function saidAnew({ id, ask: { method, params }, token, task }: Asked): object {
  const _meta = {
    ...(token !== undefined && { progressToken: id }),
    ...(task !== undefined && { [RELATED_TASK]: task }),
  };
  const named = Object.keys(_meta).length > 0 && { _meta };
  const said = { ...(mutableCopy(params) as object), ...named };
  return { jsonrpc: '2.0', id, method, ...(Object.keys(said).length > 0 && { params: said }) };
}
