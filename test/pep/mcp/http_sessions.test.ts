import { afterEach, describe, expect, test } from '@jest/globals';
import {
  beginSession,
  callOf,
  closeAll,
  INITIALIZE,
  messageOf,
  post,
  postModern,
  started,
} from '../support/http.ts';
import { READY } from '../support/scripted.ts';
import { buildServer, LINES } from '../support/servers.ts';

afterEach(closeAll);

describe.each(LINES)('sessions of %i.x', (line) => {
  const rig = (options = {}) =>
    started(() => buildServer(line), {}, { sessions: true, ...options });

  test('belong to who began them; to others they are as ones that never were', async () => {
    const { url, parts } = await rig();
    const id = await beginSession(url);
    const ask = async (session: string, authorization: string) => {
      const response = await post(url, callOf('balance'), {
        'mcp-session-id': session,
        authorization,
      });
      return [response.status, await response.text()];
    };
    const stranger = await ask(id, 'Bearer user:bob');
    expect(stranger).toEqual(await ask('no-such-session', 'Bearer user:bob'));
    expect(stranger[0]).toBe(404);
    expect((await ask(id, ''))[0]).toBe(404);
    expect(parts.decisionPoint.decisions).toEqual([]);
    expect((await ask(id, 'Bearer user:alice'))[0]).toBe(200);
    const headers = { 'mcp-session-id': id, accept: 'text/event-stream' };
    for (const method of ['GET', 'DELETE']) {
      const response = await fetch(url, {
        method,
        headers: { ...headers, authorization: 'Bearer user:bob' },
      });
      expect(response.status).toBe(404);
    }
    expect((await ask(id, 'Bearer user:alice'))[0]).toBe(200);
  });

  test('end when their owner ends them', async () => {
    const { url } = await rig();
    const headers = {
      'mcp-session-id': await beginSession(url),
      authorization: 'Bearer user:alice',
    };
    expect((await fetch(url, { method: 'DELETE', headers })).status).toBe(200);
    expect((await post(url, callOf('balance'), headers)).status).toBe(404);
  });

  test('are limited; idle ones make room', async () => {
    let now_ms = 0;
    const settings = { http: { body_bytes_max: 65_536, sessions_max: 2, session_idle_ms: 1000 } };
    const { url, parts } = await rig({ settings });
    Object.assign(parts.clock, { now_ms: () => now_ms });
    const first = await beginSession(url);
    await beginSession(url);
    expect((await post(url, INITIALIZE)).status).toBe(503);
    now_ms = 500;
    await post(url, callOf('balance'), { 'mcp-session-id': first }).then(messageOf);
    now_ms = 1200;
    expect(await beginSession(url)).not.toBe('');
    expect((await post(url, callOf('balance'), { 'mcp-session-id': first })).status).toBe(200);
  });

  test('are limited while they begin', async () => {
    const built = Promise.withResolvers<void>();
    const factory = async () => {
      await built.promise;
      return buildServer(line);
    };
    const { url } = await started(factory, {}, { sessions: true });
    const answers = Array.from({ length: 12 }, async () => {
      const { status } = await post(url, INITIALIZE);
      // Those over the limit are answered before any server is built.
      if (status === 503) over += 1;
      if (over === 8) built.resolve();
      return status;
    });
    let over = 0;
    setTimeout(built.resolve, 2000).unref();
    const statuses = await Promise.all(answers);
    expect(statuses.filter((status) => status === 200)).toHaveLength(4);
  });

  test('one whose initialize is refused does not begin', async () => {
    const describeNow = { ready: false };
    const script = { describe: () => ({ ...READY, ...describeNow }) };
    const { url } = await started(() => buildServer(line), script, { sessions: true });
    const refused = await post(url, INITIALIZE);
    expect(await messageOf(refused)).toMatchObject({ error: { code: 403 } });
    const headers = { 'mcp-session-id': refused.headers.get('mcp-session-id') ?? '' };
    for (let count = 0; count < 5; count += 1) await beginSession(url);
    describeNow.ready = true;
    expect((await post(url, callOf('balance'), headers)).status).toBe(404);
    expect((await post(url, INITIALIZE)).status).toBe(200);
  });

  test('of nobody make room for others', async () => {
    const { url } = await rig();
    const proved = await beginSession(url);
    const unproved = await Promise.all(
      [1, 2, 3].map(() => beginSession(url, { authorization: '' })),
    );
    expect((await post(url, INITIALIZE)).status).toBe(200);
    const ask = (id: string, authorization: string) =>
      post(url, callOf('balance'), { 'mcp-session-id': id, authorization });
    expect((await ask(unproved[0]!, '')).status).toBe(404);
    expect((await ask(proved, 'Bearer user:alice')).status).toBe(200);
  });

  test('one that the transport turns away does not begin', async () => {
    let built = 0;
    const factory = () => {
      const server = buildServer(line);
      const { close } = server.server as { close(): Promise<void> };
      Object.assign(server.server, {
        close: () => {
          built -= 1;
          return close.call(server.server);
        },
      });
      built += 1;
      return server;
    };
    const { url, handler } = await started(factory, {}, { sessions: true });
    await handler.ready;
    expect((await post(url, INITIALIZE, { accept: 'text/plain' })).status).toBe(406);
    expect(built).toBe(0);
  });

  test('nothing but initialize begins one', async () => {
    const { url } = await rig();
    expect((await post(url, callOf('balance'))).status).toBe(400);
    const headers = { accept: 'text/event-stream', authorization: 'Bearer user:alice' };
    expect((await fetch(url, { headers })).status).toBe(400);
  });

  test('a stream of theirs hears of another policy', async () => {
    const { url, parts } = await rig();
    const headers = {
      'mcp-session-id': await beginSession(url),
      authorization: 'Bearer user:alice',
      accept: 'text/event-stream',
    };
    const done = { jsonrpc: '2.0', method: 'notifications/initialized' };
    const { accept: _stream, ...both } = headers;
    expect((await post(url, done, both)).status).toBe(202);
    const stream = await fetch(url, { headers });
    parts.decisionPoint.announce({ ready: true });
    const reader = stream.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
    const { value } = await reader.read();
    expect(Buffer.from(value!).toString()).toContain('notifications/tools/list_changed');
    await reader.cancel();
  });
});

test('beside sessions, 2.x serves modern requests without one', async () => {
  const { url } = await started(() => buildServer(2), {}, { sessions: true });
  const response = await postModern(url, 'tools/call', { name: 'balance', arguments: {} });
  expect(response.headers.get('mcp-session-id')).toBeNull();
  expect(await messageOf(response)).toMatchObject({
    result: { structuredContent: { amount: 12 } },
  });
});
