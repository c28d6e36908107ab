/**
 * Requests, answers, cancellations and notifications in any order, from a client and a server that
 * keep to no rule: nothing unclassified passes, no answer reaches another request, and nothing is
 * kept of what is finished. `SEED=7 RUNS=500 npm test -- test/pep/interleaved`.
 */
import { expect, test } from '@jest/globals';
import { Connection, shareOf } from '../../src/pep/connection.ts';
import type { Wire } from '../../src/pep/ends.ts';
import { isEnforced, METHODS, ruleOf } from '../../src/pep/methods.ts';
import { PolicyWatches } from '../../src/pep/policy_watch.ts';
import { seededRandom, type SeededRandom } from '../support/seeded_random.ts';
import { testParts } from './support/parts.ts';
import { allow, deny, hide } from './support/scripted.ts';

const SEED = Number(process.env['SEED'] ?? 20_261_121);
const RUNS = Number(process.env['RUNS'] ?? 40);
const STEPS = 150;
/** As the settings of a guard under test say. */
const IN_FLIGHT_MAX = 16;

type Message = Record<string, unknown> & { method?: string; params?: Record<string, unknown> };
type Id = string | number;

const METHOD_NAMES = [...Object.keys(METHODS), 'made/up', 'notifications/made_up', 'tools/Call'];
const NAMES = ['open', 'denied', 'secret', 'absent'];
const IDS: readonly Id[] = [0, 1, 2, 3, '1', '2', 'x'];
const LISTS: Readonly<Record<string, object>> = {
  'tools/list': { tools: NAMES.slice(0, 3).map((name) => ({ name, inputSchema: {} })) },
  'prompts/list': { prompts: NAMES.slice(0, 3).map((name) => ({ name })) },
  'resources/list': { resources: NAMES.slice(0, 3).map((name) => ({ uri: `x://${name}`, name })) },
  'resources/templates/list': { resourceTemplates: [{ uriTemplate: 'x://t/{id}', name: 't' }] },
};

/** Both ends of one connection, and what each was given. */
class World {
  readonly chance: SeededRandom;
  readonly connection: Connection;
  /** What a client asked and was not answered, with the mark that its answer must carry. */
  readonly open = new Map<Id, string>();
  readonly faults: string[] = [];
  /** What the server was asked and has not answered. */
  readonly asked: Message[] = [];
  /** How often the client was told what the server answered. */
  answers = 0;
  /** What the server asked and the client was given. */
  readonly #passed = new Set<unknown>();
  #marks = 0;

  constructor(seed: number) {
    this.chance = seededRandom(seed);
    const verdict = (id: string) =>
      id.includes('secret') ? hide() : id.includes('denied') ? deny() : allow();
    const parts = testParts({
      decide: async ({ resource: { id } }) => {
        for (let turns = this.chance.below(4); turns > 0; turns -= 1) await turn();
        if (this.chance.chance(0.05)) throw new Error('dead');
        return verdict(id);
      },
      visible: (id) => !id.includes('secret'),
    });
    const watches = new PolicyWatches(
      parts.decisionPoint,
      { decision_timeout_ms: 1000, tenants_max: 4 },
      parts.log,
    );
    const wire: Wire = {
      toClient: async (message) => this.#toClient(message as Message),
      toServer: (message) => this.#toServer(message as Message),
    };
    const shared = shareOf(parts, watches);
    this.connection = new Connection(parts, shared, this.chance.pick([1, 2]), wire);
  }

  /** One thing that one of both does. */
  async step(): Promise<void> {
    const { below } = this.chance;
    const does = [
      () => this.ask(this.chance.pick(METHOD_NAMES), this.chance.pick(IDS)),
      () => this.ask(this.chance.pick(['tools/call', 'prompts/get', 'resources/read'])),
      () => this.answerOne(),
      () => this.answerOne(),
      () => this.#say('notifications/cancelled', { requestId: this.chance.pick(IDS) }),
      () => this.#say(this.chance.pick(METHOD_NAMES), { taskId: 't', uri: 'x://open' }),
      () => this.connection.receive({ jsonrpc: '2.0', id: this.chance.pick(IDS), result: {} }),
      () => this.#tell({ id: 900 + below(40), result: { mark: 'nobody asked' } }),
      () => this.#tell({ id: 5000 + below(60), result: { mark: 'a guess' } }),
      () => this.#tell({ id: 900 + below(40), method: this.chance.pick(METHOD_NAMES), params: {} }),
      () =>
        this.#tell({
          method: this.chance.pick(METHOD_NAMES),
          params: { requestId: below(60), progressToken: below(60), uri: 'x://open' },
        }),
    ];
    does[below(does.length)]?.();
    for (let turns = below(3); turns > 0; turns -= 1) await turn();
  }

  /** A request of the client, whose mark the server gives back. */
  ask(wanted: string, id: Id = `own-${(this.#marks += 1)}`): void {
    const name = this.chance.pick(NAMES);
    const mark = `m${(this.#marks += 1)}`;
    // A second request under an open id is refused; by which answer it was meant nobody could say.
    const reused = this.open.has(id);
    const method = reused ? 'ping' : wanted;
    if (!reused) this.open.set(id, mark);
    const params = {
      ...{ name, uri: `x://${name}`, taskId: name, arguments: { mark } },
      ...{ ref: { type: 'ref/prompt', name }, argument: { name: 'a', value: mark } },
      _meta: { mark, progressToken: this.chance.pick(IDS) },
    };
    this.connection.receive({ jsonrpc: '2.0', id, method, params });
  }

  /** The server answers something that it was asked, in no order. */
  answerOne(): void {
    const [request] = this.asked.splice(this.chance.below(this.asked.length), 1);
    if (request !== undefined) this.#answer(request);
  }

  #answer({ id, method, params }: Message): void {
    const mark = (params?.['_meta'] as { mark?: string } | undefined)?.mark;
    const list = LISTS[method ?? ''];
    if (this.chance.chance(0.1)) this.#tell({ id, error: { code: -1, message: 'no', data: mark } });
    else this.#tell({ id, result: { ...list, content: [], mark } });
    if (this.chance.chance(0.1)) this.#tell({ id, result: { mark: 'again' } });
  }

  #say(method: string, params: object): void {
    const { requestId } = params as { requestId?: Id };
    if (method === 'notifications/cancelled' && requestId !== undefined)
      this.open.delete(requestId);
    this.connection.receive({ jsonrpc: '2.0', method, params });
  }

  #tell(message: object): void {
    this.connection.deliver({ jsonrpc: '2.0', ...message }).catch((error: unknown) => {
      this.faults.push(`a delivery failed: ${String(error)}`);
    });
  }

  #toServer(message: Message): void {
    const { id, method } = message;
    if (method === undefined) {
      const passed = message['error'] === undefined;
      if (passed && !this.#passed.delete(id)) this.faults.push(`nobody asked ${String(id)}`);
      return;
    }
    const kind = id === undefined ? 'notification' : 'request';
    if (!isEnforced(method, kind, 'client_to_server', 'legacy')) {
      this.faults.push(`the server was given a ${kind} ${method}`);
    }
    const own = String(id).startsWith('portcullis:');
    const decided = ruleOf(method)?.handling === 'decide';
    if (decided && /secret|denied|absent/.test(JSON.stringify(message))) {
      this.faults.push(`the server was given what is not allowed: ${JSON.stringify(message)}`);
    }
    if (kind === 'notification') return;
    if (own || this.chance.chance(0.3)) queueMicrotask(() => this.#answer(message));
    else this.asked.push(message);
  }

  #toClient(message: Message): void {
    const { id, method, result, error } = message;
    if (method !== undefined) {
      const kind = id === undefined ? 'notification' : 'request';
      const known = isEnforced(method, kind, 'server_to_client', 'legacy');
      if (!known) this.faults.push(`the client was given a ${kind} ${method}`);
      if (kind === 'request') this.#passed.add(id);
      return;
    }
    const text = JSON.stringify(result ?? error);
    const mark = this.open.get(id as Id);
    const told = /"(m\d+|again|a guess|nobody asked)"/.exec(text)?.[1];
    if (told !== undefined) this.answers += 1;
    // An answer to an id that was used twice at a time is the guard's own, and has no mark.
    if (told !== undefined && told !== mark) this.faults.push(`${String(id)} was told ${text}`);
    if (told !== undefined || (error as { code?: number } | undefined)?.code !== -32600) {
      this.open.delete(id as Id);
    }
  }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Everything that is under way comes to its end. */
async function rest(world: World): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet += 1) {
    while (world.asked.length > 0) {
      world.answerOne();
      quiet = 0;
    }
    await turn();
  }
}

test(`nothing passes that should not, in ${RUNS} worlds of seed ${SEED}`, async () => {
  for (let run = 0; run < RUNS; run += 1) {
    const world = new World(SEED + run);
    for (let step = 0; step < STEPS; step += 1) await world.step();
    await rest(world);
    expect([SEED + run, world.faults]).toEqual([SEED + run, []]);
    world.connection.close();
  }
});

test('nothing is kept of what is finished: as many as ever fit in', async () => {
  const world = new World(SEED);
  for (let step = 0; step < 20 * STEPS; step += 1) await world.step();
  await rest(world);
  world.answers = 0;
  for (let count = 0; count < IN_FLIGHT_MAX; count += 1) world.ask('ping');
  await rest(world);
  expect([world.faults, world.answers]).toEqual([[], IN_FLIGHT_MAX]);
});
