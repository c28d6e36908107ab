/** The envelope of MCP 2026-07-28: what of it reaches the server, and with whose questions. */
import { describe, expect, test } from '@jest/globals';
import { bare } from './support/bare.ts';
import { deny } from './support/scripted.ts';
import { plainTool } from './support/servers.ts';
import { settle } from './support/wire.ts';

const PREFIX = 'io.modelcontextprotocol/';
const envelope = (more: object = {}) => ({
  [`${PREFIX}protocolVersion`]: '2026-07-28',
  [`${PREFIX}clientCapabilities`]: { sampling: {}, elicitation: {}, experimental: { x: {} } },
  ...more,
});
const CLIENT = { [`${PREFIX}clientInfo`]: { name: 'tester', version: '9' } };

describe('a modern request', () => {
  test.each([{}, CLIENT])(
    'is given to the server with no offer that is not enforced',
    async (more) => {
      const rig = await bare();
      const _meta = { ...envelope(more), other: 1 };
      await rig.wire.askFor(1, 'tools/call', { name: 'balance', _meta });
      const offering = (offers: object) => ({
        ...envelope(more),
        [`${PREFIX}clientCapabilities`]: offers,
      });
      const enforced = offering({ sampling: {}, elicitation: {} });
      const passed = { ...enforced, other: 1 };
      expect(rig.heard[0]?.params).toEqual({ name: 'balance', _meta: passed });
      // The guard's own question comes in the same era, and from the same client.
      expect(rig.own.map(({ params }) => params)).toStrictEqual([{ _meta: enforced }]);
    },
  );

  test('that offers nothing is given none', async () => {
    const rig = await bare();
    const _meta = { [`${PREFIX}protocolVersion`]: '2026-07-28' };
    await rig.wire.askFor(1, 'tools/call', { name: 'balance', _meta });
    expect(rig.heard[0]?.params).toEqual({ name: 'balance', _meta });
  });

  test('of a legacy client has no envelope, nor has what the guard asks for it', async () => {
    const rig = await bare();
    await rig.wire.askFor(1, 'tools/call', { name: 'balance', _meta: { other: 1 } });
    expect(rig.heard[0]?.params).toEqual({ name: 'balance', _meta: { other: 1 } });
    expect(rig.own[0]?.params).toStrictEqual({});
  });

  test('is answered with its result type, and nothing of it may be kept', async () => {
    const rig = await bare({ decide: () => deny() });
    const _meta = envelope();
    const { result } = await rig.wire.askFor(1, 'tools/call', { name: 'balance', _meta });
    expect(result).toMatchObject({ isError: true, resultType: 'complete' });
    const told = await rig.wire.askFor(2, 'tools/list', { _meta });
    expect(told.result).toEqual({
      tools: [plainTool('balance')],
      ttlMs: 0,
      cacheScope: 'private',
    });
    const legacy = await rig.wire.askFor(3, 'tools/list');
    expect(legacy.result).toEqual({ tools: [plainTool('balance')] });
    expect((await rig.wire.call(4, 'balance')).result).not.toHaveProperty('resultType');
  });

  test('of nobody is told of nothing, in the words of its era', async () => {
    const rig = await bare({}, { identity: () => undefined });
    const told = await rig.wire.askFor(1, 'tools/list', { _meta: envelope() });
    expect(told).toEqual({
      jsonrpc: '2.0',
      id: 1,
      result: { tools: [], resultType: 'complete', ttlMs: 0, cacheScope: 'private' },
    });
    expect(await rig.wire.askFor(2, 'tools/list')).toEqual({
      jsonrpc: '2.0',
      id: 2,
      result: { tools: [] },
    });
  });

  test('to discover a server is refused while no policy is active', async () => {
    const rig = await bare({ describe: () => ({ ready: false }) });
    const told = await rig.wire.askFor(1, 'server/discover', { _meta: envelope() });
    expect(told.error).toMatchObject({ code: 403, data: { reason_code: 'POLICY_UNAVAILABLE' } });
    expect(rig.heard).toEqual([]);
  });

  test('to discover a server that was cancelled is answered by nothing', async () => {
    const rig = await bare({}, { answer: () => undefined });
    const params = { _meta: envelope() };
    rig.wire.give({ jsonrpc: '2.0', id: 1, method: 'server/discover', params });
    await settle();
    const cancelled = { method: 'notifications/cancelled', params: { requestId: 1 } };
    rig.wire.give({ jsonrpc: '2.0', ...cancelled });
    await settle();
    expect([rig.wire.sent, rig.parts.log.lines]).toEqual([[], []]);
  });
});

describe('what the decision point is told of a request', () => {
  const TRACE = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;

  async function askedOf(id: unknown, _meta: object, hello: object = {}) {
    const rig = await bare();
    await rig.wire.ask('h', 'initialize', { protocolVersion: '2025-11-25', ...hello });
    await rig.wire.askFor(id as string, 'tools/call', { name: 'balance', _meta });
    return rig.parts.decisionPoint.decisions[0]!.context;
  }

  test.each<[unknown, boolean]>([
    [7, true],
    ['seven', true],
    ['i'.repeat(256), true],
    ['i'.repeat(257), false],
  ])('its id %j where a record holds it: %s', async (id, isTold) => {
    const { request } = await askedOf(id, {});
    expect(request).toEqual({
      ...(isTold && { id }),
      protocol_version: '2025-11-25',
      transport: 'stdio',
    });
  });

  test.each<[unknown, boolean]>([
    [TRACE, true],
    [`x${TRACE}`, false],
    [`${TRACE}x`, false],
    [TRACE.toUpperCase(), false],
    [[TRACE], false],
    [7, false],
  ])('its trace %j where it is one: %s', async (traceparent, isTold) => {
    const { request } = await askedOf(1, { traceparent });
    expect(request?.traceparent).toBe(isTold ? traceparent : undefined);
  });

  test('no claim that says nothing', async () => {
    const clientInfo = { name: '', version: '' };
    expect((await askedOf(1, {}, { clientInfo, protocolVersion: '' })).agent).toEqual({
      claimed: {},
    });
    expect((await askedOf(1, {}, { clientInfo, protocolVersion: '' })).request).toEqual({
      id: 1,
      transport: 'stdio',
    });
  });

  test.each<[string, boolean]>([
    ['c', true],
    ['c'.repeat(1024), true],
    ['c'.repeat(1025), false],
    ['', false],
  ])('the cursor of a list where a record holds it', async (cursor, isTold) => {
    const rig = await bare();
    await rig.wire.askFor(1, 'tools/list', { cursor });
    expect(rig.heard[0]?.params).toEqual({ cursor });
    const [asked] = rig.parts.decisionPoint.discoveries;
    expect(asked?.options.portcullis.discovery.cursor).toBe(isTold ? cursor : undefined);
  });
});
