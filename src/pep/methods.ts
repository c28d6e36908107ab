/**
 * Every method of MCP, by direction and revision, with what the guard does about it. A method that
 * is not here, or not `enforced` yet, is denied by name: nothing passes unclassified.
 *
 * Sources: the schemas of the five revisions, and of the extension io.modelcontextprotocol/tasks.
 */

export type Revision = '2024-11-05' | '2025-03-26' | '2025-06-18' | '2025-11-25' | '2026-07-28';
/** The wire before and after 2026-07-28, which removed the handshake and server requests. */
export type Era = 'legacy' | 'modern';
export type Direction = 'client_to_server' | 'server_to_client' | 'both';
/**
 * filter: the answer is a list that policy trims. decide: policy is asked before it passes.
 * owner_bound: it names a thing that belongs to one principal. allow: the protocol's own.
 */
export type Handling = 'filter' | 'decide' | 'owner_bound' | 'allow' | 'refuse';

export interface MethodRule {
  kind: 'request' | 'notification';
  direction: Direction;
  revisions: readonly Revision[];
  /** Also defined by an extension of the modern era. */
  extension?: string;
  /** In 2026-07-28 it travels inside an `input_required` result and not as a message. */
  embedded?: true;
  handling: Handling;
  /**
   * False: known, but denied by name, because its handling is not enforced. A direction: enforced
   * in that one, and denied in the other.
   */
  enforced: boolean | Exclude<Direction, 'both'>;
  resource_type?:
    'tool' | 'resource' | 'resource_template' | 'prompt' | 'task' | 'completion' | 'mcp_server';
  /** The word of the policy-enforcement draft for the action. */
  verb?:
    | 'execute'
    | 'read'
    | 'list'
    | 'get'
    | 'subscribe'
    | 'complete'
    | 'create'
    | 'cancel'
    | 'update'
    | 'notify';
}

const ALL: readonly Revision[] = [
  '2024-11-05',
  '2025-03-26',
  '2025-06-18',
  '2025-11-25',
  '2026-07-28',
];
const LEGACY: readonly Revision[] = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const SINCE_2025_06: readonly Revision[] = ['2025-06-18', '2025-11-25'];
const ONLY_2025_11: readonly Revision[] = ['2025-11-25'];
const MODERN: readonly Revision[] = ['2026-07-28'];
/** The extension of 2026-07-28 that has tasks, which were in the core of 2025-11-25. */
export const TASKS = 'io.modelcontextprotocol/tasks';

const ask = { kind: 'request', direction: 'client_to_server' } as const;
const ask_client = { kind: 'request', direction: 'server_to_client' } as const;
const tell = { kind: 'notification', direction: 'client_to_server' } as const;
const tell_client = { kind: 'notification', direction: 'server_to_client' } as const;
const own = { handling: 'allow', enforced: true } as const;
const filter = { handling: 'filter', enforced: true, verb: 'list' } as const;
const decide = { handling: 'decide', enforced: true } as const;
const owned = { handling: 'owner_bound', resource_type: 'task' } as const;
/** A client has tasks of its own for what a server asks of it, which nobody may ask for. */
const of_server = { ...owned, enforced: 'client_to_server' } as const;
const told_of = { ...owned, enforced: 'server_to_client', verb: 'notify' } as const;
const notify = { handling: 'decide', enforced: true, verb: 'notify' } as const;

export const METHODS = {
  initialize: { ...ask, revisions: LEGACY, ...own },
  'server/discover': { ...ask, revisions: MODERN, ...own },
  ping: { kind: 'request', direction: 'both', revisions: LEGACY, ...own },
  'tools/list': { ...ask, revisions: ALL, ...filter, resource_type: 'tool' },
  'prompts/list': { ...ask, revisions: ALL, ...filter, resource_type: 'prompt' },
  'resources/list': { ...ask, revisions: ALL, ...filter, resource_type: 'resource' },
  'resources/templates/list': {
    ...ask,
    revisions: ALL,
    ...filter,
    resource_type: 'resource_template',
  },
  'tools/call': {
    ...ask,
    revisions: ALL,
    ...decide,
    resource_type: 'tool',
    verb: 'execute',
  },
  'prompts/get': { ...ask, revisions: ALL, ...decide, resource_type: 'prompt', verb: 'get' },
  'resources/read': { ...ask, revisions: ALL, ...decide, resource_type: 'resource', verb: 'read' },
  'completion/complete': {
    ...ask,
    revisions: ALL,
    ...decide,
    verb: 'complete',
  },
  'logging/setLevel': { ...ask, revisions: LEGACY, ...own },
  'resources/subscribe': {
    ...ask,
    revisions: LEGACY,
    ...decide,
    resource_type: 'resource',
    verb: 'subscribe',
  },
  'resources/unsubscribe': {
    ...ask,
    revisions: LEGACY,
    ...decide,
    resource_type: 'resource',
    verb: 'subscribe',
  },
  'subscriptions/listen': { ...ask, revisions: MODERN, ...decide, verb: 'subscribe' },
  'tasks/get': {
    kind: 'request',
    direction: 'both',
    revisions: ONLY_2025_11,
    extension: TASKS,
    ...of_server,
    verb: 'read',
  },
  'tasks/result': {
    kind: 'request',
    direction: 'both',
    revisions: ONLY_2025_11,
    ...of_server,
    verb: 'read',
  },
  'tasks/list': {
    kind: 'request',
    direction: 'both',
    revisions: ONLY_2025_11,
    ...of_server,
    verb: 'list',
  },
  'tasks/cancel': {
    kind: 'request',
    direction: 'both',
    revisions: ONLY_2025_11,
    extension: TASKS,
    ...of_server,
    verb: 'cancel',
  },
  'tasks/update': { ...ask, revisions: [], extension: TASKS, ...of_server, verb: 'update' },
  'sampling/createMessage': {
    ...ask_client,
    revisions: LEGACY,
    embedded: true,
    ...decide,
    resource_type: 'mcp_server',
    verb: 'create',
  },
  'roots/list': {
    ...ask_client,
    revisions: LEGACY,
    embedded: true,
    ...decide,
    resource_type: 'mcp_server',
    verb: 'list',
  },
  'elicitation/create': {
    ...ask_client,
    revisions: SINCE_2025_06,
    embedded: true,
    ...decide,
    resource_type: 'mcp_server',
    verb: 'create',
  },
  'notifications/initialized': { ...tell, revisions: LEGACY, ...own },
  'notifications/cancelled': {
    kind: 'notification',
    direction: 'both',
    revisions: ALL,
    ...own,
  },
  'notifications/progress': {
    kind: 'notification',
    direction: 'both',
    revisions: ALL,
    ...own,
  },
  'notifications/roots/list_changed': { ...tell, revisions: LEGACY, ...notify },
  'notifications/message': { ...tell_client, revisions: ALL, ...own },
  'notifications/tools/list_changed': { ...tell_client, revisions: ALL, ...own },
  'notifications/prompts/list_changed': {
    ...tell_client,
    revisions: ALL,
    ...own,
    resource_type: 'prompt',
  },
  'notifications/resources/list_changed': {
    ...tell_client,
    revisions: ALL,
    ...own,
    resource_type: 'resource',
  },
  'notifications/resources/updated': {
    ...tell_client,
    revisions: ALL,
    ...notify,
    resource_type: 'resource',
  },
  'notifications/tasks/status': {
    kind: 'notification',
    direction: 'both',
    revisions: ONLY_2025_11,
    ...told_of,
  },
  'notifications/tasks': {
    ...tell_client,
    revisions: [],
    extension: TASKS,
    ...told_of,
  },
  'notifications/elicitation/complete': { ...tell_client, revisions: ONLY_2025_11, ...notify },
  'notifications/subscriptions/acknowledged': { ...tell_client, revisions: MODERN, ...own },
} as const satisfies Record<string, MethodRule>;

export type KnownMethod = keyof typeof METHODS;

/** The methods that a guard passes or decides, of one kind in one direction. */
export type EnforcedMethod<K extends MethodRule['kind'], D extends Direction> = {
  [M in KnownMethod]: (typeof METHODS)[M] extends {
    kind: K;
    enforced: true | D;
    direction: D | 'both';
  }
    ? M
    : never;
}[KnownMethod];

/** A request of a client that the guard lets through in some form. */
export type EnforcedRequest = EnforcedMethod<'request', 'client_to_server'>;

/** The rule of a known method; undefined for every other text. */
export function ruleOf(method: string): MethodRule | undefined {
  return Object.hasOwn(METHODS, method) ? METHODS[method as KnownMethod] : undefined;
}

/** Whether the guard enforces the handling of such a message, which this era must define. */
export function isEnforced(
  method: string,
  kind: MethodRule['kind'],
  direction: Exclude<Direction, 'both'>,
  era: Era,
): boolean {
  const rule = ruleOf(method);
  return (
    rule !== undefined &&
    (rule.enforced === true || rule.enforced === direction) &&
    rule.kind === kind &&
    (rule.direction === direction || rule.direction === 'both') &&
    isOfEra(rule, era)
  );
}

function isOfEra({ revisions, extension }: MethodRule, era: Era): boolean {
  const modern = era === 'modern';
  if (modern && extension !== undefined) return true;
  return revisions.some((revision) => (revision === '2026-07-28') === modern);
}
