/** The request as the contract says a rule sees it, worked out again from data and request. */
import type { Json, JsonObject, PolicyData, Request, Resource } from '../model.ts';

export interface View {
  input: Request;
  data: PolicyData;
  name: string | undefined;
  patterns: string[];
  /** What stands under `data.mcp.request`; a member without a value is absent. */
  facts: JsonObject;
  groups: Set<Json>;
  chain: Json[];
}

/** A value at a dotted path; only members of objects are followed. */
export function at(value: Json | undefined, path: string): Json | undefined {
  return path.split('.').reduce<Json | undefined>((inner, step) => memberOf(inner, step), value);
}

/** A name, or none: no table has an entry for what is no text. */
export function word(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function memberOf(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Addresses, and what a server asks, may have one entry for all of a server. */
function registered(resource: Resource, registry: PolicyData['registry']): JsonObject | undefined {
  const own = registry[word(nameOf(resource))];
  if (own !== undefined || !['mcp_server', 'resource'].includes(resource.type)) return own;
  return registry[`${resource.type}:${word(resource.properties.server)}/*`];
}

/** `resource` is given for an item of a list. */
export function viewOf(input: Request, data: PolicyData, resource = input.resource): View {
  const { subject, context } = input;
  const name = resource && nameOf(resource);
  const client = at(context, 'agent.verified') === true ? at(context, 'agent.id') : undefined;
  const agent = agentOf(client, data);
  const chain = chainOf(input, data, agent, client);
  const facts = {
    name,
    server: resource?.properties.server,
    type: resource?.type,
    method: input.action.name,
    phase: context.phase,
    user: { id: subject.id },
    actor_type: subject.properties.actor_type,
    tenant: subject.properties.tenant,
    agent,
    surface: surfaceOf(client, data) ?? context.surface,
    environment: at(context, 'environment.deployment'),
    session: context.session,
    purpose: context.purpose,
    capability: resource && registered(resource, data.registry),
    arguments: context.arguments,
    chain,
    on_behalf_of: chain.length > 0 ? subject.id : undefined,
    approval: context.approval,
  };
  const present = Object.entries(facts).filter(([, value]) => value !== undefined);
  return {
    input: resource ? { ...input, resource } : input,
    data,
    name,
    patterns: name === undefined ? [] : [name, `${name.split('/')[0]}/*`, '*'],
    facts: Object.fromEntries(present) as JsonObject,
    groups: new Set((subject.properties.groups ?? []) as Json[]),
    chain,
  };
}

function nameOf({ type, id, properties }: Resource): string {
  return `${type}:${properties.server}/${id}`;
}

/** The one agent whose client this is; an agent that lists no clients is its own. */
function agentOf(client: Json | undefined, { agents }: PolicyData): string | undefined {
  const found = Object.entries(agents).filter(([name, { clients }]) =>
    (clients ?? [name]).some((known) => known === client),
  );
  return found.length === 1 ? found[0]?.[0] : undefined;
}

function surfaceOf(client: Json | undefined, { surfaces }: PolicyData): string | undefined {
  const found = Object.entries(surfaces).filter(([, { clients }]) =>
    clients?.some((known) => known === client),
  );
  return found.length === 1 ? found[0]?.[0] : undefined;
}

/**
 * Whoever calls leads the chain, unless the delegation begins with the same agent, or the client is
 * an application that people work in.
 */
function chainOf(
  { subject, context }: Request,
  data: PolicyData,
  agent: string | undefined,
  client: Json | undefined,
): Json[] {
  const links = (subject.properties.delegation ?? []) as JsonObject[];
  const delegation = links.map(({ id }) => agentOf(id, data) ?? null);
  const calls = at(context, 'agent.id') !== undefined;
  const leads = agent !== undefined && delegation[0] === agent;
  const people = agent === undefined && surfaceOf(client, data) !== undefined;
  return calls && !leads && !people ? [agent ?? null, ...delegation] : delegation;
}
