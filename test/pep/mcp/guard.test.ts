import { describe, expect, test } from '@jest/globals';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport as InMemory1 } from '@modelcontextprotocol/sdk/inMemory.js';
import { StreamableHTTPServerTransport as Node1 } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { WebStandardStreamableHTTPServerTransport as Web1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { WebStandardStreamableHTTPServerTransport as Web2 } from '@modelcontextprotocol/server';
import type { Obligation } from '../../../src/contract/types.gen.ts';
import { PortcullisError } from '../../../src/errors.ts';
import { decisionOf, type CallDecision } from '../../../src/pep/call_context.ts';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import { testParts } from '../support/parts.ts';
import { guarded, HELLO } from '../support/rig.ts';
import { allow, deny, hide } from '../support/scripted.ts';
import { buildLowLevel, buildServer, LINES, said, requestIdOf } from '../support/servers.ts';
import { settle, TestWire } from '../support/wire.ts';

function misuse(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

const misused = (part: string) =>
  expect.objectContaining({ code: 'GUARD_MISUSED', message: expect.stringContaining(part) });

describe.each(LINES)('guard(server), SDK %i.x', (line) => {
  test('gives the server back, and guards it at both levels', async () => {
    for (const build of [() => buildServer(line), () => buildLowLevel(line)]) {
      const guard = createGuard(testParts({ visible: () => false }));
      const server = build();
      expect(guard(server)).toBe(server);
      const wire = new TestWire();
      await server.connect(wire);
      await wire.ask(1, 'initialize', HELLO);
      expect((await wire.askFor(2, 'tools/list')).result.tools).toEqual([]);
    }
  });

  test('the way round through the inner server is guarded too', async () => {
    const guard = createGuard(testParts({ visible: () => false }));
    const server = guard(buildServer(line));
    const wire = new TestWire();
    await (server.server as { connect(transport: unknown): Promise<void> }).connect(wire);
    await wire.ask(1, 'initialize', HELLO);
    expect((await wire.askFor(2, 'tools/list')).result.tools).toEqual([]);
  });

  test('refuses a server that is connected, or guarded twice', async () => {
    const guard = createGuard(testParts());
    const late = buildServer(line);
    await late.connect(new TestWire());
    expect(misuse(() => guard(late))).toEqual(misused('guard it before it connects'));
    const twice = guard(buildServer(line));
    expect(misuse(() => guard(twice))).toEqual(misused('guard it once'));
    expect(misuse(() => createGuard(testParts())(twice.server))).toEqual(misused('guard it once'));
  });

  test('connects once it is open who decides, and not at all where that fails', async () => {
    const order: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const wire = new TestWire();
    wire.start = async () => void order.push('connected');
    const connecting = createGuard(testParts(), promise)(buildServer(line)).connect(wire);
    await settle();
    order.push('opened');
    resolve();
    await connecting;
    expect(order).toEqual(['opened', 'connected']);
    const broken = createGuard(testParts(), Promise.reject(new Error('no bundle')));
    await expect(broken(buildServer(line)).connect(wire)).rejects.toThrow('no bundle');
  });

  test('nobody replaces the guarded connect', () => {
    const server = createGuard(testParts())(buildServer(line));
    expect(() => {
      server.connect = async () => undefined;
    }).toThrow(TypeError);
  });

  test('refuses transports that answer before the server sees a message', async () => {
    const guard = createGuard(testParts());
    const wire = () => new TestWire();
    const channel = Object.assign(wire(), { deliver: () => undefined });
    await expect(guard(buildServer(line)).connect(channel)).rejects.toEqual(misused('guard.wire('));
    const one = Object.assign(wire(), { handleMessage: () => undefined });
    await expect(guard(buildServer(line)).connect(one)).rejects.toEqual(misused('guard.http('));
    await expect(guard(buildServer(line)).connect({})).rejects.toEqual(misused('no transport'));
  });

  test('refuses HTTP transports, which serve a session to whoever knows its id', async () => {
    const guard = createGuard(testParts());
    const Transports = line === 1 ? [Node1, Web1] : [Web2];
    for (const Transport of Transports) {
      const transport = new Transport({ sessionIdGenerator: () => 's-1' });
      const connecting = guard(buildServer(line)).connect(transport);
      await expect(connecting).rejects.toEqual(misused('guard.http('));
      expect(misuse(() => guard.wire(transport))).toEqual(misused('guard.http('));
    }
  });

  test('callbacks that a transport had before are called; its members are offered', async () => {
    const heard: string[] = [];
    const wire = Object.assign(new TestWire(), {
      sessionId: 's-1',
      setProtocolVersion: (version: string) => heard.push(version),
    });
    wire.onclose = () => heard.push('closed');
    wire.onmessage = () => heard.push('message');
    wire.onerror = (error) => heard.push(error.message);
    const server = buildServer(line);
    const low = server.server as { transport: Record<string, unknown>; onerror?: unknown };
    low.onerror = (error: Error) => heard.push(`server: ${error.message}`);
    await createGuard(testParts())(server).connect(wire);
    const { transport } = low as {
      transport: {
        sessionId: string;
        setProtocolVersion: (v: string) => void;
        setScopeChallengeResolver?: unknown;
      };
    };
    transport.setProtocolVersion('v');
    await wire.ask(1, 'ping');
    wire.onerror?.(new Error('oops'));
    expect([transport.sessionId, transport.setScopeChallengeResolver]).toEqual(['s-1', undefined]);
    await server.close();
    expect(heard).toEqual(['v', 'message', 'oops', 'server: oops', 'closed']);
  });

  test('a server that was closed can be connected again, guarded', async () => {
    const guard = createGuard(testParts({ visible: () => false }));
    const server = guard(buildServer(line));
    await server.connect(new TestWire());
    await server.close();
    const wire = new TestWire();
    await server.connect(wire);
    await wire.ask(1, 'initialize', HELLO);
    expect((await wire.askFor(2, 'tools/list')).result.tools).toEqual([]);
  });
});

test.each([
  [undefined],
  [null],
  ['text'],
  [{}],
  [{ server: {} }],
  [new Client1({ name: 'c', version: '1' })],
])('guard(%p) is refused', (thing) => {
  const guard = createGuard(testParts());
  const error = misuse(() => guard(thing as object));
  expect(error).toBeInstanceOf(PortcullisError);
  expect(error).toEqual(misused('no `Server` or `McpServer`'));
});

test('the guard tells whether a policy is active, until it is closed', async () => {
  const parts = testParts();
  const guard = createGuard(parts);
  expect(await guard.ready()).toBe(true);
  parts.decisionPoint.script.describe = () => ({ ready: false });
  expect(await guard.ready()).toBe(false);
  await guard.close();
  parts.decisionPoint.announce({ ready: true });
  parts.decisionPoint.script.describe = () => Promise.reject(new Error('gone'));
  expect(await guard.ready()).toBe(false);
});

describe.each(LINES)('decisionOf, SDK %i.x', (line) => {
  type Seen = { decision: CallDecision | undefined; others: (boolean | undefined)[] };

  async function rig(decide: (request: { resource: { type: string; id: string } }) => unknown) {
    const seen: Seen[] = [];
    const asks = async (_args: unknown, extra: unknown) => {
      await settle(5);
      const decision = decisionOf(extra);
      const others = [
        await decision?.check('tool', 'transfer', { amount: 1 }),
        await decision?.check('resource', 'file:///x'),
        await decision?.check('task', 't-1'),
        await decision?.check('tool', 'secret'),
        await decision?.check('prompt', 'p', { f: () => 1 }),
      ];
      seen.push({ decision, others });
      return said('done');
    };
    const server = () => buildServer(line, { calls: [] }, { asks });
    return { ...(await guarded({ decide }, { line, server })), seen };
  }

  test('gives a handler its decision, and answers a second question', async () => {
    const { wire, seen, parts } = await rig(({ resource: { type, id } }) => {
      if (type === 'resource') return deny();
      if (id === 'secret') return hide();
      return allow({ evaluation_id: `e-${id}` });
    });
    await wire.call(1, 'asks');
    expect(seen[0]?.decision?.decision.context.evaluation_id).toBe('e-asks');
    expect(Object.keys(seen[0]?.decision ?? {})).toEqual(['decision', 'check']);
    expect(seen[0]?.others).toEqual([true, false, false, false, false]);
    expect(
      parts.decisionPoint.decisions.map(({ action, resource }) => [action, resource.id]),
    ).toEqual([
      [{ name: 'tools/call', properties: { verb: 'execute' } }, 'asks'],
      [{ name: 'tools/call', properties: { verb: 'execute' } }, 'transfer'],
      [{ name: 'resources/read', properties: { verb: 'read' } }, 'file:///x'],
      [{ name: 'tools/call', properties: { verb: 'execute' } }, 'secret'],
    ]);
  });

  test('an allow with duties, or no answer, is no', async () => {
    const keep: Obligation = { type: 'keep_fields', paths: [], unstructured: 'drop' };
    const { wire, seen } = await rig(({ resource: { type, id } }) => {
      if (type === 'resource') throw new Error('dead');
      return id === 'asks' ? allow() : allow({ obligations: [keep] });
    });
    await wire.call(1, 'asks');
    expect(seen[0]?.others).toEqual([false, false, false, false, false]);
  });

  test('is nothing outside a guarded call, or for the extra of another one', async () => {
    expect(decisionOf({ requestId: 1 })).toBeUndefined();
    expect(decisionOf(undefined)).toBeUndefined();
    const seen: unknown[] = [];
    const asks = (_args: unknown, extra: unknown) => {
      const id = requestIdOf(extra);
      seen.push(decisionOf({ requestId: 0 }), decisionOf({ mcpReq: { id } }), decisionOf('x'));
      return said('x');
    };
    const server = () => buildServer(line, { calls: [] }, { asks });
    const { wire } = await guarded({}, { line, server });
    await wire.call(1, 'asks');
    expect(seen).toEqual([
      undefined,
      expect.objectContaining({ check: expect.any(Function) }),
      undefined,
    ]);
  });
});

test('in-memory transports of the SDK are guarded like any other', async () => {
  const [near, far] = InMemory1.createLinkedPair();
  await createGuard(testParts({ visible: (name) => name === 'balance' }))(buildServer(1)).connect(
    far,
  );
  const client = new Client1({ name: 'c', version: '1' });
  await client.connect(near);
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['balance']);
  await client.close();
});
