/** Requests that mostly pass the library's own rules, so that the rules of the policy decide. */
import type { SeededRandom } from '../../support/seeded_random.ts';
import type { Json, JsonObject, Policy, Request, Resource } from '../model.ts';
import { idOf } from '../oracle/decision.ts';
import {
  ACTORS,
  AGENTS,
  ARGUMENTS,
  CAPABILITIES,
  CLIENTS,
  DIGESTS,
  ENVIRONMENTS,
  GROUPS,
  list,
  FAMILY,
  optional,
  present,
  some,
  SURFACES,
  USERS,
} from './pools.ts';

export function callFor(random: SeededRandom, policy: Policy): Request {
  const known = Object.keys(policy.data.registry);
  const picked = random.chance(0.95) ? random.pick(known) : random.pick(CAPABILITIES);
  const name = picked === FAMILY ? 'resource:files/report' : picked;
  const entry = policy.data.registry[name] ?? policy.data.registry[picked];
  return present({
    subject: subject(random),
    action: { name: random.chance(0.98) ? methodOf(name) : 'tools/borrow' },
    resource: resourceOf(random, name, entry),
    context: {
      profile: random.chance(0.98) ? 'mcp/1' : 'mcp/0',
      phase: random.chance(0.99) ? 'call' : 'rehearsal',
      ...contextFor(random, policy, entry),
      arguments: optional(random, 0.95, () => argumentsFor(random)),
      approval: optional(random, 0.3, () => approvalFor(random, policy)),
    },
  }) as Request;
}

function methodOf(capability: string): string {
  return capability.startsWith('resource:') ? 'resources/read' : 'tools/call';
}

/** The call with one fact of it changed or missing. */
export function nearby(random: SeededRandom, call: Request): Request {
  const changed = structuredClone(call);
  const { context } = changed;
  const { properties } = changed.subject;
  if (random.chance(0.6) && context.arguments !== undefined) {
    const [name, values] = random.pick(Object.entries(ARGUMENTS));
    const { [name]: _, ...rest } = context.arguments as JsonObject;
    context.arguments = random.chance(0.2) ? rest : { ...rest, [name]: random.pick(values) };
  } else if (random.chance(0.2)) {
    properties.delegation = [...((properties.delegation ?? []) as Json[]), link(random)];
  } else {
    const holder = random.chance(0.6) ? context : properties;
    Reflect.deleteProperty(holder, random.pick(Object.keys(holder)));
  }
  return changed;
}

function link(random: SeededRandom): JsonObject {
  return { id: random.pick([...CLIENTS.slice(0, 3), 'cid-unknown']) };
}

/** The same question as a list asks it. */
export function asDiscovery(request: Request): Request {
  const { arguments: _, approval: _ignored, ...context } = request.context;
  return { ...request, context: { ...context, phase: 'discovery' } };
}

/** All capabilities that the policy may know, in one question. */
export function asList(request: Request): Request {
  const { resource: _, ...rest } = asDiscovery(request);
  const resources = CAPABILITIES.map((name) => plainResource(name));
  return { ...rest, resources };
}

/** The question whether the caller may approve what somebody else asked. */
export function asApprover(random: SeededRandom, request: Request): Request {
  const approval = present({ requester: optional(random, 0.9, () => random.pick(USERS)) as Json });
  return {
    ...request,
    action: { name: 'approval/grant' },
    context: { ...request.context, approval },
  };
}

function subject(random: SeededRandom): Request['subject'] {
  const delegation = list(random, { from: 1, to: 2 }, () => link(random));
  return {
    type: 'identity',
    id: random.pick(USERS),
    properties: present({
      actor_type: optional(random, 0.85, () => random.pick(['human', ...ACTORS])),
      groups: optional(random, 0.95, () => some(random, ['staff', ...GROUPS], { from: 0, to: 3 })),
      tenant: optional(random, 0.5, () => random.pick(['north', 'south'])),
      delegation: optional(random, 0.25, () => delegation),
    }) as JsonObject,
  };
}

function resourceOf(random: SeededRandom, name: string, entry: JsonObject | undefined): Resource {
  const plain = plainResource(name);
  const digest = (random.chance(0.8) && entry?.digest) || random.pick(DIGESTS);
  if (random.chance(0.5)) return plain;
  return { ...plain, properties: { ...plain.properties, definition_digest: digest as string } };
}

function plainResource(name: string): Resource {
  const [type, server, id] = name.split(/[:/]/u) as [string, string, string];
  return { type, id, properties: { server } };
}

function contextFor(random: SeededRandom, { data }: Policy, entry: JsonObject | undefined): object {
  const client = random.pick(CLIENTS.slice(0, random.chance(0.9) ? 4 : 5));
  const stated = random.chance(0.95) ? Object.keys(data.surfaces) : SURFACES;
  const deployment = random.chance(0.95) && entry ? entry.environment : random.pick(ENVIRONMENTS);
  const state = random.pick(['active', 'active', 'active', 'step_up', 'expired']);
  return {
    environment: optional(random, 0.98, () => ({ deployment })),
    agent: optional(random, 0.4, () => ({ id: client, verified: random.chance(0.9) })),
    surface: optional(random, 0.6, () =>
      client === 'cid-bot' ? 'support_bot' : random.pick(stated),
    ),
    session: optional(random, 0.4, () => ({ state })),
    purpose: optional(random, 0.4, () => ({
      text: random.pick(['billing', 'support']),
      source: 'session',
    })),
  };
}

function argumentsFor(random: SeededRandom): JsonObject {
  const entries = Object.entries(ARGUMENTS).filter(() => random.chance(0.85));
  return Object.fromEntries(entries.map(([name, values]) => [name, random.pick(values)]));
}

/** As the decision point fills it: who asked, and what was already granted. */
function approvalFor(random: SeededRandom, { rules, data }: Policy): JsonObject {
  const asking = [
    ...rules.filter(({ effect }) => effect === 'require_approval').map(idOf),
    ...data.grants.flatMap(({ id, require_approval }) => (require_approval && id ? [id] : [])),
    AGENTS[0]!,
  ];
  return present({
    requester: optional(random, 0.7, () => random.pick(USERS)) as Json,
    granted_rules: optional(random, 0.9, () => some(random, asking, { from: 0, to: 4 })) as Json,
  });
}
