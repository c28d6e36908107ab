/** What the client sends: captured, classified, and then handled or denied by name. */
import type { TrustedContext } from '../identity/types.ts';
import { deniedMethod, invalidRequest, refusedRequest } from './answers.ts';
import { offersOf, type ClientOffers } from './client_offers.ts';
import type { Ends } from './ends.ts';
import {
  claimsOf,
  eraOf,
  handshakeClaims,
  offersIn,
  withoutCredentials,
  type ClientClaims,
} from './evaluation.ts';
import { Exchange, type Arrival } from './exchange.ts';
import type { Gate, Handler } from './gate.ts';
import { listing } from './list.ts';
import { listen } from './listen.ts';
import {
  captureMessage,
  mutableCopy,
  type Answer,
  type JsonObject,
  type Message,
  type Notification,
  type Request,
} from './message.ts';
import {
  isEnforced,
  ruleOf,
  type EnforcedMethod,
  type EnforcedRequest,
  type Era,
} from './methods.ts';
import { NOBODY, principalOf, tenantOf } from './principal.ts';
import { discoverServer, initialize, pass } from './protocol.ts';
import { listTasks } from './task_list.ts';
import { cancelTask, getTask, resultOfTask, updateTask } from './task_methods.ts';
import type { MessageExtra } from './transport.ts';
import { using } from './use.ts';
import { CALL_TOOL, COMPLETE, GET_PROMPT, READ_RESOURCE, SUBSCRIBE, UNSUBSCRIBE } from './uses.ts';

const HANDLERS: Readonly<Record<EnforcedRequest, Handler>> = {
  initialize,
  'server/discover': discoverServer,
  ping: pass,
  'logging/setLevel': pass,
  'tools/list': listing('tool'),
  'prompts/list': listing('prompt'),
  'resources/list': listing('resource'),
  'resources/templates/list': listing('resource_template'),
  'tools/call': using(CALL_TOOL),
  'prompts/get': using(GET_PROMPT),
  'resources/read': using(READ_RESOURCE),
  'resources/subscribe': using(SUBSCRIBE),
  'resources/unsubscribe': using(UNSUBSCRIBE),
  'completion/complete': using(COMPLETE),
  'tasks/get': getTask,
  'tasks/result': resultOfTask,
  'tasks/list': listTasks,
  'tasks/cancel': cancelTask,
  'tasks/update': updateTask,
  'subscriptions/listen': listen,
};

const METHOD_LENGTH_LOGGED = 128;

type Told = EnforcedMethod<'notification', 'client_to_server'>;

export class ClientSide {
  readonly #gate: Gate;
  readonly #ends: Ends;
  #handshake: ClientClaims = {};
  #offers: ClientOffers = {};
  #principal: string | undefined;
  #tenant: string | undefined;
  #initialized = false;

  constructor(gate: Gate, ends: Ends) {
    this.#gate = gate;
    this.#ends = ends;
  }

  get principal(): string {
    return this.#principal ?? NOBODY;
  }

  get tenant(): string | undefined {
    return this.#tenant;
  }

  /** The client said that its handshake is done, and may be told of changes. */
  get initialized(): boolean {
    return this.#initialized;
  }

  /** Takes a message. What ends in `-32601` is answered before this returns. */
  receive(raw: unknown, extra?: MessageExtra): void {
    const message = captureMessage(raw);
    const trusted = this.#identify(extra);
    if (!trusted) this.#gate.parts.turnedAway?.count('host', 'IDENTITY_UNPROVED');
    if (!this.#isSameCaller(trusted)) this.#turnAway(message);
    else if (message.kind === 'request') this.#request(this.#arrive(message, extra, trusted));
    else if (message.kind === 'notification') this.#notification(message, extra);
    else if (message.kind === 'answer') this.#answer(message, extra);
    else this.#reply(invalidRequest(message.id, message.pointer));
  }

  #arrive(
    request: Request,
    extra: MessageExtra | undefined,
    trusted: TrustedContext | undefined,
  ): Arrival {
    if (request.method === 'initialize') {
      this.#handshake = handshakeClaims(request);
      this.#offers = offersOf(request.params['capabilities']);
    }
    const era = eraOf(request);
    const claims = claimsOf(request, this.#handshake);
    const offers = era === 'modern' ? offersIn(request) : this.#offers;
    const arrival = { request, era, extra, claims, trusted, offers };
    if (era === 'legacy') this.#ends.caller = withoutCredentials(arrival);
    return arrival;
  }

  #request(arrival: Arrival): void {
    const { request, era } = arrival;
    const { id, method } = request;
    if (!this.#isKnown(method, era)) {
      const named = method.slice(0, METHOD_LENGTH_LOGGED);
      this.#gate.parts.log.warn('denied a method that is not enforced', { method: named });
      return this.#reply(deniedMethod(id));
    }
    // Two open requests under one id would make their answers interchangeable.
    if (this.#ends.exchanges.get(id)) return this.#reply(invalidRequest(id, '/id'));
    const exchange = new Exchange(arrival, this.#ends.exchanges.nextId());
    if (this.#ends.exchanges.size >= this.#gate.parts.settings.requests_in_flight_max) {
      return this.#reply(this.#gate.refuse(exchange, { reason_code: 'POLICY_UNAVAILABLE' }));
    }
    this.#ends.exchanges.add(exchange);
    const work = HANDLERS[method as EnforcedRequest](this.#gate, exchange);
    exchange.done = this.#finish(exchange, work);
  }

  #isKnown(method: string, era: Era): boolean {
    const of_task = ruleOf(method)?.handling === 'owner_bound';
    if (of_task && !this.#gate.tasks.offered) return false;
    return isEnforced(method, 'request', 'client_to_server', era);
  }

  async #finish(exchange: Exchange, work: Promise<object | undefined>): Promise<void> {
    let message: object | undefined;
    try {
      message = await work;
    } catch (error) {
      this.#gate.parts.log.error('a request cannot be decided', { error });
      message = this.#gate.refuse(exchange, { reason_code: 'POLICY_UNAVAILABLE' });
    }
    this.#ends.exchanges.remove(exchange);
    if (message && !exchange.cancelled) await this.#ends.toClient(message);
  }

  #notification(told: Notification, extra: MessageExtra | undefined): void {
    const enforced = isEnforced(told.method, 'notification', 'client_to_server', 'legacy');
    const params = enforced ? this.#passing[told.method as Told](told) : undefined;
    // What the server does for nobody ends, whether or not a policy is still active.
    const mayPass = this.#gate.watch.ready ?? told.method === 'notifications/cancelled';
    if (!params || !mayPass) return;
    const { method } = told;
    this.#ends.toServer({ jsonrpc: '2.0', method, params: mutableCopy(params) }, extra);
  }

  /** What the server is told; undefined where nothing. */
  readonly #passing: Readonly<Record<Told, (told: Notification) => JsonObject | undefined>> = {
    'notifications/initialized': ({ params }) => {
      this.#initialized = true;
      return params;
    },
    'notifications/cancelled': ({ params }) => this.#cancel(params),
    'notifications/progress': ({ params }) => this.#ends.asked.progress(params),
    'notifications/roots/list_changed': () =>
      this.#offers.roots?.['listChanged'] === true ? {} : undefined,
  };

  /** The server hears of it where it has the request, under the id that it knows. */
  #cancel(params: JsonObject): JsonObject | undefined {
    const exchange = this.#ends.exchanges.get(params['requestId']);
    if (!exchange) return undefined;
    const { forwarded, server_id } = exchange;
    this.#ends.exchanges.abandon(exchange);
    return forwarded ? { ...params, requestId: server_id } : undefined;
  }

  /** An answer passes once, to the request that the server asked under this id. */
  #answer({ id, body }: Answer, extra: MessageExtra | undefined): void {
    if (!this.#ends.asked.answer(id)) return;
    this.#ends.toServer({ jsonrpc: '2.0', id, ...(mutableCopy(body) as object) }, extra);
  }

  /** A connection belongs to who used it first, whoever else learns its name. */
  #isSameCaller(trusted: TrustedContext | undefined): boolean {
    const principal = principalOf(trusted);
    if (this.#principal === undefined) this.#tenant = tenantOf(trusted);
    this.#principal ??= principal;
    return this.#principal === principal;
  }

  #turnAway(message: Message): void {
    const { log, turnedAway } = this.#gate.parts;
    log.warn('a connection was used by another principal than began it');
    turnedAway?.count('connection', 'PRINCIPAL_CHANGED');
    if (message.kind !== 'request') return;
    const request_id = this.#gate.parts.random.id();
    this.#reply(refusedRequest(message.id, { reason_code: 'POLICY_DENIED', request_id }));
  }

  #identify(extra: MessageExtra | undefined): TrustedContext | undefined {
    const { identity, log } = this.#gate.parts;
    const requestInfo = extra?.requestInfo ?? extra?.request;
    const report = (reason: string) => log.warn('the caller is not proved', { reason });
    try {
      return identity({ authInfo: extra?.authInfo, requestInfo }, report);
    } catch (error) {
      // What a host's own source throws may quote the credential that it could not read.
      log.error('the caller cannot be resolved', { error: error instanceof Error && error.name });
      return undefined;
    }
  }

  #reply(message: object): void {
    this.#ends.toClient(message).catch(() => undefined);
  }
}
