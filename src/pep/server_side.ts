/** What the server sends: matched to what it belongs to, or dropped. */
import type { Logger } from '../telemetry/logger.ts';
import { deniedMethod } from './answers.ts';
import { askClient, type Place } from './ask_client.ts';
import { isAskMethod } from './asks.ts';
import type { Ends } from './ends.ts';
import type { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { ALL_KINDS, KINDS } from './kinds.ts';
import { listenerOf, mayHear, subscriptionOf, toListener } from './listen.ts';
import {
  readMessage,
  type Answer,
  type JsonObject,
  type Notification,
  type Request,
} from './message.ts';
import { isEnforced, type EnforcedMethod, type Era, type MethodRule } from './methods.ts';
import type { Followed } from './stream.ts';
import { taskNotice, taskProgress } from './task_notice.ts';
import type { SendOptions } from './transport.ts';

type Told = EnforcedMethod<'notification', 'server_to_client'>;

export class ServerSide {
  readonly #gate: Gate;
  readonly #ends: Ends;
  readonly #log: Logger;

  constructor(gate: Gate, ends: Ends) {
    this.#gate = gate;
    this.#ends = ends;
    this.#log = gate.parts.log;
  }

  /** Takes a message; settles when what it led to has left. */
  async deliver(raw: unknown, options?: SendOptions): Promise<void> {
    const message = readMessage(raw);
    if (message.kind === 'answer') return this.#answer(message, raw as object);
    const place = this.#placeOf(options);
    if (message.kind === 'request') return this.#request(message, place);
    if (message.kind === 'notification') return this.#notification(message, raw, place);
    this.#log.error('dropped a malformed message of the server', { pointer: message.pointer });
  }

  #placeOf(options: SendOptions | undefined): Place {
    const related = options?.relatedRequestId;
    const named = this.#ends.exchanges.running(related);
    const late = related !== undefined && named === undefined;
    return { options: options && { ...options, relatedRequestId: named?.id }, named, late };
  }

  async #answer(answer: Answer, raw: object): Promise<void> {
    if (this.#ends.own.take(answer)) return;
    const exchange = this.#ends.exchanges.running(answer.id);
    if (!exchange) {
      this.#ends.exchanges.release(answer.id);
      this.#log.debug('dropped an answer that nobody waits for');
      return;
    }
    exchange.settle({ body: answer.body, raw: { ...raw, id: exchange.id } });
    await exchange.done;
  }

  /**
   * A request whose handling is not enforced is answered here, by name, and never leaves. One that
   * passes is said anew, since its members could carry what a masked call may not tell.
   */
  async #request(request: Request, place: Place): Promise<void> {
    const { id, method } = request;
    const enforced = this.#mayPass(method, 'request');
    if (enforced && isAskMethod(method)) {
      return askClient(this.#gate, this.#ends, { ...request, method }, place);
    }
    if (enforced && this.#ends.asked.open(id)) {
      this.#ends.asked.tell(id);
      return this.#ends.toClient({ jsonrpc: '2.0', id, method }, place.options);
    }
    this.#log.warn('denied a request of the server', { method });
    queueMicrotask(() => this.#ends.toServer(deniedMethod(id)));
  }

  async #notification(told: Notification, raw: unknown, { named, options }: Place): Promise<void> {
    const { method } = told;
    for (const kind of ALL_KINDS) if (KINDS[kind].changed === method) this.#gate.forget(kind);
    const passed = this.#mayPass(method, 'notification')
      ? await this.#passed(told, raw as object, named)
      : undefined;
    if (passed) await this.#ends.toClient(passed, options);
    else this.#log.debug('withheld a notification of the server', { method });
  }

  /** What is for a subscription goes to it alone. */
  async #passed(
    told: Notification,
    raw: object,
    related: Exchange | undefined,
  ): Promise<object | undefined> {
    const subscription = subscriptionOf(told.params);
    if (subscription === undefined) {
      return PASSING[told.method as Told](this.#ends, told, raw, related, this.#gate);
    }
    const exchange = this.#ends.exchanges.running(subscription);
    const listener = exchange && listenerOf(exchange);
    return listener && toListener(this.#gate, listener, told.method, told.params);
  }

  /** Before a policy is active a server has nothing to say either (ruling R18). */
  #mayPass(method: string, kind: MethodRule['kind']): boolean {
    const enforced = (era: Era) => isEnforced(method, kind, 'server_to_client', era);
    // What the modern era has beside are notifications: a request of a server is of the legacy era.
    const known = enforced('legacy') || (kind === 'notification' && enforced('modern'));
    return known && this.#gate.watch.ready !== undefined;
  }
}

/** What of a notification goes to the client, said anew where it is not about a call. */
type Passing = (
  ends: Ends,
  told: Notification,
  raw: object,
  named: Exchange | undefined,
  gate: Gate,
) => object | undefined | Promise<object | undefined>;

const tellOfTask: Passing = async (_ends, told, _raw, _named, gate) => {
  const state = await taskNotice(gate, gate.principal, told);
  return state && { jsonrpc: '2.0', method: told.method, params: state };
};

async function progressed(
  followed: Followed,
  told: JsonObject,
  gate: Gate,
): Promise<object | undefined> {
  const params = await taskProgress(gate, followed, told);
  return params && { jsonrpc: '2.0', method: 'notifications/progress', params };
}

const changed: Passing = (_ends, { method }) => ({ jsonrpc: '2.0', method });

const PASSING: Readonly<Record<Told, Passing>> = {
  'notifications/cancelled': ({ asked }, { method, params: { requestId } }) =>
    asked.settle(requestId) ? { jsonrpc: '2.0', method, params: { requestId } } : undefined,
  'notifications/progress': ({ exchanges, stream }, { params }, raw, _named, gate) => {
    const exchange = exchanges.running(params['progressToken']);
    const followed = stream.followed(params['progressToken']);
    if (!exchange) return followed && progressed(followed, params, gate);
    const progressToken = exchange.progress_token;
    if (progressToken === undefined || !stream.progressPasses(exchange)) return undefined;
    return { ...raw, params: { ...params, progressToken } };
  },
  'notifications/message': ({ stream }, _told, raw, named) =>
    stream.passes(named) ? raw : undefined,
  'notifications/elicitation/complete': ({ asked }, { method, params: { elicitationId } }) =>
    asked.complete(elicitationId)
      ? { jsonrpc: '2.0', method, params: { elicitationId } }
      : undefined,
  'notifications/tools/list_changed': changed,
  'notifications/prompts/list_changed': changed,
  'notifications/resources/list_changed': changed,
  'notifications/resources/updated': updated,
  'notifications/tasks/status': tellOfTask,
  // Only a subscription is acknowledged, and only by one is a task heard of.
  'notifications/tasks': () => undefined,
  'notifications/subscriptions/acknowledged': () => undefined,
};

/** Policy may have changed since the client subscribed, so that it is asked again. */
async function updated(
  { subscriptions }: Ends,
  { method, params: { uri } }: Notification,
  _raw: object,
  _named: Exchange | undefined,
  gate: Gate,
): Promise<object | undefined> {
  if (typeof uri !== 'string') return undefined;
  const asker = subscriptions.asker(uri);
  const { signal } = new AbortController();
  const heard = asker && (await mayHear(gate, asker, uri, signal, 'resources/subscribe'));
  return heard ? { jsonrpc: '2.0', method, params: { uri } } : undefined;
}
