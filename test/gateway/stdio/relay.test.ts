/** What a relay makes of what a host or a server sends. */
import { describe, expect, test } from '@jest/globals';
import { hide } from '../../pep/support/scripted.ts';
import { callOf, greeted, initialize, relayed, type Message } from '../support/relay.ts';

const ping = (id: unknown): Message => ({ jsonrpc: '2.0', id, method: 'ping' });
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a host', () => {
  test('is answered by the server, in the words of the guard', async () => {
    const { host } = await greeted({ visible: (name) => name !== 'secret' });
    host.say({ jsonrpc: '2.0', id: 1, method: 'tools/list' }, callOf(2));
    const { result } = (await host.answerTo(1)) as { result: { tools: { name: string }[] } };
    expect(result.tools.map(({ name }) => name)).toEqual(['balance', 'slow']);
    expect(await host.answerTo(2)).toMatchObject({ result: { content: [{ text: 'balance' }] } });
  });

  test('that sends what cannot be read is told so, and nothing reaches the server', async () => {
    const { host, server, parts } = await greeted();
    await turns();
    server.lines.length = 0;
    host.sayText('Hello\n');
    host.sayText('{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"ping"}\n');
    host.sayText(`${JSON.stringify({ ...ping(2), params: { a: 'x'.repeat(70_000) } })}\n`);
    host.say({ ...ping(3), result: {} }, ping(4));
    await host.answerTo(4);
    expect(host.lines).toMatchObject([
      { id: 1, error: { code: -32700, data: { code: 'duplicate_name' } } },
      { id: 2, error: { code: -32700, data: { code: 'too_large' } } },
      { id: 3, error: { code: -32600, data: { pointer: '/result' } } },
      { id: 4, result: {} },
    ]);
    expect(parts.log.of('warn')).toHaveLength(3);
    host.sayText('{"jsonrpc":"2.0","id":5,"method":"ping"}');
    host.out.end();
    await turns();
    expect(parts.log.of('warn')).toContain('dropped half a line at the end of a stream');
    expect(host.lines).toHaveLength(4);
  });

  test('that answers nonsense is an error to the server that asked', async () => {
    const { host, server } = await greeted();
    server.say({ jsonrpc: '2.0', id: 'q', method: 'ping' });
    await host.heard((line) => (line as Message)['method'] === 'ping');
    const heard: unknown[] = [];
    server.in.on('data', (chunk: Buffer) => heard.push(JSON.parse(chunk.toString())));
    host.sayText('{"jsonrpc":"2.0","id":"q","result":{},"result":{}}\n');
    await turns();
    expect(heard).toMatchObject([{ id: 'q', error: { code: -32603 } }]);
  });

  test('gets the text of the guard, not that of the server', async () => {
    const { host, server } = relayed({}, {}, false);
    host.listen();
    host.say(initialize('2025-11-25'));
    const { id } = await server.heard();
    server.sayText(
      `{ "result": {"protocolVersion":"2025-11-25","capabilities":{}, "serverInfo":` +
        `{"name":"\\u0061","version":"1"}},  "jsonrpc":"2.0","id":${String(id)}}\n`,
    );
    expect(await host.answerTo('hello')).toMatchObject({ result: { serverInfo: { name: 'a' } } });
  });
});

describe('a server', () => {
  test('that prints to its output never reaches the host', async () => {
    const { host, server, parts } = await greeted();
    for (let i = 0; i < 100; i += 1) server.sayText('Listening on port 80\n');
    server.say([{ jsonrpc: '2.0', method: 'notifications/message', params: {} }], 7, null);
    host.say(ping(1));
    await host.answerTo(1);
    expect(host.lines).toHaveLength(1);
    const dropped = parts.log.lines.filter(({ message }) => message.startsWith('dropped'));
    expect(dropped.map(({ fields }) => fields?.['dropped'])).toEqual([1, 2, 4, 8, 16, 32, 64]);
  });

  test.each<[string, (id: unknown) => string]>([
    ['twice in one', (id) => `{"jsonrpc":"2.0","id":${String(id)},"result":{},"result":{"a":1}}`],
    [
      'with an error beside it',
      (id) => JSON.stringify({ jsonrpc: '2.0', id, result: {}, error: {} }),
    ],
    [
      'in more than the limit',
      (id) => JSON.stringify({ jsonrpc: '2.0', id, result: { a: 'x'.repeat(70_000) } }),
    ],
    ['by another protocol', (id) => JSON.stringify({ id, result: {} })],
  ])('that answers %s is an error to the host', async (_what, answerOf) => {
    const { host, server } = relayed({}, {}, false);
    host.listen();
    host.say(ping(1));
    const { id } = await server.heard();
    server.sayText(`${answerOf(id)}\n`);
    expect(await host.answerTo(1)).toMatchObject({
      error: { code: -32603, message: 'The answer cannot be read' },
    });
  });

  test('that asks in words that cannot be read is told so', async () => {
    const { server } = await greeted();
    await turns();
    const heard: unknown[] = [];
    server.in.on('data', (chunk: Buffer) => heard.push(JSON.parse(chunk.toString())));
    server.sayText('{"jsonrpc":"2.0","id":"q","method":"ping","method":"roots/list"}\n');
    await turns();
    expect(heard).toMatchObject([{ id: 'q', error: { code: -32700 } }]);
  });
});

describe('a batch', () => {
  const secretly = { decide: hide, visible: () => false };

  test('is answered as one, each of it decided, and cancelled requests left out', async () => {
    const { host, parts } = await greeted({}, {}, '2025-03-26');
    const cancel = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 3 } };
    host.say([callOf(1), ping(2), callOf(3, 'slow'), callOf(4, 'absent')]);
    await turns();
    expect(host.lines).toEqual([]);
    host.say(cancel);
    const answers = (await host.heard()) as unknown as Message[];
    expect(new Set(answers.map(({ id }) => id))).toEqual(new Set([1, 2, 4]));
    expect(answers).toHaveLength(3);
    expect(parts.decisionPoint.decisions.map(({ resource }) => resource.id).toSorted()).toEqual([
      'absent',
      'balance',
      'slow',
    ]);
  });

  test('hides no call that is denied', async () => {
    const { host, server } = await greeted(secretly, {}, '2025-03-26');
    const heard: string[] = [];
    server.in.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
    host.say([ping(1), callOf(2, 'secret')]);
    const answers = (await host.heard()) as unknown as Message[];
    expect(answers.find(({ id }) => id === 2)).toEqual({
      jsonrpc: '2.0',
      id: 2,
      error: { code: -32602, message: 'Tool secret not found' },
    });
    expect(heard.join('')).not.toContain('tools/call');
  });

  test('of notifications alone has no answer', async () => {
    const { host } = await greeted({}, {}, '2025-03-26');
    host.say([{ jsonrpc: '2.0', method: 'notifications/progress', params: {} }], ping(1));
    await host.answerTo(1);
    expect(host.lines).toHaveLength(1);
  });

  test('of which one member is malformed is refused as a whole', async () => {
    const { host, parts } = await greeted({}, {}, '2025-03-26');
    host.say([callOf(1), { ...callOf(2), jsonrpc: '1.0' }]);
    expect(await host.heard()).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, error: { code: -32600, data: { pointer: '/jsonrpc' } } },
    ]);
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test.each(['2024-11-05', '2025-06-18', '2025-11-25'])('is none in %s', async (revision) => {
    const { host, parts } = await greeted({}, {}, revision);
    host.say([callOf(1), callOf(2)]);
    await host.answerTo(2);
    expect(host.lines).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, error: { code: -32600 } },
    ]);
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test('of a server is taken apart', async () => {
    const { host, server } = relayed({}, {}, false);
    host.listen();
    host.say(initialize('2025-03-26'));
    const { id } = await server.heard();
    const result = { protocolVersion: '2025-03-26', capabilities: {}, serverInfo: {} };
    server.say({ jsonrpc: '2.0', id, result });
    await host.answerTo('hello');
    host.say(ping(1), ping(2));
    await server.heard((line) => (line as Message)['id'] === 3);
    server.say([2, 3].map((each) => ({ jsonrpc: '2.0', id: each, result: { n: each } })));
    expect([await host.answerTo(1), await host.answerTo(2)]).toMatchObject([
      { result: { n: 2 } },
      { result: { n: 3 } },
    ]);
  });
});

describe('back-pressure', () => {
  const COUNT = 20_000;
  const flood = (stream: { write(text: string): boolean }, text: string): (() => number) => {
    let given = 0;
    const more = (): void => {
      while (given < COUNT && stream.write(text)) given += 1;
    };
    (stream as unknown as NodeJS.EventEmitter).on('drain', more);
    more();
    return () => given;
  };
  const log = { level: 'info', data: 'x'.repeat(1000) };
  const told = { jsonrpc: '2.0', method: 'notifications/message', params: log };
  const line = `${JSON.stringify(told)}\n`;

  test('a server that says more than its host reads waits', async () => {
    const { host, server } = await greeted();
    host.in.removeAllListeners('data');
    host.in.pause();
    const given = flood(server.out, line);
    await turns();
    expect(given()).toBeLessThan(1000);
    host.listen();
    host.in.resume();
    while (given() < COUNT) await turns();
  });

  test('a host that says more than its server reads waits', async () => {
    const { host, server } = await greeted();
    server.in.removeAllListeners('data');
    server.in.pause();
    const cancel = { jsonrpc: '2.0', method: 'notifications/initialized', params: log };
    const given = flood(host.out, `${JSON.stringify(cancel)}\n`);
    await turns();
    expect(given()).toBeLessThan(1000);
  });

  test('a host that asks and does not read waits', async () => {
    const { host } = await greeted({}, { message_bytes_max: 65_536 });
    host.in.removeAllListeners('data');
    host.in.pause();
    const given = flood(host.out, `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 7 })}\n`);
    await turns();
    await turns();
    expect(given()).toBeLessThan(10_000);
  });
});

test('at its end everybody who waits is told, and nothing after', async () => {
  const { host, server, relay } = await greeted();
  host.say(callOf(1, 'slow'), callOf(2, 'slow'));
  await turns();
  await relay.close('The server ended');
  const error = { code: -32603, message: 'The server ended' };
  expect(host.lines).toEqual([
    { jsonrpc: '2.0', id: 1, error },
    { jsonrpc: '2.0', id: 2, error },
  ]);
  server.say({ jsonrpc: '2.0', id: 4, result: {} });
  await turns();
  expect(host.lines).toHaveLength(2);
});
