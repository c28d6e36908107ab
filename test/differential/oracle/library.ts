/** The rules that the library brings: what it denies, and what a surface keeps. */
import type { Json, JsonObject } from '../model.ts';
import { same } from './lines.ts';
import { at, word, type View } from './view.ts';

const RANKS = ['low', 'medium', 'high', 'critical'];

/** True where a rule of the library denies. */
export function libraryDenies(view: View): boolean {
  return DENIES.some((denies) => denies(view));
}

const DENIES: ((view: View) => boolean)[] = [
  ({ input }) => input.context.profile !== 'mcp/1',
  isAnotherMethod,
  ({ facts }) => !same(at(facts, 'capability.environment'), at(facts, 'environment')),
  ({ facts }) => at(facts, 'capability.approved') !== true,
  ({ facts }) => at(facts, 'session.state') === 'expired',
  hasChangedDefinition,
  hasUnknownSurface,
  isAboveCeiling,
  isNotDelegated,
];

/** The kinds of capability of the generated policies, and what they are asked by. */
const METHODS: Record<string, string[]> = {
  tool: [
    'tools/call',
    'tools/list',
    ...['cancel', 'get', 'list', 'result', 'update'].map((operation) => `tasks/${operation}`),
  ],
  resource: [
    ...['resources/list', 'resources/read', 'resources/subscribe', 'resources/unsubscribe'],
    'subscriptions/listen',
  ],
};

function isAnotherMethod({ input }: View): boolean {
  return !(METHODS[input.resource?.type ?? ''] ?? []).includes(String(input.action.name));
}

function hasChangedDefinition({ facts, input }: View): boolean {
  const pinned = at(facts, 'capability.digest');
  return pinned !== undefined && pinned !== input.resource?.properties.definition_digest;
}

function hasUnknownSurface({ facts, input, data }: View): boolean {
  const { surface } = facts;
  if (surface === undefined) return false;
  const stated = input.context.surface;
  const isKnown = typeof surface === 'string' && data.surfaces[surface] !== undefined;
  return !isKnown || (stated !== undefined && stated !== surface);
}

function isAboveCeiling({ facts, data, chain }: View): boolean {
  const ceilings = [
    data.surfaces[word(facts.surface)]?.risk_max,
    data.environments[word(facts.environment)]?.risk_max,
    ...chain.map((agent) => (agent === null ? undefined : data.agents[word(agent)]?.risk_max)),
  ].filter((ceiling) => ceiling !== undefined);
  const risk = RANKS.indexOf(word(at(facts, 'capability.risk')));
  return ceilings.some((ceiling) => risk < 0 || risk > RANKS.indexOf(ceiling));
}

function isNotDelegated({ chain, data, patterns }: View): boolean {
  return chain.some((agent, i) => {
    if (agent === null) return true;
    const may = data.agents[word(agent)]?.may ?? [];
    if (!may.some((pattern) => patterns.includes(pattern))) return true;
    // The outermost comes first (RFC 8693 `act`): each link was handed the work by the next one.
    const receiver = chain[i - 1];
    if (receiver === undefined) return false;
    return !data.agents[word(agent)]?.delegates_to?.some((name) => name === receiver);
  });
}

/** The duty of a surface that keeps one class of fields; undefined where it has none. */
export function surfaceDuty({ facts, data }: View): JsonObject | 'unstated' | undefined {
  const kept = data.surfaces[word(facts.surface)]?.keep;
  if (kept === undefined) return undefined;
  const classes = at(facts, 'capability.data_classes') as Json[] | undefined;
  if (classes?.every((each) => each === kept)) return undefined;
  const paths = at(at(facts, 'capability.fields_by_class'), kept);
  return paths === undefined ? 'unstated' : { type: 'keep_fields', paths, unstructured: 'drop' };
}
