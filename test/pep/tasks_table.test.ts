/** The table of tasks by itself, and what stands before it. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Connection, shareOf } from '../../src/pep/connection.ts';
import { withoutCredentials, type Asker } from '../../src/pep/evaluation.ts';
import { PolicyWatches } from '../../src/pep/policy_watch.ts';
import { principalOf } from '../../src/pep/principal.ts';
import { Tasks, type Origin, type Place } from '../../src/pep/tasks.ts';
import { fuzzing } from '../support/fuzz.ts';
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

const PRINCIPALS = ['alice', 'bob'];
const WHO = fc.constantFrom(...PRINCIPALS);
const ID = fc.constantFrom('1', '2', '3', '4', '5', '6');
const STEPS = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('reserve' as const), who: WHO }),
    fc.record({ do: fc.constant('take' as const), place: fc.nat(3), id: ID, ttl: fc.nat(200) }),
    fc.record({ do: fc.constant('release' as const), place: fc.nat(3) }),
    fc.record({ do: fc.constant('end' as const), id: ID }),
    fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }),
  ),
  { minLength: 10, maxLength: 60, size: 'max' },
);

/** The table, and what is to be true of it. */
class World {
  now_ms = 0;
  readonly tasks = new Tasks(LIMITS, { now_ms: () => this.now_ms });
  readonly open: { place: Place; who: string }[] = [];
  readonly owners = new Map<string, { who: string; until_ms: number }>();
  /** A place was taken twice, or the id of a known task names two. */
  broken = false;

  readonly does: { [D in Step['do']]: (step: Extract<Step, { do: D }>) => void } = {
    wait: ({ ms }) => {
      this.now_ms += ms;
    },
    end: ({ id }) => {
      for (const who of PRINCIPALS) Object.assign(this.tasks.find(id, who) ?? {}, { ended: true });
    },
    reserve: ({ who }) => {
      const place = this.tasks.reserve(who);
      if (place) this.open.push({ place, who });
    },
    release: ({ place }) => this.open.splice(place, 1)[0]?.place.release(),
    take: ({ place, id, ttl }) => this.take(this.open.splice(place, 1)[0], id, ttl),
  };

  take(held: { place: Place; who: string } | undefined, id: string, ttl: number): void {
    if (!held) return;
    const { place, who } = held;
    const until_ms = this.now_ms + Math.min(ttl, LIMITS.task_ttl_ms_max);
    if (place.take(id, ORIGIN, ttl)) this.owners.set(id, { who, until_ms });
    else if (this.tasks.find(id, who)) this.broken = true;
    if (place.take(id, ORIGIN, ttl)) this.broken = true;
  }

  /** How many places and tasks are a principal's; undefined where a task is told wrongly. */
  countOf(who: string): number | undefined {
    const known = [...this.owners].filter(([id]) => this.tasks.find(id, who));
    const rightly = known.filter(([, of]) => of.who === who && of.until_ms > this.now_ms);
    if (rightly.length < known.length) return undefined;
    return known.length + this.open.filter((each) => each.who === who).length;
  }

  get holds(): boolean {
    const counts = PRINCIPALS.map((who) => this.countOf(who) ?? Infinity);
    const all = counts.reduce((sum, count) => sum + count, 0);
    const fits = counts.every((count) => count <= LIMITS.tasks_per_principal_max);
    return fits && all <= LIMITS.tasks_max && !this.broken;
  }
}

test('holds to its limits, and tells a task to its owner alone, in any order of things', () => {
  const run = (steps: readonly Step[]) => {
    const world = new World();
    return steps.every((step) => {
      world.does[step.do](step as never);
      return world.holds;
    });
  };
  fc.assert(fc.property(STEPS, run), fuzzing(500));
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
    const watches = new PolicyWatches(
      parts.decisionPoint,
      { decision_timeout_ms: 1000, tenants_max: 4 },
      parts.log,
    );
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
    const shared = { ...shareOf(parts, watches), tasks };
    const connection = new Connection(parts, shared, 2, wire, entrance);
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
