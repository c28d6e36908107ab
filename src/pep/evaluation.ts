/** Puts what is proved of a caller and what it asks for into requests to the decision point. */
import { traceIdsOf } from '../contract/traceparent.ts';
import type {
  Resource,
  Context,
  DiscoveryRequest,
  EvaluationRequest,
} from '../contract/types.gen.ts';
import type { TrustedContext } from '../identity/types.ts';
import type { CatalogueItem } from './catalogue.ts';
import { offersOf, type ClientOffers } from './client_offers.ts';
import { isObject, type Id, type JsonObject, type Request } from './message.ts';
import { ruleOf, TASKS, type Era } from './methods.ts';
import { OBLIGATIONS_SUPPORTED } from './obligations/plan.ts';
import type { MessageExtra } from './transport.ts';

/** Members of `_meta` that carry the modern envelope (MCP 2026-07-28, basic/lifecycle). */
const ENVELOPE = {
  VERSION: 'io.modelcontextprotocol/protocolVersion',
  CAPABILITIES: 'io.modelcontextprotocol/clientCapabilities',
  CLIENT: 'io.modelcontextprotocol/clientInfo',
} as const;

/**
 * Names the task that a message belongs to (MCP 2025-11-25, tasks). In a request it sends the
 * answer to the queue of that task, past the guard.
 */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task';

/** What a client said of itself and its wire; none of it is proved. */
export interface ClientClaims {
  protocol_version?: string;
  name?: string;
  version?: string;
}

/** The `_meta` of a message, empty where it has none. */
function metaOf({ params }: Pick<Request, 'params'>): JsonObject {
  return isObject(params['_meta']) ? params['_meta'] : {};
}

/** Undefined where nobody waits for progress. */
export function progressTokenOf(request: Pick<Request, 'params'>): Id | undefined {
  const token = metaOf(request)['progressToken'];
  return typeof token === 'string' || typeof token === 'number' ? token : undefined;
}

/** The task that a message names. */
export function relatedTaskOf(request: Pick<Request, 'params'>): { taskId: string } | undefined {
  const related = metaOf(request)[RELATED_TASK];
  const taskId = isObject(related) ? related['taskId'] : undefined;
  return typeof taskId === 'string' ? { taskId } : undefined;
}

/** Whether the client says with a request that it takes tasks (2026-07-28). */
export function takesTasks(request: Pick<Request, 'params'>): boolean {
  const offered = metaOf(request)[ENVELOPE.CAPABILITIES];
  const extensions = isObject(offered) ? offered['extensions'] : undefined;
  return isObject(extensions) && isObject(extensions[TASKS]);
}

/**
 * The params of a request as the server is given them. Of what the client can do only what is
 * decided on is told; its progress has a token of its own, since a client may use one twice; and it
 * belongs to no task.
 */
export function paramsForServer(
  params: JsonObject,
  progressToken: number,
  takes_tasks: boolean,
): JsonObject {
  const meta = params['_meta'];
  if (!isObject(meta)) return params;
  const { [RELATED_TASK]: _task, ...kept } = meta;
  const capabilities = {
    ...offersOf(meta[ENVELOPE.CAPABILITIES]),
    ...(takes_tasks && { extensions: { [TASKS]: {} } }),
  };
  const _meta = {
    ...kept,
    ...(ENVELOPE.CAPABILITIES in meta && { [ENVELOPE.CAPABILITIES]: capabilities }),
    ...(progressTokenOf({ params }) !== undefined && { progressToken }),
  };
  return { ...params, _meta };
}

/** The envelope for a request of the guard's own; undefined in the legacy era. */
export function envelopeOf(request: Pick<Request, 'params'>): JsonObject | undefined {
  if (eraOf(request) === 'legacy') return undefined;
  const { [ENVELOPE.VERSION]: version, [ENVELOPE.CLIENT]: client } = metaOf(request);
  return {
    [ENVELOPE.VERSION]: version,
    [ENVELOPE.CAPABILITIES]: offersIn(request),
    ...(client !== undefined && { [ENVELOPE.CLIENT]: client }),
  };
}

/** What a request of the modern era offers to be asked for in return. */
export function offersIn(request: Pick<Request, 'params'>): ClientOffers {
  return offersOf(metaOf(request)[ENVELOPE.CAPABILITIES]);
}

/** A request that claims the modern envelope is of the modern era, whatever it says in it. */
export function eraOf(request: Pick<Request, 'params'>): Era {
  return ENVELOPE.VERSION in metaOf(request) ? 'modern' : 'legacy';
}

/** What an `initialize` request claims for its connection. */
export function handshakeClaims({ params }: Request): ClientClaims {
  return readClaims(params['protocolVersion'], params['clientInfo']);
}

/** What the message itself claims, over what the handshake of its connection claimed. */
export function claimsOf(request: Request, handshake: ClientClaims): ClientClaims {
  const meta = metaOf(request);
  return { ...handshake, ...readClaims(meta[ENVELOPE.VERSION], meta[ENVELOPE.CLIENT]) };
}

const CLAIM_LENGTH_MAX = 256;

function readClaims(revision: unknown, client: unknown): ClientClaims {
  const { name, version } = isObject(client) ? client : {};
  return {
    ...(isText(revision) && { protocol_version: cut(revision, 32) }),
    ...(isText(name) && { name: cut(name, CLAIM_LENGTH_MAX) }),
    ...(isText(version) && { version: cut(version, CLAIM_LENGTH_MAX) }),
  };
}

/** Half a surrogate pair would make the whole request one that no decision point takes. */
function cut(text: string, length_max: number): string {
  const start = text.slice(0, length_max);
  return start.isWellFormed() ? start : start.slice(0, -1);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** Who asks, and how. */
export interface Asker {
  trusted: TrustedContext;
  request: Request;
  claims: ClientClaims;
  extra: MessageExtra | undefined;
}

/** Whoever asks, to be kept: without credentials, and without the message that they came with. */
export function withoutCredentials<A extends Pick<Asker, 'extra'>>(asker: A): A {
  return { ...asker, extra: isOverHttp(asker.extra) ? { request: {} } : undefined };
}

/** One use of a capability, with the arguments that the policy reads and a digest of all. */
export function evaluationRequest(
  asker: Asker,
  action: EvaluationRequest['action'],
  resource: Resource,
  args: Pick<Context, 'arguments' | 'arguments_digest' | 'arguments_projection'>,
): EvaluationRequest {
  return {
    subject: asker.trusted.subject,
    action,
    resource,
    context: { ...circumstances(asker), phase: 'call', ...args },
  };
}

/** One page of a list: the subject and the circumstances once, then an entry for each item. */
export function discoveryRequest(
  asker: Asker,
  resources: readonly Resource[],
  catalogue_digest: string,
): DiscoveryRequest {
  const cursor = asker.request.params['cursor'];
  const usable = typeof cursor === 'string' && cursor.length > 0 && cursor.length <= 1024;
  return {
    subject: asker.trusted.subject,
    action: { name: asker.request.method, properties: { verb: verbOf(asker.request) } },
    context: { ...circumstances(asker), phase: 'discovery' },
    evaluations: resources.map((resource) => ({ resource })),
    options: {
      portcullis: { discovery: { catalogue_digest, ...(usable && { cursor }) } },
    },
  };
}

function verbOf({ method }: Request): string {
  return ruleOf(method)?.verb ?? 'list';
}

/** A thing as policy names it; without a digest it is one that the server does not list. */
export function resourceNamed(
  server: string,
  type: Resource['type'],
  id: string,
  item?: Pick<CatalogueItem, 'digest'>,
): Resource {
  const digest = item && { definition_digest: item.digest };
  return { type, id, properties: { server, ...digest } };
}

function circumstances({ trusted, request, claims, extra }: Asker): Omit<Context, 'phase'> {
  const { surface, environment, session, purpose } = trusted;
  return {
    profile: 'mcp/1',
    agent: agentOf(trusted, claims),
    ...(surface !== undefined && { surface }),
    ...(environment && { environment }),
    ...(session && { session }),
    ...(purpose && { purpose }),
    pep: { obligations: [...OBLIGATIONS_SUPPORTED] },
    request: requestOf(request, claims, extra),
  };
}

/** The client's own words stand under `claimed` only. */
function agentOf({ agent }: TrustedContext, said: ClientClaims): NonNullable<Context['agent']> {
  const { name, version } = said;
  const own = { ...(name && { name }), ...(version && { version }) };
  return { ...agent, claimed: { ...own, ...agent?.claimed } };
}

/** Its ids alone: what may stand behind them would be the client's own words. */
const TRACEPARENT_CHARACTERS_MAX = 55;

function requestOf(
  request: Request,
  { protocol_version }: ClientClaims,
  extra: MessageExtra | undefined,
): NonNullable<Context['request']> {
  const traceparent = metaOf(request)['traceparent'];
  return {
    ...(isRecordable(request.id) && { id: request.id }),
    ...(protocol_version && { protocol_version }),
    transport: isOverHttp(extra) ? 'http' : 'stdio',
    ...(isTraceparent(traceparent) && { traceparent }),
  };
}

function isTraceparent(value: unknown): value is string {
  if (!traceIdsOf(value)) return false;
  return String(value).length <= TRACEPARENT_CHARACTERS_MAX;
}

function isOverHttp(extra: MessageExtra | undefined): boolean {
  return extra?.requestInfo !== undefined || extra?.request !== undefined;
}

function isRecordable(id: Id): boolean {
  return typeof id === 'number' || id.length <= 256;
}
