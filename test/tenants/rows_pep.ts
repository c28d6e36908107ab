/** Ways across at a guard that serves several tenants. */
import { messageOf, post, postModern, beginSession, callOf } from '../pep/support/http.ts';
import { ACCEPT, rounds, TRANSFER } from '../pep/support/rounds.ts';
import { buildServer, said, type Journal } from '../pep/support/servers.ts';
import { buildTasks, cleanDesks, newDesk } from '../pep/support/tasks_1.ts';
import { settle, type Told } from '../pep/support/wire.ts';
import { decisionOf } from '../../src/pep/call_context.ts';
import { principalOf } from '../../src/pep/principal.ts';
import { someone, type World } from './fixture.ts';
import type { Row } from './rows.ts';

const as = (who: string) => ({ authorization: `Bearer ${who}` });
const OWN = as('acme/user:alice');
const OTHER = as('globex/user:alice');

const server = (journal?: Journal) => () =>
  buildServer(2, journal, {
    report: async (_args, extra) => said(String(await decisionOf(extra)?.check('tool', 'balance'))),
  });

const call = async (url: string, name: string, headers: Record<string, string>, args = {}) =>
  (await messageOf(
    await postModern(url, 'tools/call', { name, arguments: args }, headers),
  )) as Told;

/** The events of a stream as they come; what ends is no more. */
function eventsOf(response: Response) {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const seen: string[] = [];
  const done = (async () => {
    for (;;) {
      const { value, done: ended } = await reader.read();
      if (ended) return;
      seen.push(...[...value.matchAll(/"method":"([^"]+)"/g)].map(([, method = '']) => method));
    }
  })().catch(() => undefined);
  const until = async (method: string) => {
    while (!seen.includes(method)) await settle(5);
  };
  return { seen, until, end: () => reader.cancel().then(() => done) };
}

type Events = ReturnType<typeof eventsOf>;

const FILTER = { toolsListChanged: true };
const CHANGED = 'notifications/tools/list_changed';
const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';

/** What two listeners hear of a change of one policy, and then of the other's. */
async function heardOf(world: World, acme: Events, globex: Events) {
  world.put('acme', { registry: {}, grants: [] });
  await world.settle();
  await acme.until(CHANGED);
  const across = [...globex.seen];
  world.put('globex', { registry: {}, grants: [] });
  await world.settle();
  await globex.until(CHANGED);
  const own = [acme.seen, globex.seen];
  await Promise.all([acme.end(), globex.end()]);
  return { own, across };
}

async function listened(world: World): Promise<{ own: unknown; across: unknown }> {
  const url = await world.serve(server());
  const open = async (who: Record<string, string>) => {
    const params = { notifications: FILTER };
    return eventsOf(await postModern(url, 'subscriptions/listen', params, who));
  };
  const [acme, globex] = [await open(OWN), await open(OTHER)];
  await Promise.all([acme, globex].map(({ until }) => until(ACKNOWLEDGED)));
  return heardOf(world, acme, globex);
}

/** As `listened`, for clients of the legacy era. */
async function inSessions(world: World): Promise<{ own: unknown; across: unknown }> {
  const url = await world.serve(() => buildServer(1), { sessions: true });
  const open = async (who: Record<string, string>) => {
    const headers = { ...who, 'mcp-session-id': await beginSession(url, who) };
    await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, headers);
    return eventsOf(await fetch(url, { headers: { ...headers, accept: 'text/event-stream' } }));
  };
  return heardOf(world, await open(OWN), await open(OTHER));
}

export const PEP_ROWS: readonly Row[] = [
  {
    way: 'a list of tools, and whoever keeps it',
    tried: async (world) => {
      const url = await world.serve(server());
      const list = async (who: Record<string, string>) => {
        const { result } = (await messageOf(await postModern(url, 'tools/list', {}, who))) as Told;
        const names = result.tools.map(({ name }: { name: string }) => name);
        return [names, result.cacheScope];
      };
      return { own: await list(OWN), across: await list(OTHER) };
    },
    own: [['balance', 'transfer', 'report'], 'private'],
    across: [['transfer', 'report'], 'private'],
  },
  {
    way: 'a call through one guard',
    tried: async (world) => {
      const journal: Journal = { calls: [] };
      const url = await world.serve(server(journal));
      const own = (await call(url, 'balance', OWN)).result.structuredContent.amount;
      const { result, error } = await call(url, 'balance', OTHER);
      return { own, across: [result, error.code, journal.calls.length] };
    },
    own: 12,
    across: [undefined, -32_602, 1],
  },
  {
    way: 'a tenant that the client names itself',
    tried: async (world) => {
      const url = await world.serve(server());
      const claimed = { ...OTHER, 'x-tenant': 'acme' };
      const { error } = await call(url, 'balance', claimed, { tenant: 'acme' });
      return { own: world.asked[0]?.subject.properties?.tenant, across: error.code };
    },
    own: 'globex',
    across: -32_602,
  },
  {
    way: 'a second question inside a handler',
    tried: async (world) => {
      const url = await world.serve(server());
      const asked = async (who: Record<string, string>) =>
        (await call(url, 'report', who)).result.content[0].text;
      return { own: await asked(OWN), across: await asked(OTHER) };
    },
    own: 'true',
    across: 'false',
  },
  {
    way: 'arguments, of which each policy is sent what it reads (E-18)',
    tried: async (world) => {
      const url = await world.serve(server());
      const args = { amount: 5, to: 'bob', note: 'n' };
      const sent = async (who: Record<string, string>) => {
        await call(url, 'transfer', who, args);
        return world.asked.at(-1)?.context.arguments;
      };
      return { own: await sent(OWN), across: await sent(OTHER) };
    },
    own: { amount: 5 },
    across: {},
  },
  {
    way: 'a refusal that is remembered',
    tried: async (world) => {
      const url = await world.serve(server());
      const asked = async (who: Record<string, string>) => {
        const { result } = await call(url, 'transfer', who, { amount: 500, to: 'bob' });
        return [result.isError ?? 'done', world.asked.length];
      };
      return { own: [await asked(OWN), await asked(OWN)], across: await asked(OTHER) };
    },
    own: [
      [true, 1],
      [true, 1],
    ],
    across: ['done', 2],
  },
  {
    way: 'a session of another’s',
    tried: async (world) => {
      const url = await world.serve(() => buildServer(1), { sessions: true });
      const headers = { 'mcp-session-id': await beginSession(url, OWN) };
      const status = async (who: Record<string, string>) =>
        (await post(url, callOf('balance'), { ...headers, ...who })).status;
      return { own: await status(OWN), across: await status(OTHER) };
    },
    own: 200,
    across: 404,
  },
  {
    way: 'a stream that listens',
    tried: listened,
    own: [
      [ACKNOWLEDGED, CHANGED],
      [ACKNOWLEDGED, CHANGED],
    ],
    across: [ACKNOWLEDGED],
  },
  {
    way: 'the stream of a session',
    tried: inSessions,
    own: [[CHANGED], [CHANGED]],
    across: [],
  },
  {
    way: 'a task of another’s',
    tried: async (world) => {
      const url = await world.serve(() => buildTasks(desk));
      const desk = newDesk();
      const ask = async (who: Record<string, string>, method: string, params: object) =>
        (await messageOf(await post(url, { jsonrpc: '2.0', id: 1, method, params }, who))) as Told;
      const made = await ask(OWN, 'tools/call', { name: 'report', arguments: {}, task: {} });
      const { taskId } = made.result.task;
      const own = (await ask(OWN, 'tasks/get', { taskId })).result.taskId === taskId;
      const told = async (id: string) =>
        JSON.stringify(await ask(OTHER, 'tasks/get', { taskId: id })).replaceAll(id, 'ID');
      const across = (await told(taskId)) === (await told('f'.repeat(32)));
      cleanDesks();
      return { own, across: [across, (await told(taskId)).includes('"error"')] };
    },
    own: true,
    across: [true, true],
  },
  {
    way: 'a sealed state between two rounds',
    tried: async () => {
      const rig = (tenant: string) => rounds(2, { identity: () => someone(tenant) });
      const requestState = await (await rig('acme')).begin();
      const again = { ...TRANSFER, requestState, inputResponses: { name: ACCEPT } };
      const told = async (tenant: string) => {
        const { call: ask, given } = await rig(tenant);
        return [(await ask('tools/call', again)).error?.code, given.length];
      };
      return { own: await told('acme'), across: await told('globex') };
    },
    own: [undefined, 1],
    across: [-32_602, 0],
  },
  {
    way: 'whatever is kept by principal',
    tried: async () => {
      const [own, same, other, none] = ['acme', 'acme', 'globex', undefined].map((tenant) =>
        principalOf(someone(tenant)),
      );
      return { own: own === same, across: new Set([own, other, none]).size };
    },
    own: true,
    across: 3,
  },
  {
    way: 'a guard that nobody told of the tenant',
    tried: async (world) => {
      const url = await world.serve(server());
      const told = async (who: string) => {
        const { result, error } = await call(url, 'balance', as(who));
        return error?.code ?? result.isError ?? 'done';
      };
      return {
        own: await told('acme/user:alice'),
        across: [await told('initech/user:alice'), await told('/user:alice'), await told('nobody')],
      };
    },
    own: 'done',
    across: [true, -32_602, -32_602],
  },
];
