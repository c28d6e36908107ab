/**
 * A second reading of the rulings, written from their texts and sharing no code with the first: it
 * judges random small files and questions. `FUZZ_SEED` and `FUZZ_TIMES` try others and more.
 */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide } from '../../../src/decision/decide.ts';
import type { CompleteInput } from '../../../src/decision/request.ts';
import type { Resource } from '../../../src/contract/types.gen.ts';
import { fuzzing, fuzzTimeout } from '../../support/fuzz.ts';
import { policyOf } from './fixture.ts';

interface GrantModel {
  capability: string;
  actions: string[];
  decision: 'allow' | 'deny' | 'require_approval';
  constraints: {
    environment?: string | string[];
    actor_required?: string;
    approval_required?: true;
    require_approval_via?: string;
    approval_via?: string;
  };
}
interface Model {
  roles: Record<string, { grants: GrantModel[] }>;
  bindings: Record<string, string[]>;
  _methods: Record<string, 'deny'>;
}
interface Question {
  principal: string;
  groups: string[];
  actor: string | undefined;
  capability: string;
  method: string;
  deployment: string | undefined;
}

const ROLES = ['a', 'b'];
const ACTORS = ['human', 'supervised_ai', 'automation', 'service_account'];
const PLACES = ['production', 'staging'];
/** What may be done with each, and by which method. */
const METHODS: Record<string, Record<string, string>> = {
  tool: { execute: 'tools/call' },
  resource: { read: 'resources/read', subscribe: 'resources/subscribe' },
};
const CAPABILITIES = ['tool:x', 'tool:y', 'resource:x'];

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined, freq: 2 });
const place = fc.oneof(
  fc.constantFrom(...PLACES),
  fc.uniqueArray(fc.constantFrom(...PLACES), { minLength: 1 }),
);

const grant: fc.Arbitrary<GrantModel> = fc
  .record({
    capability: fc.constantFrom(...CAPABILITIES),
    decision: fc.constantFrom('allow', 'allow', 'deny', 'require_approval'),
    environment: optional(place),
    actor: optional(fc.constantFrom(...ACTORS)),
    asked: fc.boolean(),
    via: optional(fc.constantFrom('task', 'elicitation')),
    early: fc.boolean(),
    picks: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
  })
  .map(({ capability, decision, environment, actor, asked, via, early, picks }) => {
    const words = [...Object.keys(METHODS[capability.split(':')[0]!]!), 'list'];
    const demands = decision !== 'deny' && {
      ...(actor && { actor_required: actor }),
      ...(asked && decision === 'require_approval' && { approval_required: true as const }),
      ...(via &&
        decision === 'require_approval' && {
          [early ? 'approval_via' : 'require_approval_via']: via,
        }),
    };
    return {
      capability,
      decision,
      actions: [...new Set(picks.map((pick) => words[pick % words.length]!))],
      constraints: { ...(environment && { environment }), ...demands },
    };
  });

const model: fc.Arbitrary<Model> = fc
  .record({
    a: fc.array(grant, { maxLength: 4 }),
    b: fc.array(grant, { maxLength: 4 }),
    bindings: fc.dictionary(
      fc.constantFrom(...ROLES),
      fc.uniqueArray(fc.constantFrom('user:ann', 'user:bob', 'group:night', 'group:a')),
    ),
    denied: fc.uniqueArray(
      fc.constantFrom('tools/call', 'resources/read', 'tools/list', 'resources/list'),
      { maxLength: 1 },
    ),
  })
  .map(({ a, b, bindings, denied }) => ({
    roles: { a: { grants: a }, b: { grants: b } },
    bindings: { ...bindings },
    _methods: Object.fromEntries(denied.map((method) => [method, 'deny'] as const)),
  }));

const question: fc.Arbitrary<Question> = fc.record({
  principal: fc.constantFrom('user:ann', 'user:bob', 'user:eve', 'group:night'),
  groups: fc.uniqueArray(fc.constantFrom('a', 'b', 'night', 'c')),
  actor: optional(fc.constantFrom(...ACTORS)),
  capability: fc.constantFrom(...CAPABILITIES, 'tool:z'),
  method: fc.constantFrom('tools/call', 'resources/read', 'resources/subscribe', 'tools/wipe'),
  deployment: optional(fc.constantFrom(...PLACES, 'development')),
});

/** One outcome of a verb: `deny`, or what has to hold. */
type Ruled = 'deny' | { approval: boolean; actors: Set<string>; channels: Set<string> };

function holders({ bindings }: Model, { principal, groups }: Question): (role: string) => boolean {
  return (role) => {
    if (groups.includes(role)) return true;
    for (const who of bindings[role] ?? []) {
      if (who.startsWith('group:')) {
        if (groups.includes(who.slice('group:'.length))) return true;
      } else if (who === principal) return true;
    }
    return false;
  };
}

type Place = 'here' | 'elsewhere' | 'unknown';

function placeOf({ constraints }: GrantModel, { deployment }: Question): Place {
  if (constraints.environment === undefined) return 'here';
  if (deployment === undefined) return 'unknown';
  const places = ([] as string[]).concat(constraints.environment);
  return places.includes(deployment) ? 'here' : 'elsewhere';
}

/** The grants that speak of the thing and the verb, whoever may hold them anywhere. */
function speaking(file: Model, asked: Question, verb: string): GrantModel[] {
  const holds = holders(file, asked);
  return Object.keys(file.roles)
    .filter(holds)
    .flatMap((role) => file.roles[role]!.grants)
    .filter(
      ({ capability, actions, decision }) =>
        capability === asked.capability &&
        (actions.includes(verb) || (decision === 'deny' && actions.includes('list'))),
    );
}

function rule(file: Model, asked: Question, verb: string): Ruled {
  const spoken = speaking(file, asked, verb);
  const inDoubt = spoken.filter((one) => placeOf(one, asked) === 'unknown');
  if (inDoubt.some(({ decision }) => decision !== 'allow')) return 'deny';
  const said = spoken.filter((one) => placeOf(one, asked) === 'here');
  if (said.length === 0 || said.some(({ decision }) => decision === 'deny')) return 'deny';
  const approvals = said.filter(({ decision }) => decision === 'require_approval');
  const actors = new Set<string>();
  const channels = new Set<string>();
  for (const { constraints } of approvals.length > 0 ? approvals : said) {
    if (constraints.actor_required) actors.add(constraints.actor_required);
    const via = constraints.require_approval_via ?? constraints.approval_via;
    if (via) channels.add(via);
  }
  if (channels.size > 1) return 'deny';
  return { approval: approvals.length > 0, actors, channels };
}

function meets(required: string, actor: string | undefined): boolean {
  return required === actor || (required === 'supervised_ai' && actor === 'human');
}

function seen(file: Model, asked: Question): boolean {
  const [type = ''] = asked.capability.split(':');
  const uses: Record<string, string> = { ...METHODS[type], list: `${type}s/list` };
  return Object.entries(uses).some(
    ([verb, method]) => !(method in file._methods) && rule(file, asked, verb) !== 'deny',
  );
}

interface Expected {
  outcome: string;
  visible: boolean;
  via?: string;
}

function expected(file: Model, asked: Question): Expected {
  const [type = ''] = asked.capability.split(':');
  const found = Object.entries(METHODS[type] ?? {}).find(([, method]) => method === asked.method);
  const visible = seen(file, asked);
  const denied = { outcome: 'deny', visible };
  if (!found || asked.method in file._methods) return denied;
  const ruled = rule(file, asked, found[0]);
  if (ruled === 'deny') return denied;
  for (const required of ruled.actors)
    if (!meets(required, asked.actor)) return { outcome: 'deny', visible: true };
  const [via] = ruled.channels;
  return {
    outcome: ruled.approval ? 'require_approval' : 'allow',
    visible: true,
    ...(via !== undefined && { via }),
  };
}

function inputFor({
  principal,
  groups,
  actor,
  capability,
  method,
  deployment,
}: Question): CompleteInput {
  const [type, id] = capability.split(':');
  return {
    subject: {
      type: 'identity',
      id: principal,
      properties: { groups, ...(actor && { actor_type: actor }) },
    },
    action: { name: method },
    resource: { type, id, properties: { server: 's' } },
    context: { phase: 'call', environment: deployment === undefined ? {} : { deployment } },
  };
}

test(
  'R8, R9, R11, R13, R14, R15: random files decide as the oracle reads them',
  async () => {
    const counted: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(
        model,
        fc.array(question, { minLength: 1, maxLength: 12 }),
        async (file, asked) => {
          const policy = await policyOf(JSON.stringify(file));
          for (const one of asked) {
            const input = inputFor(one);
            const verdict = await decide('authzen', input, policy);
            const { outcome, visible, constraints } = verdict;
            const via = outcome === 'deny' ? undefined : constraints.require_approval_via;
            expect({ outcome, visible, ...(via && { via }) }).toEqual(expected(file, one));
            const list = { ...input, action: { name: `${one.capability.split(':')[0]}s/list` } };
            const isListed = !(list.action.name in file._methods) && seen(file, one);
            const [item] = policy.list(list, [input.resource as unknown as Resource]);
            expect(item?.[0]).toBe(isListed);
            counted[outcome] = (counted[outcome] ?? 0) + 1;
          }
        },
      ),
      fuzzing(2000),
    );
    // Chance that only ever denies would show nothing.
    expect(Math.min(counted['allow'] ?? 0, counted['require_approval'] ?? 0)).toBeGreaterThan(50);
  },
  fuzzTimeout(60),
);
