import { request } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import { callOf, closeAll, messageOf, post, started } from '../support/http.ts';
import { allow, type Script } from '../support/scripted.ts';
import { buildServer, LINES, type Journal } from '../support/servers.ts';
import { settle } from '../support/wire.ts';

afterEach(closeAll);

describe.each(LINES)('the door, SDK %i.x', (line) => {
  const rig = async (script: Script = {}, options = {}) => {
    const journal: Journal = { calls: [] };
    return { journal, ...(await started(() => buildServer(line, journal), script, options)) };
  };

  test.each([
    ['text/plain', 415],
    ['text/plain; a=application/json', 415],
    ['application/json-patch+json', 415],
    ['application/jsonx', 415],
    ['', 415],
  ])('a body of type %p is turned away', async (type, status) => {
    const { url, journal } = await rig();
    const response = await post(url, callOf('balance'), { 'content-type': type });
    expect([response.status, journal.calls]).toEqual([status, []]);
  });

  test('a type with parameters is JSON', async () => {
    const { url, journal } = await rig();
    const type = { 'content-type': 'Application/JSON; charset=utf-8' };
    await post(url, callOf('balance'), type).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  const text = JSON.stringify(callOf('balance'));
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'malformed'],
    ['half a message', text.slice(0, -3), 'malformed'],
    ['a byte order mark', `\ufeff${text}`, 'malformed'],
    ['bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'not_utf8'],
    ['a doubled member', text.replace('"id":1', '"id":1,"id":2'), 'duplicate_name'],
    ['a doubled name of a tool', text.replace('"name"', '"name":"x","name"'), 'duplicate_name'],
    [
      'a __proto__',
      text.replace('"arguments":{}', '"arguments":{"__proto__":1}'),
      'forbidden_name',
    ],
    ['endless nesting', `${'['.repeat(5000)}${']'.repeat(5000)}`, 'too_deep'],
  ])('%s is no message', async (_what, body, code) => {
    const { url, journal, parts } = await rig();
    const response = await post(url, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32700, data: { code } } });
    expect([journal.calls, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('a body over the limit is turned away, and the endpoint lives', async () => {
    const { url, journal } = await rig();
    const response = await post(url, 'x'.repeat(70_000));
    expect(response.status).toBe(413);
    await post(url, callOf('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test.each([
    ['a batch', [callOf('balance')], ''],
    ['an empty batch', [], ''],
    ['no object', '"ping"', ''],
    ['a result on a call', { ...callOf('balance'), result: {} }, '/result'],
    ['an id that is an object', callOf('balance', {}), '/id'],
    ['no version', { id: 1, method: 'ping' }, '/jsonrpc'],
  ])('%s is turned away whole', async (_what, body, pointer) => {
    const { url, journal } = await rig();
    const response = await post(url, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: -32600, data: { pointer } } });
    expect(journal.calls).toEqual([]);
  });

  test.each([
    [{ 'mcp-method': 'tools/list' }, 'Mcp-Method'],
    [{ 'mcp-name': 'transfer' }, 'Mcp-Name'],
    [{ 'mcp-name': '=?base64?dHJhbnNmZXI=?=' }, 'Mcp-Name'],
  ])('a header that differs from the body is turned away: %j', async (headers, header) => {
    const { url, journal, parts } = await rig();
    const response = await post(url, callOf('balance'), headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32020, message: 'A header differs from the body', data: { header } },
    });
    expect([journal.calls, parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('headers that agree pass, encoded too', async () => {
    const { url, journal } = await rig();
    const headers = { 'mcp-method': 'tools/call', 'mcp-name': '=?base64?YmFsYW5jZQ==?=' };
    await post(url, callOf('balance'), headers).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test.each(['GET', 'DELETE', 'PUT'])(
    '%s is no method of an endpoint without sessions',
    async (method) => {
      const { url } = await rig();
      const headers = { accept: 'text/event-stream', authorization: 'Bearer user:alice' };
      expect((await fetch(url, { method, headers })).status).toBe(405);
    },
  );

  test.each<[string, (text: string) => unknown]>([
    ['a value', JSON.parse],
    ['text', (body: string) => body],
    ['bytes', (body: string) => Buffer.from(body)],
  ])('a body that the host has read before, as %s, is used', async (_what, parse) => {
    const { url, journal } = await rig({}, { parse });
    await post(url, callOf('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });

  test('one that the host has thrown away is none', async () => {
    const { url, journal } = await rig({}, { parse: () => undefined });
    expect((await post(url, callOf('balance'))).status).toBe(400);
    expect(journal.calls).toEqual([]);
  });

  test('a dead decision point refuses everything', async () => {
    const dead = () => Promise.reject(new Error('dead'));
    const { url, journal } = await rig({ decide: dead, discover: dead, describe: dead });
    const body = await post(url, callOf('balance')).then(messageOf);
    expect(JSON.stringify(body)).toContain('POLICY_UNAVAILABLE');
    const list = await post(url, { jsonrpc: '2.0', id: 1, method: 'tools/list' }).then(messageOf);
    expect(list).toMatchObject({ error: { code: 403 } });
    expect(journal.calls).toEqual([]);
  });

  test('a client that goes away in the middle leaves nothing running', async () => {
    const decide = () => settle(60).then(() => allow());
    const { url, journal } = await rig({ decide });
    const gone = new AbortController();
    const asking = fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        authorization: 'Bearer user:alice',
      },
      body: JSON.stringify(callOf('balance')),
      signal: gone.signal,
    }).then((response) => response.text());
    await settle(25);
    gone.abort();
    await expect(asking).rejects.toThrow('aborted');
    await settle(80);
    expect(journal.calls).toEqual([]);
  });

  test('a Host that makes no URL is turned away, and the endpoint lives', async () => {
    const { url, journal } = await rig();
    const status = await new Promise((resolve, reject) => {
      const headers = { host: 'a b', 'content-type': 'application/json' };
      const sent = request(url, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end(text);
    });
    expect([status, journal.calls]).toEqual([400, []]);
    await post(url, callOf('balance')).then(messageOf);
    expect(journal.calls).toHaveLength(1);
  });
});
