/** The list methods: the server's own answer, without what policy hides from this caller. */
import type { Resource } from '../contract/types.gen.ts';
import { VALIDATORS } from '../contract/validate.ts';
import { PortcullisError } from '../errors.ts';
import { emptyList } from './answers.ts';
import { privateCache } from './capabilities.ts';
import { nameOf, readPage, type CatalogueItem, type Snapshot } from './catalogue.ts';
import { withinDeadline } from './deadline.ts';
import { discoveryRequest, resourceNamed, type Asker } from './evaluation.ts';
import type { Exchange } from './exchange.ts';
import { askerOf, notReady, type Gate, type Handler } from './gate.ts';
import { KINDS, type Kind } from './kinds.ts';
import { isObject, wireCopy, type JsonObject } from './message.ts';

/** Order and cursor stay the server's, so a page may come out empty. */
export function listing(kind: Kind): Handler {
  return async (gate, exchange) => {
    const { request, era } = exchange.arrival;
    if (!gate.watch.ready && !(await gate.watch.ask())) return notReady(gate, exchange);
    const asker = askerOf(exchange);
    if (!asker) return emptyList(kind, exchange.id, era);
    await gate.catalogue(kind, exchange);
    const answer = await gate.forward(exchange, listParams(request.params));
    if (answer === undefined) return undefined;
    if ('error' in answer.body) return answer.raw;
    const page = wireCopy(answer.body.result);
    const { items } = readPage(kind, page);
    const shown = await visibleItems(gate, exchange, kind, asker, items);
    const result = { ...frameOf(page), [KINDS[kind].member]: shown };
    const ttl_ms_max = gate.parts.settings.list_ttl_ms_max;
    return {
      jsonrpc: '2.0',
      id: exchange.id,
      result: era === 'modern' ? privateCache(result, ttl_ms_max) : result,
    };
  };
}

/** What of `_meta` is the protocol's own (MCP 2026-07-28, basic). */
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/**
 * What an answer says beside what was filtered of it. No more than MCP defines is told: a member of
 * the server's own can speak of what policy hides.
 */
export function frameOf(page: unknown): JsonObject {
  const { nextCursor, resultType, ttlMs, cacheScope, _meta } = page as JsonObject;
  const info = isObject(_meta) ? _meta[SERVER_INFO] : undefined;
  return {
    ...(nextCursor !== undefined && { nextCursor }),
    ...(resultType !== undefined && { resultType }),
    ...(ttlMs !== undefined && { ttlMs }),
    ...(cacheScope !== undefined && { cacheScope }),
    ...(info !== undefined && { _meta: { [SERVER_INFO]: info } }),
  };
}

export function listParams({
  cursor,
  _meta,
}: Record<string, unknown>): Record<string, unknown> | undefined {
  if (cursor === undefined && _meta === undefined) return undefined;
  return { ...(cursor !== undefined && { cursor }), ...(isObject(_meta) && { _meta }) };
}

/** An item as the page says it; `name` is undefined where it has none that is its own. */
interface Listed {
  listed: unknown;
  name: string | undefined;
  repeated: boolean;
  text: string;
}

interface Known {
  listed: unknown;
  item: CatalogueItem;
}

function readItems(kind: Kind, items: readonly unknown[]): Listed[] {
  const names = items.map((item) => nameOf(kind, item));
  const seen = new Set<string | undefined>();
  const repeated = new Set(names.filter((name) => seen.size === seen.add(name).size));
  return items.map((listed, index) => {
    const name = names[index];
    return { listed, name, repeated: repeated.has(name), text: JSON.stringify(listed) };
  });
}

/** One question for the page. What is not as the guard knows it is looked up, or hidden. */
async function visibleItems(
  gate: Gate,
  exchange: Exchange,
  kind: Kind,
  asker: Asker,
  items: readonly unknown[],
): Promise<unknown[]> {
  const page = readItems(kind, items);
  const snapshot = await snapshotOf(gate, exchange, kind, page);
  const known = page.flatMap((listed) => find(snapshot, listed) ?? []);
  const resources = known.map(({ item }) =>
    resourceNamed(gate.parts.settings.server, kind, item.name, item),
  );
  const visible = await discover(gate, exchange, asker, resources, snapshot.digest);
  return known.filter((_entry, index) => visible[index] === true).map(({ listed }) => listed);
}

async function snapshotOf(
  gate: Gate,
  exchange: Exchange,
  kind: Kind,
  page: readonly Listed[],
): Promise<Snapshot> {
  const snapshot = await gate.catalogue(kind, exchange);
  const accounted = page.every(
    (listed) =>
      listed.name === undefined ||
      snapshot.doubled.has(listed.name) ||
      find(snapshot, listed) !== undefined,
  );
  if (accounted) return snapshot;
  gate.forget(kind);
  return gate.catalogue(kind, exchange);
}

function find({ items }: Snapshot, { listed, name, repeated, text }: Listed): Known | undefined {
  const item = name === undefined || repeated ? undefined : items.get(name);
  return item?.text === text ? { listed, item } : undefined;
}

/** Which resources the caller may know of. Rejects where there is no answer to believe. */
export async function discover(
  { parts }: Pick<Gate, 'parts'>,
  { signal }: Pick<Exchange, 'signal'>,
  asker: Asker,
  resources: readonly Resource[],
  catalogue_digest: string,
): Promise<boolean[]> {
  const request = discoveryRequest(asker, resources, catalogue_digest);
  const work = (until: AbortSignal) => parts.decisionPoint.discover(request, { signal: until });
  const raw: unknown = await withinDeadline(work, parts.settings.decision_timeout_ms, signal);
  const validated = VALIDATORS.evaluations_response(raw);
  if (!validated.ok) {
    throw new PortcullisError('DECISION_POINT_UNREACHABLE', 'the answer is malformed', {
      pointer: validated.fault.pointer,
    });
  }
  const { evaluations } = validated.value;
  if (evaluations.length !== resources.length) {
    throw new PortcullisError('DECISION_POINT_UNREACHABLE', 'the answer has another length');
  }
  return evaluations.map(({ decision, context }) => context?.visible ?? decision);
}
