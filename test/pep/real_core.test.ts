/** The guard before the real decision core, with the policy of the example. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Ledger } from '../../examples/payments-server/ledger.ts';
import { buildServer as buildExample } from '../../examples/payments-server/server.ts';
import { openDecisionCore } from '../../src/cli/compose.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import { embeddedDecisionPoint } from '../../src/decision/embedded.ts';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import type { TrustedContext } from '../../src/identity/types.ts';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import { SCOPES } from '../../src/pdp/authentication.ts';
import { LogLines, testParts } from './support/parts.ts';
import { HELLO } from './support/rig.ts';
import { buildServer, type HighServer } from './support/servers.ts';
import { settle, TestWire, type Told } from './support/wire.ts';
import { DEFAULTS } from '../support/defaults.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const opened = new AsyncDisposableStack();
let decisionPoint: DecisionPoint;

beforeAll(async () => {
  const state = mkdtempSync(join(tmpdir(), 'portcullis-'));
  opened.defer(() => rmSync(state, { recursive: true }));
  const bundle = join(import.meta.dirname, '../../bundles/payments.tar.gz');
  const configuration = loadConfiguration({
    names: { server: 'payments', instance: 'test' },
    overrides: { state, policy: { bundle } },
    variables: {},
  });
  const { core } = await openDecisionCore(configuration, new LogLines(), opened);
  const caller = { id: 'test', channel: 'embedded', scopes: new Set(SCOPES) } as const;
  decisionPoint = embeddedDecisionPoint(core, caller, DEFAULTS.pdp.body_bytes_max);
});

afterAll(() => opened.disposeAsync());

function person(groups: string[], client: string, more: object = {}): TrustedContext {
  return {
    subject: {
      type: 'identity',
      id: 'user:alice@example.com',
      properties: { actor_type: 'human', groups },
    },
    agent: { id: client, verified: true },
    environment: { deployment: 'production' },
    ...more,
  };
}

const teller = person(['tellers'], 'cid-teller-desk');
const bot = person(['support'], 'cid-support-bot', { surface: 'support_bot' });

async function wireTo(who: TrustedContext, server: HighServer): Promise<TestWire> {
  const patient = testParts({}, { decision_timeout_ms: 5_000 });
  const parts = { ...patient, decisionPoint, identity: () => who };
  const wire = new TestWire();
  await createGuard(parts)(server).connect(wire);
  await wire.ask(0, 'initialize', HELLO);
  wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return wire;
}

const example = (who: TrustedContext) =>
  wireTo(who, buildExample(new Ledger()) as unknown as HighServer);
const names = ({ result }: Told): string[] =>
  result.tools.map(({ name }: { name: string }) => name);
const transfer = (amount: unknown) => ({ from: 'acc-1', to: 'acc-2', amount, currency: 'EUR' });

test('a teller sees what a teller may use, and calls it within the limits', async () => {
  const wire = await example(teller);
  expect(names(await wire.askFor(1, 'tools/list'))).toEqual(['balance', 'transfer', 'customer']);
  expect((await wire.call(2, 'transfer', transfer(5))).result.isError).toBeUndefined();
  const refused = async (id: number, amount: unknown) =>
    (await wire.call(id, 'transfer', transfer(amount))).result._meta[EXTENSION];
  expect(await refused(3, 10_001)).toMatchObject({
    reason_code: 'APPROVAL_REQUIRED',
    retry: 'after_approval',
  });
  expect(await refused(4, 30_000)).toMatchObject({ retry: expect.any(String) });
  expect(await refused(5, 'much')).toMatchObject({
    arguments_fault: { pointer: '/amount', keyword: 'type' },
  });
});

test('what the policy hides answers as what does not exist', async () => {
  const wire = await example(teller);
  const ask = (name: string) => wire.ask(1, 'tools/call', { name, arguments: {} });
  const unknown = await ask('unheard');
  for (const name of ['refund', 'export_ledger', 'reset_sandbox']) {
    expect(await ask(name)).toBe(unknown.replace('unheard', name));
  }
});

test('the support bot is given public fields alone, and nothing on the way', async () => {
  const wire = await example(bot);
  const listed = names(await wire.askFor(1, 'tools/list'));
  expect(listed).toEqual(expect.arrayContaining(['customer', 'slow_report']));
  const { result } = await wire.call(2, 'customer', { id: 'c-1' });
  const known = { id: 'c-1', segment: 'private', since: 2011 };
  expect(result.structuredContent).toEqual(known);
  expect(result.content.map(({ text }: { text: string }) => JSON.parse(text))).toEqual([known]);
  const before = wire.sent.length;
  await wire.ask(3, 'tools/call', {
    name: 'slow_report',
    arguments: {},
    _meta: { progressToken: 1 },
  });
  await settle();
  expect(wire.messages.slice(before)).toMatchObject([
    { id: 3, result: { structuredContent: { customers: 3 } } },
  ]);
});

test('a server of 2.x obeys the same policy', async () => {
  const wire = await wireTo(teller, buildServer(2));
  expect(names(await wire.askFor(1, 'tools/list'))).toEqual(['balance', 'transfer']);
  expect((await wire.call(2, 'transfer', { amount: 5, to: 'bob' })).result.isError).toBeUndefined();
  expect((await wire.call(3, 'secret')).error.message).toBe('Tool secret not found');
});
