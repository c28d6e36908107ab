/** What a connection has for itself: whose policy it follows, how a caller is proved, its end. */
import { describe, expect, test } from '@jest/globals';
import type { TrustedContext } from '../../src/identity/types.ts';
import { Connection, shareOf } from '../../src/pep/connection.ts';
import { PolicyWatches } from '../../src/pep/policy_watch.ts';
import type { MessageExtra } from '../../src/pep/transport.ts';
import { asking, FORM } from './support/asking.ts';
import { bare } from './support/bare.ts';
import { ALICE, testParts, type TestParts } from './support/parts.ts';
import { connected, HELLO } from './support/rig.ts';
import { READY } from './support/scripted.ts';
import { buildServer } from './support/servers.ts';
import { settle, TestWire } from './support/wire.ts';

type Listener = (status: typeof READY) => void;

const CHANGED = 'notifications/tools/list_changed';
const OPEN = { jsonrpc: '2.0', method: 'notifications/initialized' };
const PING = { jsonrpc: '2.0', id: 'p', method: 'ping' };

/** Proves the tenant that stands beside the message. */
const identity: TestParts['identity'] = ({ authInfo }): TrustedContext => {
  const { tenant } = authInfo as { tenant: string | undefined };
  return {
    ...ALICE,
    subject: { ...ALICE.subject, properties: { ...(tenant !== undefined && { tenant }) } },
  };
};
const of = (tenant: string): MessageExtra => ({ authInfo: { tenant } });

describe('a connection follows the policy of its tenant', () => {
  /** Two connections of one guard; `change` is a change of policy for one tenant. */
  async function neighbours() {
    const { guard, wire: acme, parts } = await connected({}, { identity });
    const told = new Map<string | undefined, Listener>();
    const watch = (listener: Listener, tenant?: string) => {
      told.set(tenant, listener);
      return () => told.delete(tenant);
    };
    Object.assign(parts.decisionPoint, { watch });
    const other = new TestWire();
    await guard(buildServer(1, { calls: [] })).connect(other);
    await acme.ask('h', 'initialize', HELLO, of('acme'));
    await other.ask('h', 'initialize', HELLO, of('other'));
    acme.give(OPEN, of('acme'));
    other.give(OPEN, of('other'));
    const hears = (wire: TestWire, tenant: string): boolean => {
      const before = wire.sent.length;
      told.get(tenant)?.(READY);
      return wire.messages.slice(before).some(({ method }) => method === CHANGED);
    };
    return { acme, other, hears, watched: () => [...told.keys()] };
  }

  test('and hears of no change of that of another', async () => {
    const { acme, other, hears, watched } = await neighbours();
    expect(watched()).toEqual(['acme', 'other']);
    expect([hears(acme, 'acme'), hears(acme, 'other')]).toEqual([true, false]);
    expect([hears(other, 'other'), hears(other, 'acme')]).toEqual([true, false]);
  });

  test('whoever else speaks on it', async () => {
    const { acme, hears } = await neighbours();
    acme.give(PING, of('other'));
    expect(await acme.answerTo('p')).toContain('POLICY_DENIED');
    expect([hears(acme, 'acme'), hears(acme, 'other')]).toEqual([true, false]);
  });
});

test('what a connection reports names the tenant it belongs to, where it has one', async () => {
  for (const tenant of ['acme', undefined]) {
    const { wire, parts } = await connected({}, { identity });
    const beside = { authInfo: { tenant } };
    await wire.ask('h', 'initialize', HELLO, beside);
    wire.give(OPEN, beside);
    await wire.ask('c', 'tools/call', { name: 'balance', arguments: {} }, beside);
    const [report] = parts.decisionPoint.reports;
    expect(report?.status).toBe('executed');
    expect(report?.subject_tenant).toBe(tenant);
    expect(Object.keys(report!).includes('subject_tenant')).toBe(tenant !== undefined);
  }
});

test.each([['requestInfo'], ['request']] as const)(
  'a caller is proved with what came beside the message as %s',
  async (member) => {
    const given: unknown[] = [];
    const proof: TestParts['identity'] = ({ requestInfo }) => {
      given.push(requestInfo);
      return ALICE;
    };
    const { wire } = await bare({}, { identity: proof });
    const beside = { headers: { authorization: 'Bearer x' } };
    await wire.ask('p', 'ping', undefined, { [member]: beside });
    expect(given).toEqual([beside]);
  },
);

describe('a connection that is closed', () => {
  test('listens for no policy any more', () => {
    const parts = testParts();
    const watches = new PolicyWatches(parts.decisionPoint, parts.settings, parts.log);
    const shared = shareOf(parts, watches);
    const listening = new Set<unknown>();
    watches.onChange = (listener) => {
      listening.add(listener);
      return () => listening.delete(listener);
    };
    const wire = { toClient: async () => undefined, toServer: () => undefined };
    const connection = new Connection(parts, shared, 1, wire);
    expect(listening.size).toBe(1);
    connection.close();
    expect(listening.size).toBe(0);
  });

  test('has policy decide on nothing that its server goes on to ask', async () => {
    const { wire, ask, parts } = await asking();
    await ask('q1', 'elicitation/create', FORM);
    const { decisions } = parts.decisionPoint;
    expect(decisions).toHaveLength(1);
    wire.onclose?.();
    await ask('q2', 'elicitation/create', FORM);
    expect(decisions).toHaveLength(1);
  });
});

test('a server that asks before its client spoke is told that nobody is there to ask', async () => {
  const { guard, heard, say, wire } = await bare();
  await guard.ready();
  await say({ id: 'q1', method: 'roots/list' });
  await settle(0);
  expect(heard).toMatchObject([{ id: 'q1', error: { code: -32601 } }]);
  expect(wire.sent).toEqual([]);
});
