/** What a client hears of without asking again: subscriptions of both eras. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createGuard } from '../../src/pep/mcp/guard.ts';
import { closeAll, ENVELOPE, postModern, started } from './support/http.ts';
import { testParts } from './support/parts.ts';
import { guarded, type Rig } from './support/rig.ts';
import { allow, hide, READY, type Script } from './support/scripted.ts';
import { newServer, said, type HighServer, type Line } from './support/servers.ts';
import { settle, TestWire } from './support/wire.ts';

afterEach(closeAll);

const OPEN = 'file:///open';
const SECRET = 'file:///secret';
const UPDATED = 'notifications/resources/updated';
const SECRETIVE: Script = {
  decide: ({ resource }) => (resource.id.includes('secret') ? hide() : allow()),
};

type Low = { setRequestHandler: (method: unknown, handler: () => object) => void };

/** A server of 2.x with two resources, to which one may subscribe. */
function build(_line: Line = 2): HighServer {
  const resources = { subscribe: true, listChanged: true };
  const server = newServer(2, { capabilities: { resources, tools: { listChanged: true } } });
  const shelf = server as unknown as {
    registerResource: (name: string, uri: string, config: object, read: () => object) => void;
  };
  for (const uri of [OPEN, SECRET]) {
    shelf.registerResource(uri, uri, {}, () => ({ contents: [] }));
  }
  server.registerTool('balance', {}, () => said('1'));
  const low = server.server as Low;
  low.setRequestHandler('resources/subscribe', () => ({}));
  low.setRequestHandler('resources/unsubscribe', () => ({}));
  return server;
}

describe('resources/subscribe', () => {
  const ready = (script: Script = SECRETIVE, settings = {}) =>
    guarded(script, { line: 2, server: build, settings });
  const update = async ({ server, wire }: Rig, uri: unknown) => {
    const { transport } = server.server as { transport: { send: (it: object) => Promise<void> } };
    const from = wire.sent.length;
    await transport.send({ jsonrpc: '2.0', method: UPDATED, params: { uri, note: 'secret' } });
    return wire.messages.slice(from);
  };

  test('an update of what was subscribed to is told, anew, and of nothing else', async () => {
    const rig = await ready();
    expect(await update(rig, OPEN)).toEqual([]);
    expect((await rig.wire.askFor(1, 'resources/subscribe', { uri: OPEN })).result).toEqual({});
    const told = (uri: string) => [{ jsonrpc: '2.0', method: UPDATED, params: { uri } }];
    expect(await update(rig, OPEN)).toEqual(told(OPEN));
    expect(await update(rig, `${OPEN}/part`)).toEqual(told(`${OPEN}/part`));
    for (const other of [`${OPEN}ing`, SECRET, 1, undefined]) {
      expect(await update(rig, other)).toEqual([]);
    }
    await rig.wire.ask(2, 'resources/unsubscribe', { uri: OPEN });
    expect(await update(rig, OPEN)).toEqual([]);
  });

  test('policy is asked again for each update', async () => {
    const rig = await ready();
    await rig.wire.ask(1, 'resources/subscribe', { uri: OPEN });
    rig.parts.decisionPoint.script = { decide: () => hide() };
    expect(await update(rig, OPEN)).toEqual([]);
    rig.parts.decisionPoint.script = { decide: () => Promise.reject(new Error('dead')) };
    expect(await update(rig, OPEN)).toEqual([]);
    rig.parts.decisionPoint.script = {};
    expect(await update(rig, OPEN)).toHaveLength(1);
    const asked = rig.parts.decisionPoint.decisions.map(({ action }) => action.name);
    expect(asked).toEqual(Array(4).fill('resources/subscribe'));
  });

  test('nothing is told of what the server did not subscribe to', async () => {
    const rig = await ready();
    const low = rig.server.server as Low;
    low.setRequestHandler('resources/subscribe', () => {
      throw new Error('full');
    });
    const refused = await rig.wire.askFor(1, 'resources/subscribe', { uri: OPEN });
    expect(refused.error).toMatchObject({ code: -32603, message: 'full' });
    expect(await update(rig, OPEN)).toEqual([]);
  });

  test('a part that policy hides is not told to one who subscribed to the whole', async () => {
    const rig = await ready();
    await rig.wire.ask(1, 'resources/subscribe', { uri: OPEN });
    expect(await update(rig, `${OPEN}/secret`)).toEqual([]);
  });

  test('what was refused is not heard of', async () => {
    const rig = await ready();
    await rig.wire.ask(1, 'resources/subscribe', { uri: SECRET });
    rig.parts.decisionPoint.script = {};
    expect(await update(rig, SECRET)).toEqual([]);
  });

  test('more than the limit: the oldest makes room', async () => {
    const rig = await ready({}, { subscriptions_max: 1 });
    await rig.wire.ask(1, 'resources/subscribe', { uri: OPEN });
    await rig.wire.ask(2, 'resources/subscribe', { uri: SECRET });
    expect([await update(rig, OPEN), await update(rig, SECRET)]).toMatchObject([[], [{}]]);
  });
});

const ID = 'io.modelcontextprotocol/subscriptionId';
const FILTER = {
  toolsListChanged: true,
  promptsListChanged: false,
  resourceSubscriptions: [OPEN, SECRET, OPEN, 7],
  taskIds: ['t-1'],
};
const ACKNOWLEDGED = {
  jsonrpc: '2.0',
  method: 'notifications/subscriptions/acknowledged',
  params: {
    notifications: { toolsListChanged: true, resourceSubscriptions: [OPEN] },
    _meta: { [ID]: 's-1' },
  },
};

describe('subscriptions/listen over stdio', () => {
  const listening = async (script: Script = SECRETIVE, identity?: () => undefined) => {
    const parts = testParts(script, {}, identity && { identity });
    const wire = new TestWire();
    const servers: HighServer[] = [];
    const factory = () => {
      const server = build();
      servers.push(server);
      return server as never;
    };
    serveStdio(factory, { transport: createGuard(parts).wire(wire) as never });
    const give = (id: string, notifications?: unknown) =>
      wire.give({
        jsonrpc: '2.0',
        id,
        method: 'subscriptions/listen',
        params: { notifications, _meta: ENVELOPE },
      });
    const update = async (uri: string) => {
      const [server] = servers.slice(-1) as unknown as [
        { server: { sendResourceUpdated: (params: object) => Promise<void> } },
      ];
      await server.server.sendResourceUpdated({ uri });
      await settle();
    };
    return { parts, wire, give, update, servers };
  };

  test('[D-04] is given what policy leaves, and acknowledged so under its own id', async () => {
    const { wire, give, update } = await listening();
    give('s-1', FILTER);
    await settle(100);
    expect(wire.messages).toEqual([ACKNOWLEDGED]);
    await update(OPEN);
    await update(SECRET);
    expect(wire.messages.slice(1)).toEqual([
      { jsonrpc: '2.0', method: UPDATED, params: { uri: OPEN, _meta: { [ID]: 's-1' } } },
    ]);
  });

  test('policy is asked again for each update, and tells listeners when it changed', async () => {
    const { wire, give, update, parts } = await listening();
    give('s-1', FILTER);
    await settle(100);
    parts.decisionPoint.script = { decide: () => hide() };
    await update(OPEN);
    expect(wire.messages).toHaveLength(1);
    parts.decisionPoint.announce(READY);
    await settle();
    const method = 'notifications/tools/list_changed';
    expect(wire.messages.slice(1)).toEqual([
      { jsonrpc: '2.0', method, params: { _meta: { [ID]: 's-1' } } },
    ]);
  });

  test('nobody hears of nothing', async () => {
    const { wire, give } = await listening({}, () => undefined);
    give('s-1', FILTER);
    await settle(100);
    expect(wire.messages).toMatchObject([{ params: { notifications: {} } }]);
  });

  test('a filter that is none is the error of the server', async () => {
    const { wire, give } = await listening();
    give('s-1', 'everything');
    expect(JSON.parse(await wire.answerTo('s-1'))).toMatchObject({ error: { code: -32602 } });
  });

  test('a client that cancels hears no more', async () => {
    const { wire, give, update } = await listening();
    give('s-1', FILTER);
    await settle(100);
    const params = { requestId: 's-1' };
    wire.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    await update(OPEN);
    expect(wire.messages).toEqual([ACKNOWLEDGED]);
  });
});

describe('subscriptions/listen over HTTP', () => {
  /** The events of a stream as they come. */
  const events = (response: Response) => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    return async () => {
      while (!text.includes('\n\n')) {
        const { value, done } = await reader.read();
        if (done) return undefined;
        text += value;
      }
      const end = text.indexOf('\n\n');
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1] ?? 'null';
      text = text.slice(end + 2);
      return JSON.parse(data) as unknown;
    };
  };
  const open = async (script: Script = SECRETIVE, headers = {}) => {
    const endpoint = await started(() => build(), script);
    const params = { notifications: FILTER };
    const response = await postModern(endpoint.url, 'subscriptions/listen', params, headers);
    return { ...endpoint, response, next: events(response) };
  };
  const acknowledged = { ...ACKNOWLEDGED.params, _meta: { [ID]: 1 } };

  test('[D-04] the entry has what policy leaves, and its stream is looked through', async () => {
    const { next, parts, handler } = await open();
    expect(await next()).toEqual({ ...ACKNOWLEDGED, params: acknowledged });
    parts.decisionPoint.announce(READY);
    expect(await next()).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { [ID]: 1 } },
    });
    await handler.close();
    expect(await next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  test('an update is decided again when it comes', async () => {
    const { createMcpHandler } = await import('@modelcontextprotocol/server');
    const handlers: ReturnType<typeof createMcpHandler>[] = [];
    const entry = (...args: Parameters<typeof createMcpHandler>) => {
      const made = createMcpHandler(...args);
      handlers.push(made);
      return made;
    };
    const endpoint = await started(() => build(), SECRETIVE, { createMcpHandler: entry });
    const params = { notifications: { resourceSubscriptions: [OPEN] } };
    const next = events(await postModern(endpoint.url, 'subscriptions/listen', params));
    await next();
    endpoint.parts.decisionPoint.script = { decide: () => hide() };
    handlers[0]?.notify.resourceUpdated(OPEN);
    await settle(50);
    endpoint.parts.decisionPoint.script = {};
    handlers[0]?.notify.resourceUpdated(OPEN);
    expect(await next()).toMatchObject({ method: UPDATED, params: { uri: OPEN } });
    await handlers[0]?.close();
    expect(await next()).toMatchObject({ result: {} });
  });

  test('nobody hears of nothing', async () => {
    const { next, parts } = await open(SECRETIVE, { authorization: '' });
    expect(await next()).toMatchObject({ params: { notifications: {} } });
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test('while no policy is active it is refused', async () => {
    const { url } = await started(() => build(), { describe: () => ({ ready: false }) });
    const response = await postModern(url, 'subscriptions/listen', { notifications: FILTER });
    expect(await response.json()).toMatchObject({
      id: 1,
      error: { code: 403, data: { reason_code: 'POLICY_UNAVAILABLE' } },
    });
  });
});
