/**
 * The guard of one connection: between a client and a server, it sees every message both ways and
 * knows of each what it is about.
 */
import type { EvaluationResponse, OutcomeReport } from '../contract/types.gen.ts';
import { PortcullisError } from '../errors.ts';
import { refusedCall, refusedRequest, RPC, type Refusal, type ServerLine } from './answers.ts';
import { deliverIn, type CallContext } from './call_context.ts';
import { Catalogue, type Snapshot } from './catalogue.ts';
import { checkOf } from './check.ts';
import { ClientSide } from './client_side.ts';
import { withinDeadline } from './deadline.ts';
import { Ends, type Wire } from './ends.ts';
import { envelopeOf, paramsForServer } from './evaluation.ts';
import type { Exchange, ServerAnswer } from './exchange.ts';
import type { Entrance, Gate } from './gate.ts';
import { ALL_KINDS, KINDS, type Kind } from './kinds.ts';
import { changesFor } from './listen.ts';
import { isObject, mutableCopy, wireCopy, type JsonObject } from './message.ts';
import { Refusals } from './refusals.ts';
import type { PolicyWatch, PolicyWatches } from './policy_watch.ts';
import type { ServerRequests } from './server_requests.ts';
import { ServerSide } from './server_side.ts';
import type { GuardParts } from './settings.ts';
import { askStepUp } from './step_up.ts';
import type { Subscriptions } from './subscriptions.ts';
import { namingOwnTask } from './task_notice.ts';
import { Tasks, type Task } from './tasks.ts';
import type { MessageExtra, SendOptions } from './transport.ts';

/** What the connections of one guarded server have in common. */
export interface Shared {
  watches: PolicyWatches;
  tasks: Tasks;
  refusals: Refusals;
}

/** Each guarded server has tasks of its own: ids of one mean nothing at another. */
export function shareOf(
  { settings, clock, digestKey }: GuardParts,
  watches: PolicyWatches,
): Shared {
  const refusals = new Refusals(settings, clock, digestKey);
  watches.onChange(() => refusals.clear());
  return { watches, tasks: new Tasks(settings, clock), refusals };
}

export class Connection implements Gate {
  readonly parts: GuardParts;
  readonly line: ServerLine;
  readonly tasks: Tasks;
  readonly refusals: Refusals;
  readonly entrance: Entrance | undefined;
  readonly #ends: Ends;
  readonly #client: ClientSide;
  readonly #server: ServerSide;
  readonly #catalogues: ReadonlyMap<Kind, Catalogue>;
  #offered: readonly Kind[] = [];
  readonly #watches: PolicyWatches;
  readonly #unwatch: () => void;

  constructor(
    parts: GuardParts,
    shared: Shared,
    line: ServerLine,
    wire: Wire,
    entrance?: Entrance,
  ) {
    this.parts = parts;
    this.line = line;
    this.#watches = shared.watches;
    this.tasks = shared.tasks;
    this.refusals = shared.refusals;
    this.entrance = entrance;
    this.#ends = new Ends(parts, {
      toClient: (message, options) => wire.toClient(namingOwnTask(message, this), options),
      toServer: (message, extra) => wire.toServer(namingOwnTask(message, this), extra),
    });
    this.#client = new ClientSide(this, this.#ends);
    this.#server = new ServerSide(this, this.#ends);
    const { catalogue_items_max } = parts.settings;
    this.#catalogues = new Map(
      ALL_KINDS.map((kind) => [kind, new Catalogue(kind, catalogue_items_max)]),
    );
    this.#unwatch = this.#watches.onChange((of) => this.#announce(of));
  }

  /** Takes a message of the client. */
  receive(raw: unknown, extra?: MessageExtra): void {
    if (this.entrance) this.entrance.arrived = true;
    if (!this.#ends.closed) this.#client.receive(raw, extra);
  }

  /** Takes a message of the server; settles when what it led to has left. */
  async deliver(raw: unknown, options?: SendOptions): Promise<void> {
    if (!this.#ends.closed) await this.#server.deliver(raw, options);
  }

  close(): void {
    this.#unwatch();
    this.#ends.close();
  }

  get principal(): string {
    return this.#client.principal;
  }

  /** A connection has one principal, and so the policy of one tenant. */
  get watch(): PolicyWatch {
    return this.#watches.of(this.#client.tenant);
  }

  get subscriptions(): Subscriptions {
    return this.#ends.subscriptions;
  }

  get asked(): ServerRequests {
    return this.#ends.asked;
  }

  async catalogue(kind: Kind, exchange: Exchange): Promise<Snapshot> {
    return this.#catalogueOf(kind).current((cursor) => this.#listPage(kind, exchange, cursor));
  }

  forget(kind: Kind): void {
    this.#catalogueOf(kind).invalidate();
  }

  offer(kinds: readonly Kind[]): void {
    this.#offered = kinds;
  }

  forward(
    exchange: Exchange,
    params: JsonObject | undefined,
    decision?: EvaluationResponse,
  ): Promise<ServerAnswer | undefined> {
    const { server_id, arrival, takes_tasks } = exchange;
    const { request, extra } = arrival;
    const { method } = request;
    const sent = params && {
      params: mutableCopy(paramsForServer(params, server_id, takes_tasks)),
    };
    const context = decision && this.#contextOf(exchange, decision);
    if (exchange.masked) this.#ends.stream.taint();
    return exchange.forward(() =>
      deliverIn(context, () =>
        this.#ends.toServer({ jsonrpc: '2.0', id: server_id, method, ...sent }, extra),
      ),
    );
  }

  follow(exchange: Exchange, task: Task): void {
    this.#ends.stream.follow(exchange, task, this.tasks);
  }

  refuse(exchange: Exchange, refusal: Omit<Refusal, 'request_id'>, id?: string): object {
    const { request, era } = exchange.arrival;
    const named = { ...refusal, request_id: id ?? this.parts.random.id() };
    const as_result = request.method === 'tools/call' && !this.parts.settings.denials_as_errors;
    const message = as_result
      ? refusedCall(request.id, era, named)
      : refusedRequest(request.id, named);
    const { step_up } = refusal;
    if (step_up) askStepUp(exchange.arrival.extra?.authInfo, { acr: step_up.acr, message });
    return message;
  }

  report({ context }: EvaluationResponse, done: Omit<OutcomeReport, 'evaluation_id'>): void {
    const { evaluation_id } = context;
    if (evaluation_id === undefined) return;
    const { decisionPoint, settings, clock, log } = this.parts;
    const { tenant } = this.#client;
    const outcome = {
      ...done,
      evaluation_id,
      occurred_at: new Date(clock.now_ms()).toISOString(),
      ...(tenant !== undefined && { subject_tenant: tenant }),
    };
    withinDeadline(() => decisionPoint.report(outcome), settings.decision_timeout_ms).catch(
      (error: unknown) => log.error('an outcome was not reported', { evaluation_id, error }),
    );
  }

  #contextOf(exchange: Exchange, decision: EvaluationResponse): CallContext {
    const { server_id: id, masked } = exchange;
    return { connection: this.#ends, id, masked, decision, check: checkOf(this, exchange) };
  }

  #catalogueOf(kind: Kind): Catalogue {
    return this.#catalogues.get(kind) as Catalogue;
  }

  /** Asked as the client would ask: with its proofs, and with its envelope where it sends one. */
  async #listPage(kind: Kind, { arrival }: Exchange, cursor: string | undefined): Promise<unknown> {
    const _meta = envelopeOf(arrival.request);
    const params = { ...(cursor !== undefined && { cursor }), ...(_meta && { _meta }) };
    const body = await this.#ends.own.ask(KINDS[kind].method, params, (message) =>
      deliverIn(undefined, () => this.#ends.toServer(message, arrival.extra)),
    );
    if ('result' in body) return wireCopy(body.result);
    if (isObject(body.error) && body.error['code'] === RPC.METHOD_NOT_FOUND) return undefined;
    throw new PortcullisError('INTERNAL', 'the server does not list for the guard what it has');
  }

  /** Another policy may show other things. */
  #announce(of: PolicyWatch): void {
    if (of !== this.watch || !of.ready) return;
    const changed = [...new Set(this.#offered.map((kind) => KINDS[kind].changed))];
    const told = this.#client.initialized
      ? changed.map((method) => ({ jsonrpc: '2.0', method }))
      : this.#ends.exchanges
          .listening()
          .flatMap(({ listening = {}, id }) => changesFor(listening, id));
    for (const message of told) this.#ends.toClient(message).catch(() => undefined);
  }
}
