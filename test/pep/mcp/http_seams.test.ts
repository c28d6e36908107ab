import { afterEach, describe, expect, test } from '@jest/globals';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import {
  callOf,
  closeAll,
  ENVELOPE,
  messageOf,
  post,
  postModern,
  started,
  VERSION,
} from '../support/http.ts';
import { allow, deny, hide } from '../support/scripted.ts';
import { buildServer, newServer, said } from '../support/servers.ts';

afterEach(closeAll);

describe('what 2.x says before the server sees a call', () => {
  const factory = () => {
    const server = newServer(2);
    const region = z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) });
    const scopeChallenge = () => ({ scopes: ['payments:write'] });
    server.registerTool('mirrored', { inputSchema: region }, () => said('mirrored'));
    server.registerTool('scoped', { inputSchema: z.object({}), scopeChallenge }, () =>
      said('scoped'),
    );
    return server;
  };
  const ask = async (url: string, name: string) => {
    const params = { name, arguments: { region: 'eu' } };
    const response = await postModern(url, 'tools/call', params);
    return { status: response.status, text: await response.text() };
  };

  test('is said of a tool that the caller may know, denied or not', async () => {
    for (const decide of [() => allow(), () => deny()]) {
      const { url, parts } = await started(factory, { decide });
      expect((await ask(url, 'mirrored')).status).toBe(400);
      expect((await ask(url, 'scoped')).status).toBe(403);
      expect(parts.decisionPoint.reports).toMatchObject([
        { status: 'refused' },
        { status: 'refused' },
      ]);
    }
  });

  test.each([
    ['hidden', () => hide()],
    ['undecided', () => Promise.reject(new Error('dead'))],
  ])('is not said of one that is %s', async (_what, decide) => {
    const { url } = await started(factory, { decide });
    const unknown = (await ask(url, 'unheard-of')).text;
    for (const name of ['mirrored', 'scoped']) {
      const { status, text } = await ask(url, name);
      expect(status).toBe(200);
      if (_what === 'hidden') expect(text).toBe(unknown.replace('unheard-of', name));
    }
  });

  test('in the legacy era too', async () => {
    const { url } = await started(factory, { decide: () => hide() });
    const [hidden, unknown] = [
      await post(url, callOf('scoped')),
      await post(url, callOf('unheard')),
    ];
    expect(hidden.status).toBe(200);
    expect(await hidden.text()).toBe((await unknown.text()).replace('unheard', 'scoped'));
    const visible = await started(factory, {});
    expect((await post(visible.url, callOf('scoped'))).status).toBe(403);
  });
});

describe('an endpoint that cannot be guarded', () => {
  test.each<[string, () => object, object, string]>([
    ['no server', () => ({}), {}, 'no `Server` or `McpServer`'],
    ['sessions of 2.x', () => buildServer(2), { sessions: true }, 'leave out `sessions`'],
  ])('%s', async (_what, factory, options, message) => {
    const { url, handler, parts } = await started(factory, {}, options);
    await expect(handler.ready).rejects.toMatchObject({
      code: 'GUARD_MISUSED',
      message: expect.stringContaining(message),
    });
    expect((await post(url, callOf('balance'))).status).toBe(500);
    expect(parts.log.of('error')).toContain('the endpoint cannot be guarded');
  });

  test('a factory that gives the same server twice is refused', async () => {
    const same = buildServer(1);
    const { url, handler } = await started(() => same);
    await handler.ready;
    expect((await post(url, callOf('balance'))).status).toBe(200);
    expect((await post(url, callOf('balance'))).status).toBe(500);
  });

  test('a factory that needs a caller is seen with the first one', async () => {
    const factory = ({ authInfo }: { authInfo?: unknown }) => {
      if (authInfo === undefined) throw new Error('who is there?');
      return buildServer(1);
    };
    const { url, handler } = await started(factory);
    await handler.ready;
    expect((await post(url, callOf('balance'))).status).toBe(200);
    expect((await post(url, callOf('balance'), { authorization: '' })).status).toBe(500);
  });

  test('createMcpHandler of the host’s own copy of 2.x may be given', async () => {
    const { url } = await started(() => buildServer(2), {}, { createMcpHandler });
    expect(
      await postModern(url, 'tools/call', { name: 'balance', arguments: {} }).then(messageOf),
    ).toMatchObject({ result: { structuredContent: { amount: 12 } } });
  });

  test('createMcpHandler with a guarded server alone answers nothing', async () => {
    const { parts } = await started(() => buildServer(2));
    const guard = createGuard(parts);
    const handler = createMcpHandler(() => guard(buildServer(2)) as never);
    const listing = new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'mcp-protocol-version': VERSION,
        'mcp-method': 'tools/list',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/list',
        params: { _meta: ENVELOPE },
      }),
    });
    expect((await handler.fetch(listing)).status).toBe(500);
    await handler.close();
  });
});

test('the web face serves as the Node face does', async () => {
  const { handler } = await started(() => buildServer(1));
  const requestOf = (body: object) =>
    new Request('http://localhost/mcp', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify(body),
    });
  const authInfo = { extra: { name: 'user:alice' } };
  const response = await handler.fetch(requestOf(callOf('balance')), { authInfo });
  expect(await messageOf(response)).toMatchObject({
    result: { structuredContent: { amount: 12 } },
  });
  const nobody = await handler.fetch(requestOf(callOf('balance')));
  expect(await messageOf(nobody)).toMatchObject({ result: { isError: true } });
});
