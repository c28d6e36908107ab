/**
 * `subscriptions/listen` (MCP 2026-07-28): a client names the changes that it wants to hear of. The
 * server is given what policy leaves of it, and the acknowledgement tells the client that much.
 */
import { missingTasks } from './answers.ts';
import { decide } from './decide.ts';
import { resourceNamed, takesTasks, type Asker } from './evaluation.ts';
import type { Exchange } from './exchange.ts';
import { askerOf, notReady, type Gate } from './gate.ts';
import { KINDS } from './kinds.ts';
import { isObject, type Id, type JsonObject, type Request } from './message.ts';
import { principalOf } from './principal.ts';
import { taskNotice } from './task_notice.ts';

/** What one subscription is for. The lists themselves are filtered, so each may be heard of. */
export interface Filter {
  toolsListChanged?: true;
  promptsListChanged?: true;
  resourcesListChanged?: true;
  resourceSubscriptions?: string[];
  /** Of the extension for tasks. */
  taskIds?: string[];
}

/** As much of a guard as listening needs. */
export type Hall = Pick<Gate, 'parts' | 'watch' | 'tasks'>;

type Lists = Exclude<keyof Filter, 'resourceSubscriptions' | 'taskIds'>;

/** The member of a filter that asks for a notification of a changed list. */
const LISTS: ReadonlyMap<string, Lists> = new Map([
  [KINDS.tool.changed, 'toolsListChanged'],
  [KINDS.prompt.changed, 'promptsListChanged'],
  [KINDS.resource.changed, 'resourcesListChanged'],
]);

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const UPDATED = 'notifications/resources/updated';
const TASK_STATUS = 'notifications/tasks';

/** What policy leaves of a filter. A caller that nobody proved hears of nothing. */
export async function trimFilter(
  gate: Hall,
  asker: Asker | undefined,
  asked: unknown,
  signal: AbortSignal,
): Promise<Filter> {
  if (asker === undefined || !isObject(asked)) return {};
  const few = gate.parts.settings.subscriptions_max;
  const heard: string[] = [];
  for (const uri of namesIn(asked['resourceSubscriptions']).slice(0, few)) {
    if (await mayHear(gate, asker, uri, signal)) heard.push(uri);
  }
  const principal = principalOf(asker.trusted);
  const taskIds = namesIn(asked['taskIds']).filter((id) => gate.tasks.find(id, principal));
  return {
    ...listsOf((list) => asked[list] === true),
    ...(heard.length > 0 && { resourceSubscriptions: heard }),
    ...(taskIds.length > 0 && { taskIds }),
  };
}

function namesIn(asked: unknown): string[] {
  return Array.isArray(asked) ? [...new Set(asked.filter(isText))] : [];
}

/** Tasks are named to a server that has them by a client that does not say that it takes any. */
export function misnamesTasks({ tasks }: Hall, request: Pick<Request, 'params'>): boolean {
  const { notifications: asked } = request.params;
  const names = isObject(asked) && asked['taskIds'] !== undefined;
  return names && tasks.offered && !takesTasks(request);
}

/** Asked when a client begins to listen, and again for each change, since policy may differ. */
export async function mayHear(
  { parts, watch }: Pick<Gate, 'parts' | 'watch'>,
  asker: Asker,
  uri: string,
  signal: AbortSignal,
  method: 'subscriptions/listen' | 'resources/subscribe' = 'subscriptions/listen',
): Promise<boolean> {
  const resource = resourceNamed(parts.settings.server, 'resource', uri);
  const { outcome } = await decide(parts, watch, {
    ...{ asker, method, resource, arguments: {}, signal },
  });
  return outcome === 'allow';
}

/** Yields what ends the subscription; until then its notifications pass by `toListener`. */
export async function listen(gate: Gate, exchange: Exchange): Promise<object | undefined> {
  if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
  const { request } = exchange.arrival;
  if (misnamesTasks(gate, request)) return missingTasks(exchange.id);
  const { notifications: asked, _meta } = request.params;
  const filter = await trimFilter(gate, askerOf(exchange), asked, exchange.signal);
  exchange.listening = filter;
  exchange.takes_tasks = filter.taskIds !== undefined;
  const notifications = isObject(asked) ? filter : undefined;
  const answer = await gate.forward(exchange, {
    ...(notifications && { notifications: { ...notifications } }),
    ...(isObject(_meta) && { _meta }),
  });
  if (answer === undefined || 'error' in answer.body) return answer?.raw;
  const result = isObject(answer.body.result) ? answer.body.result : {};
  const meta = isObject(result['_meta']) ? result['_meta'] : {};
  const named = { ...meta, [SUBSCRIPTION_ID]: exchange.id };
  return { jsonrpc: '2.0', id: exchange.id, result: { resultType: 'complete', _meta: named } };
}

/** The subscription that a notification is about, as the server knows it. */
export function subscriptionOf(params: JsonObject): unknown {
  return isObject(params['_meta']) ? params['_meta'][SUBSCRIPTION_ID] : undefined;
}

/** A notification for one subscription, said anew; undefined where it may not be heard. */
export async function toListener(
  gate: Hall,
  { asker, filter, id, signal }: Listener,
  method: string,
  params: JsonObject,
): Promise<object | undefined> {
  const say = (told: object) => ({
    jsonrpc: '2.0',
    method,
    params: { ...told, _meta: { [SUBSCRIPTION_ID]: id } },
  });
  if (method === ACKNOWLEDGED) return say({ notifications: both(filter, params['notifications']) });
  if (method === TASK_STATUS) {
    const { taskId } = params;
    if (asker === undefined || !isText(taskId) || !filter.taskIds?.includes(taskId))
      return undefined;
    const state = await taskNotice(gate, principalOf(asker.trusted), { method, params });
    return state && say(state);
  }
  if (method !== UPDATED) return asksFor(filter, method) ? say({}) : undefined;
  const { uri } = params;
  if (asker === undefined || !isText(uri)) return undefined;
  if (!filter.resourceSubscriptions?.includes(uri)) return undefined;
  return (await mayHear(gate, asker, uri, signal)) ? say({ uri }) : undefined;
}

/** Who listens, and under what id. */
export interface Listener {
  asker: Asker | undefined;
  filter: Filter;
  id: Id;
  signal: AbortSignal;
}

/** The listener that an open subscription stands for. */
export function listenerOf(exchange: Exchange): Listener | undefined {
  const { listening: filter, id, signal } = exchange;
  return filter && { asker: askerOf(exchange), filter, id, signal };
}

/** What a subscription hears of when policy changes. */
export function changesFor(filter: Filter, id: Id): object[] {
  const _meta = { [SUBSCRIPTION_ID]: id };
  return [...LISTS.keys()]
    .filter((method) => asksFor(filter, method))
    .map((method) => ({ jsonrpc: '2.0', method, params: { _meta } }));
}

/** Whether a filter asks to hear that a list changed. */
function asksFor(filter: Filter, method: string): boolean {
  const list = LISTS.get(method);
  return list !== undefined && filter[list] === true;
}

/** What was asked for, policy left, and the server says that it will tell. */
function both(filter: Filter, honoured: unknown): JsonObject {
  const said = isObject(honoured) ? honoured : {};
  const kept = (member: 'resourceSubscriptions' | 'taskIds') => {
    const told = namesIn(said[member]);
    const names = (filter[member] ?? []).filter((name) => told.includes(name));
    return names.length > 0 && { [member]: names };
  };
  return {
    ...listsOf((list) => filter[list] === true && said[list] === true),
    ...kept('resourceSubscriptions'),
    ...kept('taskIds'),
  };
}

function listsOf(holds: (list: Lists) => boolean): Filter {
  return Object.fromEntries([...LISTS.values()].filter(holds).map((list) => [list, true]));
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}
