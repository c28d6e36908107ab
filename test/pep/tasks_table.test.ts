/** The table of tasks by itself, and what stands before it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Connection } from '../../src/pep/connection.ts';
import { withoutCredentials, type Asker } from '../../src/pep/evaluation.ts';
import { PolicyWatch } from '../../src/pep/policy_watch.ts';
import { principalOf } from '../../src/pep/principal.ts';
import { Tasks, type Origin, type Place } from '../../src/pep/tasks.ts';
import { ENVELOPE } from './support/http.ts';
import { DECLARED } from './support/modern_tasks.ts';
import { ALICE, testParts } from './support/parts.ts';

const ASKER: Asker = {
  trusted: ALICE,
  request: { kind: 'request', id: 1, method: 'tools/call', params: {} },
  claims: {},
  extra: { authInfo: { token: 'secret' }, requestInfo: { headers: { cookie: 'secret' } } },
};
const ORIGIN: Origin = {
  kind: 'tool',
  name: 'balance',
  item: { digest: `sha256:${'0'.repeat(64)}` },
  arguments: {},
  asker: ASKER,
  obligations: [],
};
const LIMITS = { tasks_max: 4, tasks_per_principal_max: 3, task_ttl_ms_max: 100 };

type Step =
  | { do: 'reserve'; who: string }
  | { do: 'take'; place: number; id: string; ttl: number }
  | { do: 'release'; place: number }
  | { do: 'end'; id: string }
  | { do: 'wait'; ms: number };

const WHO = fc.constantFrom('alice', 'bob');
const ID = fc.constantFrom('1', '2', '3', '4', '5', '6');
const STEPS = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('reserve' as const), who: WHO }),
    fc.record({ do: fc.constant('take' as const), place: fc.nat(9), id: ID, ttl: fc.nat(200) }),
    fc.record({ do: fc.constant('release' as const), place: fc.nat(9) }),
    fc.record({ do: fc.constant('end' as const), id: ID }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }),
  ),
  { maxLength: 60 },
);

test('holds to its limits, and tells a task to nobody but its owner, in any order of things', () => {
  const run = (steps: readonly Step[]) => {
    let now_ms = 0;
    const tasks = new Tasks(LIMITS, { now_ms: () => now_ms });
    const open: { place: Place; who: string }[] = [];
    const owners = new Map<string, { who: string; until_ms: number }>();
    const known = (who: string) =>
      [...owners.keys()].filter((id) => tasks.find(id, who) !== undefined);
    for (const step of steps) {
      if (step.do === 'wait') now_ms += step.ms;
      if (step.do === 'end') {
        const task = tasks.find(step.id, 'alice') ?? tasks.find(step.id, 'bob');
        if (task) task.ended = true;
      }
      if (step.do === 'reserve') {
        const place = tasks.reserve(step.who);
        if (place) open.push({ place, who: step.who });
      }
      const [held] = step.do === 'take' || step.do === 'release' ? open.splice(step.place, 1) : [];
      if (step.do === 'release') held?.place.release();
      if (step.do === 'take' && held) {
        const task = held.place.take(step.id, ORIGIN, step.ttl);
        const until_ms = now_ms + Math.min(step.ttl, LIMITS.task_ttl_ms_max);
        if (task) owners.set(step.id, { who: held.who, until_ms });
        else if (tasks.find(step.id, held.who)) return false;
        if (held.place.take(step.id, ORIGIN, step.ttl)) return false;
      }
      for (const who of ['alice', 'bob']) {
        const held_by = open.filter((each) => each.who === who).length;
        if (known(who).length + held_by > LIMITS.tasks_per_principal_max) return false;
        for (const id of known(who)) {
          const owner = owners.get(id);
          if (owner?.who !== who || owner.until_ms <= now_ms) return false;
        }
      }
      if (known('alice').length + known('bob').length + open.length > LIMITS.tasks_max)
        return false;
    }
    return true;
  };
  fc.assert(fc.property(STEPS, run));
});

test('keeps who asked, without the credentials and the message that they came with', () => {
  const kept = withoutCredentials(ASKER);
  expect(JSON.stringify(kept)).not.toContain('secret');
  expect(kept).toMatchObject({ trusted: ALICE, extra: { request: {} } });
  expect(withoutCredentials({ ...ASKER, extra: undefined }).extra).toBeUndefined();
});

describe('an operation to which the entry of the SDK would object', () => {
  const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': DECLARED };
  const ask = async (method: string, taskId: string) => {
    const parts = testParts();
    const watch = new PolicyWatch(parts.decisionPoint, 1000, parts.log);
    const tasks = new Tasks(parts.settings, parts.clock);
    tasks.reserve(principalOf(ALICE))?.take('own', ORIGIN, undefined);
    const entrance = { arrived: false, objected: true, known: false };
    const given: { id?: unknown; method?: unknown }[] = [];
    const told = Promise.withResolvers<object>();
    const wire = {
      toClient: async (message: object) => told.resolve(message),
      toServer: (message: object) => {
        given.push(message);
        const { id, method: asked } = message as { id: string; method: string };
        const result = asked === 'tools/list' ? { tools: [] } : {};
        void connection.deliver({ jsonrpc: '2.0', id, result });
      },
    };
    const connection = new Connection(parts, { watch, tasks }, 2, wire, entrance);
    const params = { taskId, inputResponses: {}, _meta };
    connection.receive({ jsonrpc: '2.0', id: 1, method, params });
    await told.promise;
    return { known: entrance.known, given: given.map((each) => each.method) };
  };

  test.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    '%s is decided on and not done, and its owner may know',
    async (method) => {
      const own = await ask(method, 'own');
      expect(own.known).toBe(true);
      expect(own.given).not.toContain(method);
      expect(await ask(method, 'other')).toEqual({ known: false, given: [] });
    },
  );
});
