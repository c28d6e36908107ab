/** A refusal that is asked for again and again: heard again, decided once, counted. */
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { Client as Client2, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { TrustedContext } from '../../src/identity/types.ts';
import { Refusals } from '../../src/pep/refusals.ts';
import { closeAll, started } from './support/http.ts';
import { ALICE } from './support/parts.ts';
import { KEY, questionOf, REFUSED } from './support/refusals.ts';
import { guarded, type RigOptions } from './support/rig.ts';
import { allow, deny, hide, READY, type Script } from './support/scripted.ts';
import { buildServer, LINES } from './support/servers.ts';

const MEMORY = { refusal_memory_ms: 60_000 };

const params = (amount: number) => ({ name: 'transfer', arguments: { amount, to: 'bob' } });

afterEach(closeAll);

async function rig(decide: Script['decide'] = () => deny(), options: RigOptions = {}) {
  const settings = { ...MEMORY, ...options.settings };
  const { wire, parts, guard } = await guarded({ decide }, { ...options, settings });
  let id = 0;
  const call = async (asked: object = params(5)): Promise<string> => {
    id += 1;
    return (await wire.ask(id, 'tools/call', asked)).replace(`"id":${id}`, '"id":0');
  };
  return { call, wire, parts, guard, decided: () => parts.decisionPoint.decisions.length };
}

describe.each(LINES)('a refusal, SDK %i.x', (line) => {
  test('is given again as it was, without a new decision', async () => {
    const { call, decided, parts } = await rig(undefined, { line });
    const first = await call();
    expect(first).toContain('CAPABILITY_NOT_ALLOWED');
    for (let again = 0; again < 20; again += 1) expect(await call()).toBe(first);
    expect(decided()).toBe(1);
    expect(parts.decisionPoint.reports).toEqual([]);
  });

  test('is decided anew for other arguments, and in what is another use', async () => {
    const { call, decided } = await rig(undefined, { line });
    await call();
    await call(params(6));
    await call({ name: 'balance', arguments: {} });
    expect(decided()).toBe(3);
  });

  test('is decided anew when another policy is active', async () => {
    const { call, decided, parts } = await rig(undefined, { line });
    await call();
    parts.decisionPoint.announce(READY);
    parts.decisionPoint.script.decide = () => allow();
    expect(await call()).toContain('transferred');
    expect(decided()).toBe(2);
  });
});

test('how often it was asked for again is told once, when the guard closes', async () => {
  const { call, parts, guard } = await rig();
  const first = JSON.parse(await call()) as { result: { _meta: Record<string, object> } };
  for (let again = 0; again < 3; again += 1) await call();
  const [{ request_id }] = Object.values(first.result._meta) as [{ request_id: string }];
  expect(parts.decisionPoint.reports).toEqual([]);
  await guard.close();
  await guard.close();
  expect(parts.decisionPoint.reports).toMatchObject([
    { evaluation_id: request_id, status: 'refused', repeats: 3 },
  ]);
});

/** What may come out otherwise at any time, or must not be told from what is not there. */
const ASKED_AGAIN: Record<string, Script['decide']> = {
  'an allow': () => allow(),
  'what is hidden': () => hide(),
  'what an approval may open': () => deny({ outcome: 'require_approval' }),
  'what the guard overruled': () => allow({ constraints: { actor_required: 'automation' } }),
  'what needs other arguments': () => deny({ reason_code: 'ARGUMENTS_INCOMPLETE' }),
  'what was not decided': () => ({}),
};

test.each(Object.entries(ASKED_AGAIN))('%s is asked about each time', async (_what, decide) => {
  const { call, decided } = await rig(decide);
  await call();
  const once = decided();
  await call();
  expect(decided()).toBe(2 * once);
});

const OTHERS: Record<string, TrustedContext> = {
  'another user': { ...ALICE, subject: { ...ALICE.subject, id: 'user:bob@example.com' } },
  'another group': {
    ...ALICE,
    subject: { ...ALICE.subject, properties: { ...ALICE.subject.properties, groups: ['chief'] } },
  },
  'another tenant': {
    ...ALICE,
    subject: { ...ALICE.subject, properties: { ...ALICE.subject.properties, tenant: 'acme' } },
  },
  'another agent': { ...ALICE, agent: { id: 'cid-1', verified: true } },
  'another surface': { ...ALICE, surface: 'ide' },
  'another session': { ...ALICE, session: { state: 'step_up' } },
};

test.each(Object.entries(OTHERS))('%s is decided on anew', (_who, trusted) => {
  const limits = { ...MEMORY, refusals_max: 10 };
  const refusals = new Refusals(limits, { now_ms: () => 0 }, KEY);
  const question = questionOf('transfer');
  refusals.keep(question, REFUSED, () => undefined);
  expect(refusals.recall({ ...question, asker: { ...question.asker, trusted } })).toBeUndefined();
  expect(refusals.recall(questionOf('transfer'))).toBe(REFUSED);
});

/** A client that is told no and asks on, as a model in a loop does. */
const CLIENTS: Record<string, (url: URL, requestInit: RequestInit) => Promise<unknown>> = {
  '1.x': async (url, requestInit) => {
    const client = new Client1({ name: 'c', version: '1' });
    await client.connect(new Transport1(url, { requestInit }));
    return client;
  },
  '2.x, 2025-11-25': async (url, requestInit) => {
    const client = new Client2(
      { name: 'c', version: '1' },
      { versionNegotiation: { mode: 'legacy' } },
    );
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
    return client;
  },
  '2.x, 2026-07-28': async (url, requestInit) => {
    const versionNegotiation = { mode: { pin: '2026-07-28' } } as const;
    const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation });
    await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
    return client;
  },
};

interface Caller {
  callTool(params: object): Promise<{ isError?: boolean; content: object }>;
  listTools(): Promise<{ tools: object[] }>;
  close(): Promise<void>;
}

test.each(Object.entries(CLIENTS))(
  'the client of %s that is refused keeps its session',
  async (_line, open) => {
    const decide: Script['decide'] = ({ resource }) =>
      resource.id === 'transfer' ? deny() : allow();
    const { url, parts } = await started(() => buildServer(2), { decide }, { settings: MEMORY });
    const requestInit = { headers: { authorization: 'Bearer user:alice' } };
    const client = (await open(new URL(url), requestInit)) as Caller;
    for (let again = 0; again < 10; again += 1) {
      expect(await client.callTool(params(5))).toMatchObject({ isError: true });
    }
    expect((await client.listTools()).tools.length).toBeGreaterThan(0);
    expect((await client.callTool({ name: 'balance', arguments: {} })).isError).not.toBe(true);
    const asked = parts.decisionPoint.decisions.map(({ resource }) => resource.id);
    expect(asked).toEqual(['transfer', 'balance']);
    await client.close();
  },
);
