import { describe, expect, test } from '@jest/globals';
import { METHODS, type MethodRule } from '../../src/pep/methods.ts';
import { guarded } from './support/rig.ts';
import { LINES, type HighServer } from './support/servers.ts';
import { settle } from './support/wire.ts';

const RULES = Object.entries<MethodRule>(METHODS);
const DENIED = RULES.filter(
  ([, rule]) =>
    rule.kind === 'request' &&
    (rule.direction === 'server_to_client' ||
      !rule.enforced ||
      !rule.revisions.includes('2025-11-25')),
).map(([method]) => method);

const denied = (id: unknown) => ({
  jsonrpc: '2.0',
  id,
  error: {
    code: -32601,
    message: 'Method not found',
    data: {
      error: {
        code: 'UNKNOWN_METHOD_DENIED',
        message: 'The server policy does not allow this method.',
      },
    },
  },
});

/** Lets a server that knows every method do so. */
function openServer(server: HighServer, heard: string[]): void {
  const low = server.server as {
    fallbackRequestHandler?: unknown;
    fallbackNotificationHandler?: unknown;
  };
  low.fallbackRequestHandler = async ({ method }: { method: string }) => {
    heard.push(method);
    return {};
  };
  low.fallbackNotificationHandler = async ({ method }: { method: string }) => {
    heard.push(method);
  };
}

describe.each(LINES)('requests of a client, SDK %i.x', (line) => {
  test('[E-10] what is unknown, future or not classified is denied and never arrives', async () => {
    const { wire, server } = await guarded({}, { line });
    const heard: string[] = [];
    openServer(server, heard);
    const unknown = ['interceptors/list', 'tools/execute', 'x', '', 'constructor', 'TOOLS/CALL'];
    for (const [id, method] of [...DENIED, ...unknown].entries()) {
      const before = wire.sent.length;
      wire.give({ jsonrpc: '2.0', id, method, params: { uri: 'file:///x', name: 'n' } });
      // Synchronously: HTTP transports map the code to 404 only then.
      expect(wire.messages.slice(before)).toEqual([denied(id)]);
    }
    await settle();
    expect(heard).toEqual([]);
    expect(DENIED).toContain('subscriptions/listen');
  });

  test('one of an era that has not got it is denied', async () => {
    const { wire } = await guarded({}, { line });
    const _meta = {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28',
      'io.modelcontextprotocol/clientCapabilities': {},
    };
    for (const [id, method] of ['initialize', 'ping', 'logging/setLevel'].entries()) {
      const before = wire.sent.length;
      wire.give({ jsonrpc: '2.0', id, method, params: { _meta } });
      expect(wire.messages.slice(before)).toEqual([denied(id)]);
    }
  });

  test('ping and logging/setLevel pass', async () => {
    const { wire } = await guarded({}, { line });
    expect(await wire.askFor(1, 'ping')).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
    expect(await wire.askFor(2, 'logging/setLevel', { level: 'info' })).toEqual({
      jsonrpc: '2.0',
      id: 2,
      result: {},
    });
  });

  test.each([
    ['a batch', [{ jsonrpc: '2.0', id: 1, method: 'ping' }], undefined, ''],
    ['an id that is an object', { jsonrpc: '2.0', id: {}, method: 'ping' }, undefined, '/id'],
    ['an array of params', { jsonrpc: '2.0', id: 1, method: 'ping', params: [] }, 1, '/params'],
    [
      'a result on a call',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: {}, result: {} },
      1,
      '/result',
    ],
  ])('%s is no request', async (_what, raw, id, pointer) => {
    const { wire, parts } = await guarded({}, { line });
    const before = wire.sent.length;
    wire.give(raw);
    expect(wire.messages.slice(before)).toEqual([
      {
        jsonrpc: '2.0',
        ...(id !== undefined && { id }),
        error: { code: -32600, message: 'Invalid request', data: { pointer } },
      },
    ]);
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test.each([
    [{ arguments: {} }, '/params/name'],
    [{ name: 7 }, '/params/name'],
    [{ name: 'balance', arguments: 'all' }, '/params/arguments'],
    [{ name: 'balance', arguments: [] }, '/params/arguments'],
  ])('tools/call with %j is invalid at %s', async (params, pointer) => {
    const { wire, parts } = await guarded({}, { line });
    expect(await wire.askFor(1, 'tools/call', params)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32602, message: 'Invalid tools/call request', data: { pointer } },
    });
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test('a second request under an open id is refused; the first is answered', async () => {
    const { wire, journal } = await guarded({ decide: () => settle().then(answer) }, { line });
    wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'secret' } });
    wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'balance' } });
    wire.give({ jsonrpc: '2.0', id: '1', method: 'ping' });
    const refused = wire.sent.length;
    await wire.answerTo(1, refused);
    const answers = wire.messages.slice(1);
    expect(answers.map(({ id, error }) => [id, (error as { code?: number })?.code])).toEqual([
      [1, -32600],
      ['1', undefined],
      [1, undefined],
    ]);
    expect(journal.calls.map(({ name }) => name)).toEqual(['secret']);
  });

  test('more than the limit at a time are refused', async () => {
    const settings = { requests_in_flight_max: 2 };
    const { wire } = await guarded({ decide: () => settle().then(answer) }, { line, settings });
    for (const id of [1, 2, 3]) {
      wire.give({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'balance' } });
    }
    await settle(60);
    const refused = wire.messages.filter(({ result }) => isRefused(result));
    expect(refused.map(({ id }) => id)).toEqual([3]);
  });
});

function answer() {
  const context = { outcome: 'allow', visible: true, reason_code: 'ALLOWED' };
  return { decision: true, context: { ...context, constraints: {}, obligations: [] } };
}

function isRefused(result: unknown): boolean {
  return (result as { isError?: boolean } | undefined)?.isError === true;
}

describe.each(LINES)('the other direction, SDK %i.x', (line) => {
  test.each([
    ['tasks/list', undefined],
    ['made/up', { message: 'which?' }],
  ])('a server that asks %s is told no, and the client hears nothing', async (method, params) => {
    const { wire, server } = await guarded({}, { line });
    const before = wire.sent.length;
    const low = server.server as {
      transport: {
        onmessage: (message: unknown) => void;
        send: (message: unknown) => Promise<void>;
      };
    };
    const heard: unknown[] = [];
    const { onmessage } = low.transport;
    low.transport.onmessage = (message) => heard.push(message);
    await low.transport.send({ jsonrpc: '2.0', id: 99, method, ...(params && { params }) });
    await settle();
    low.transport.onmessage = onmessage;
    expect(heard).toEqual([denied(99)]);
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('a ping of the server passes, and only the first answer to it', async () => {
    const { wire, server } = await guarded({}, { line });
    const low = server.server as { ping(): Promise<object>; onerror?: (error: Error) => void };
    const errors: Error[] = [];
    low.onerror = (error) => errors.push(error);
    const pinged = low.ping();
    const { transport } = server.server as {
      transport: { send: (message: unknown) => Promise<void> };
    };
    await transport.send({
      jsonrpc: '2.0',
      id: 'p',
      method: 'ping',
      params: { _meta: { ssn: 1 } },
    });
    expect(wire.messages.at(-1)).toEqual({ jsonrpc: '2.0', id: 'p', method: 'ping' });
    const withdrawn = { requestId: 'p', reason: 'ssn 123' };
    for (const params of [withdrawn, withdrawn, { requestId: 'other' }]) {
      await transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    }
    expect(wire.messages.slice(-1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'p' } },
    ]);
    await settle();
    const asked = wire.messages.at(-3) as { id: number; method: string };
    expect(asked.method).toBe('ping');
    wire.give({ jsonrpc: '2.0', id: String(asked.id), result: { forged: true } });
    wire.give({ jsonrpc: '2.0', id: asked.id, result: {} });
    wire.give({ jsonrpc: '2.0', id: asked.id, result: {} });
    expect(await pinged).toEqual({});
    await settle();
    expect(errors).toEqual([]);
  });

  test('answers that nobody asked for reach neither the server nor the guard', async () => {
    const { wire, server, parts } = await guarded({}, { line });
    const errors: Error[] = [];
    (server.server as { onerror?: (error: Error) => void }).onerror = (error) => errors.push(error);
    const own = 'portcullis:00000000-0000-4000-8000-000000000001';
    for (const id of [0, 1, 'hello', own]) wire.give({ jsonrpc: '2.0', id, result: { tools: [] } });
    await settle();
    expect(errors).toEqual([]);
    const list = await wire.askFor(5, 'tools/list');
    expect(list.result.tools).toHaveLength(4);
    expect(parts.log.of('error')).toEqual([]);
  });

  test('an answer of the server that nobody waits for is dropped', async () => {
    const { wire, server } = await guarded({}, { line });
    const before = wire.sent.length;
    const { transport } = server.server as {
      transport: { send: (message: unknown) => Promise<void> };
    };
    await transport.send({ jsonrpc: '2.0', id: 77, result: { content: [] } });
    await transport.send({ jsonrpc: '2.0', result: { content: [] } });
    await transport.send({ jsonrpc: '2.0', id: 77, method: 'x', result: {} });
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('an answer to a request that is still being decided is dropped', async () => {
    const { wire, server } = await guarded({ decide: () => settle(50).then(answer) }, { line });
    const asking = wire.call(3, 'balance');
    await settle(5);
    const { transport } = server.server as {
      transport: { send: (message: unknown) => Promise<void> };
    };
    for (const id of [2, 3]) {
      await transport.send({ jsonrpc: '2.0', id, result: { content: [], smuggled: true } });
    }
    expect((await asking).result.smuggled).toBeUndefined();
  });

  test('notifications pass by name, and what is not enforced does not', async () => {
    const { wire, server } = await guarded({}, { line });
    const before = wire.sent.length;
    const { transport } = server.server as {
      transport: { send: (message: unknown) => Promise<void> };
    };
    const told = RULES.filter(([, { kind }]) => kind === 'notification').map(([method]) => method);
    for (const method of [...told, 'notifications/made_up']) {
      await transport.send({ jsonrpc: '2.0', method, params: { secret: 1 } });
    }
    expect(wire.messages.slice(before)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/message', params: { secret: 1 } },
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
      { jsonrpc: '2.0', method: 'notifications/prompts/list_changed' },
      { jsonrpc: '2.0', method: 'notifications/resources/list_changed' },
    ]);
  });

  test('notifications of the client pass by name', async () => {
    const { wire, server } = await guarded({}, { line });
    const heard: string[] = [];
    openServer(server, heard);
    const told = RULES.filter(([, { kind }]) => kind === 'notification').map(([method]) => method);
    for (const method of [...told, 'notifications/made_up']) wire.give({ jsonrpc: '2.0', method });
    await settle();
    expect(heard).toEqual([]);
  });
});
