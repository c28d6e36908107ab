import { describe, expect, test } from '@jest/globals';
import { trimServerResult, privateCache } from '../../src/pep/capabilities.ts';
import { ALICE } from './support/parts.ts';
import { connected, guarded, HELLO } from './support/rig.ts';
import { READY } from './support/scripted.ts';
import { LINES, newServer, said } from './support/servers.ts';
import { settle } from './support/wire.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const OWN = {
  version: '1.0',
  supportsDiscoveryFiltering: true,
  supportsActorConstraints: true,
  supportsApprovalConstraints: false,
  supportsExternalDecision: true,
  supportsAuditEvents: false,
};

describe.each(LINES)('initialize, SDK %i.x', (line) => {
  test('[E-01] declares what is enforced and nothing else', async () => {
    const capabilities = {
      tools: { listChanged: false, secretly: true },
      logging: {},
      prompts: { listChanged: true },
      resources: { subscribe: true },
      completions: {},
      experimental: { x: {} },
      extensions: { 'com.example/other': {}, [EXTENSION]: { supportsApprovalConstraints: true } },
    };
    const server = () => {
      const built = newServer(line, { capabilities, instructions: 'Use it well.' });
      built.registerTool('balance', {}, () => said('1'));
      return built;
    };
    const { wire } = await connected({}, { line, server });
    expect((await wire.askFor(1, 'initialize', HELLO)).result).toEqual({
      protocolVersion: '2025-11-25',
      capabilities: {
        tools: { listChanged: true },
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        completions: {},
        logging: {},
        extensions: { [EXTENSION]: OWN },
      },
      serverInfo: { name: 'payments', version: '1.0.0' },
      instructions: 'Use it well.',
    });
  });

  test('audit events are declared where the decision point writes them', async () => {
    const { wire } = await connected({}, { line, settings: { audit_events: true } });
    const { result } = await wire.askFor(1, 'initialize', HELLO);
    expect(result.capabilities.extensions[EXTENSION].supportsAuditEvents).toBe(true);
  });

  test('a client is told when another policy may show other tools, once it is there', async () => {
    const { wire, parts } = await connected({}, { line });
    parts.decisionPoint.announce(READY);
    await wire.ask(1, 'initialize', HELLO);
    parts.decisionPoint.announce(READY);
    expect(wire.sent).toHaveLength(1);
    wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
    parts.decisionPoint.announce(READY);
    parts.decisionPoint.announce({ ready: false });
    await settle();
    expect(wire.messages.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
    ]);
  });
});

describe('the result of a server', () => {
  test('that offers nothing is given only the extension', () => {
    const extensions = { [EXTENSION]: OWN };
    const own = { capabilities: { extensions } };
    expect(trimServerResult({}, 'legacy', { audit_events: false })).toEqual(own);
    expect(trimServerResult({ capabilities: 'all' }, 'modern', { audit_events: false })).toEqual(
      own,
    );
  });

  test('of the modern era promises the notices that the server has subscriptions for', () => {
    const resources = { subscribe: true, listChanged: 'yes' };
    const offered = { capabilities: { tools: { listChanged: true }, prompts: {}, resources } };
    const { capabilities } = trimServerResult(offered, 'modern', { audit_events: false });
    expect(capabilities).toMatchObject({ tools: { listChanged: true } });
    expect(capabilities).toMatchObject({ prompts: {}, resources: { subscribe: true } });
    expect(JSON.stringify(capabilities)).not.toContain('yes');
  });

  test.each([
    [{ ttlMs: 60_000, cacheScope: 'public' }, 1000],
    [{ ttlMs: 10, cacheScope: 'private' }, 10],
    [{ ttlMs: -1 }, 0],
    [{ ttlMs: 'long' }, 0],
    [{ ttlMs: '10' }, 0],
    [{}, 0],
  ])('%j is private and not kept for long', (cache, ttlMs) => {
    expect(privateCache({ tools: [], ...cache }, 1000)).toEqual({
      tools: [],
      ttlMs,
      cacheScope: 'private',
    });
  });
});

describe('a connection belongs to one principal', () => {
  const identity = ({ authInfo }: { authInfo?: unknown }) => {
    const { id, tenant, agent } = (authInfo ?? {}) as {
      id?: string;
      tenant?: string;
      agent?: string;
    };
    if (id === undefined) return undefined;
    const properties = { ...(tenant && { tenant }), groups: [String(Math.random())] };
    const subject = { ...ALICE.subject, id, properties };
    return { subject, ...(agent && { agent: { id: agent, verified: true } }) };
  };

  test.each([
    ['another user', { id: 'user:bob' }],
    ['another tenant', { id: 'user:alice', tenant: 'other' }],
    ['another agent', { id: 'user:alice', tenant: 'acme', agent: 'cid-2' }],
    ['nobody', undefined],
  ])('%s is turned away', async (_what, other) => {
    const { wire, journal, parts } = await connected({}, { identity });
    const told: string[] = [];
    parts.turnedAway = { count: (...what) => void told.push(what.join(' ')) };
    const alice = { authInfo: { id: 'user:alice', tenant: 'acme', agent: 'cid-1' } };
    const stranger = other && { authInfo: other };
    await wire.ask(1, 'initialize', HELLO, alice);
    const call = { name: 'balance', arguments: {} };
    const refused = JSON.parse(await wire.ask(2, 'tools/call', call, stranger)) as object;
    expect(refused).toMatchObject({ error: { code: 403, data: { reason_code: 'POLICY_DENIED' } } });
    expect(journal.calls).toEqual([]);
    const allowed = JSON.parse(await wire.ask(3, 'tools/call', call, alice)) as { result: object };
    expect(allowed.result).not.toMatchObject({ isError: true });
    expect(parts.decisionPoint.decisions).toHaveLength(1);
    const unproved = other === undefined ? ['host IDENTITY_UNPROVED'] : [];
    expect(told).toEqual([...unproved, 'connection PRINCIPAL_CHANGED']);
  });

  test('a stranger cancels nothing', async () => {
    const decide = () => settle(40).then(() => undefined);
    const { wire } = await guarded(
      { decide },
      { identity: ({ authInfo }) => identity({ authInfo: authInfo ?? { id: 'a' } }) },
    );
    wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'balance' } });
    const params = { requestId: 1 };
    wire.give(
      { jsonrpc: '2.0', method: 'notifications/cancelled', params },
      { authInfo: { id: 'b' } },
    );
    expect(await wire.answerTo(1)).toContain('POLICY_UNAVAILABLE');
  });
});
