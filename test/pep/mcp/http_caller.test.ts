/** The door of an endpoint that verifies tokens: who comes in, and what the others are told. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { IdentitySource } from '../../../src/identity/types.ts';
import { ENVELOPE, INITIALIZE, callOf, messageOf, post, postModern } from '../support/http.ts';
import { ALICE } from '../support/parts.ts';
import { CLIENT_ID, closeAll, guardedByTokens, type OauthRig } from '../support/oauth.ts';
import { deny, hide } from '../support/scripted.ts';
import { LINES, type Line } from '../support/servers.ts';

afterEach(closeAll);

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const TRANSFER = {
  ...callOf('transfer'),
  params: { name: 'transfer', arguments: { amount: 1, to: 'a-2' } },
};

function tokenFor({ issuer, url }: OauthRig, claims: object = {}, scopes = ['payments']) {
  const request = { client_id: CLIENT_ID, resource: url, scopes, user: 'alice' };
  return issuer.token({ ...request, claims: claims as Record<string, unknown> });
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const metadataOf = (url: string) =>
  url.replace('/mcp', '/.well-known/oauth-protected-resource/mcp');

/** What the operator reads of refusals. */
function codes({ parts }: OauthRig): unknown[] {
  return parts.log.lines.flatMap(({ fields }) => fields?.['code'] ?? []);
}

describe.each(LINES)('the door, SDK %i.x', (line: Line) => {
  test.each(['POST', 'GET', 'DELETE', 'PUT'])('asks for a token: %s', async (method) => {
    const rig = await guardedByTokens(line);
    const response = await fetch(rig.url, { method });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe(
      `Bearer scope="payments", resource_metadata="${metadataOf(rig.url)}"`,
    );
    expect(await response.json()).toEqual({
      jsonrpc: '2.0',
      error: { code: -32600, message: 'Unauthorized' },
    });
    expect(rig.parts.log.of('warn')).toEqual([]);
  });

  test('says no more of a token that it does not take than that', async () => {
    const rig = await guardedByTokens(line);
    const expired = await tokenFor(rig, { nbf: 9_000_000_000 });
    const foreign = await rig.issuer.token({ client_id: CLIENT_ID, resource: 'https://x.example' });
    const answers = [];
    for (const token of [expired, foreign, `${expired}x`, 'canary']) {
      const response = await post(rig.url, callOf('balance'), bearer(token));
      const challenge = response.headers.get('www-authenticate');
      answers.push([response.status, challenge, await response.text()]);
    }
    expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(answers[0]?.slice(0, 2)).toEqual([
      401,
      `Bearer error="invalid_token", scope="payments", resource_metadata="${metadataOf(rig.url)}"`,
    ]);
    expect(codes(rig)).toEqual([
      'TOKEN_NOT_YET_VALID',
      'AUDIENCE_WRONG',
      'TOKEN_MALFORMED',
      'TOKEN_MALFORMED',
    ]);
    expect([rig.journal.calls, rig.parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('asks for the scope that the resource requires', async () => {
    const rig = await guardedByTokens(line);
    const token = await tokenFor(rig, {}, ['payments:high']);
    const response = await post(rig.url, callOf('balance'), bearer(token));
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="payments", ' +
        `resource_metadata="${metadataOf(rig.url)}"`,
    ]);
    expect([codes(rig), rig.journal.calls]).toEqual([['SCOPE_INSUFFICIENT'], []]);
  });

  test('tells everybody where tokens come from', async () => {
    const rig = await guardedByTokens(line);
    const response = await fetch(metadataOf(rig.url));
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([
      200,
      '*',
    ]);
    expect(await response.json()).toEqual({
      resource: rig.url,
      authorization_servers: [rig.issuer.issuer],
      bearer_methods_supported: ['header'],
      scopes_supported: ['payments', 'payments:high'],
    });
    expect((await fetch(metadataOf(rig.url), { method: 'HEAD' })).status).toBe(200);
    expect((await fetch(metadataOf(rig.url), { method: 'POST' })).status).toBe(401);
    expect((await fetch(`${metadataOf(rig.url)}/more`)).status).toBe(401);
  });

  test('gives the token to nobody', async () => {
    const rig = await guardedByTokens(line);
    const token = await tokenFor(rig);
    const response = await post(rig.url, callOf('balance'), bearer(token));
    expect(await messageOf(response)).toMatchObject({
      result: { structuredContent: { amount: 12 } },
    });
    const [{ extra } = { extra: undefined }] = rig.journal.calls;
    const { authInfo, http, requestInfo } = extra as Record<string, Record<string, unknown>>;
    const handed = (authInfo ?? http?.['authInfo']) as Record<string, unknown>;
    expect(handed).toMatchObject({ token: 'redacted', clientId: CLIENT_ID });
    const request = (requestInfo ?? http?.['req']) as { headers: Record<string, string> };
    expect(new Headers(request.headers).get('authorization')).toBeNull();
    const { decisions } = rig.parts.decisionPoint;
    const seen = JSON.stringify([handed, decisions, rig.parts.log.lines]);
    expect(seen).not.toContain(token.split('.')[2]);
  });

  test('reads a token nowhere else', async () => {
    const rig = await guardedByTokens(line);
    const token = await tokenFor(rig);
    const elsewhere = { authorization: '', 'x-access-token': token, cookie: `token=${token}` };
    const body = { ...callOf('balance'), access_token: token };
    const response = await post(`${rig.url}?access_token=${token}`, body, elsewhere);
    expect([response.status, rig.journal.calls]).toEqual([401, []]);
  });

  test('takes none of two tokens', async () => {
    const rig = await guardedByTokens(line);
    const token = await tokenFor(rig);
    const { hostname, port } = new URL(rig.url);
    const socket = connect(Number(port), hostname);
    const twice = `Authorization: Bearer ${token}\r\n`.repeat(2);
    socket.end(`GET /mcp HTTP/1.1\r\nHost: x\r\n${twice}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
    expect(codes(rig)).toEqual(['TOKEN_MALFORMED']);
  });

  test('takes nobody whom the host knows as somebody else', async () => {
    const rig = await guardedByTokens(line, {
      host: (req) => Object.assign(req, { auth: { clientId: 'cid-other', extra: {} } }),
    });
    const response = await post(rig.url, callOf('balance'), bearer(await tokenFor(rig)));
    expect([response.status, codes(rig)]).toEqual([401, ['SOURCES_CONFLICT']]);
  });

  test('takes nobody whom the claims do not name', async () => {
    const rig = await guardedByTokens(line);
    const token = await tokenFor(rig, { act: 'x' });
    const response = await post(rig.url, callOf('balance'), bearer(token));
    expect([response.status, codes(rig), rig.journal.calls]).toEqual([
      401,
      ['IDENTITY_UNPROVED'],
      [],
    ]);
    expect(rig.parts.log.lines.map(({ fields }) => fields?.['detail'])).toEqual([
      'the claim `act` is no object',
    ]);
  });

  test('a session belongs to whom the token names', async () => {
    const rig = await guardedByTokens(line, { sessions: true });
    const alice = bearer(await tokenFor(rig));
    const bob = await rig.issuer.token({
      client_id: CLIENT_ID,
      resource: rig.url,
      scopes: ['payments'],
      user: 'bob',
    });
    const begun = await post(rig.url, INITIALIZE, alice);
    await begun.text();
    const session = { 'mcp-session-id': begun.headers.get('mcp-session-id') ?? '' };
    expect((await post(rig.url, callOf('balance'), { ...alice, ...session })).status).toBe(200);
    expect((await post(rig.url, callOf('balance'), { ...bearer(bob), ...session })).status).toBe(
      404,
    );
    expect((await post(rig.url, callOf('balance'), { ...session, authorization: '' })).status).toBe(
      401,
    );
  });

  test('demands a stronger login by a challenge, and says so in the message too', async () => {
    const rig = await guardedByTokens(line);
    const response = await post(rig.url, TRANSFER, bearer(await tokenFor(rig)));
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="payments payments:high", acr_values="high", ' +
        `resource_metadata="${metadataOf(rig.url)}"`,
    ]);
    expect(await response.json()).toMatchObject({
      id: 1,
      result: {
        isError: true,
        _meta: { [EXTENSION]: { reason_code: 'STEP_UP_REQUIRED', retry: 'with_step_up' } },
      },
    });
    expect(rig.journal.calls).toEqual([]);
    const strong = bearer(await tokenFor(rig, { acr: 'high' }));
    expect((await post(rig.url, TRANSFER, strong)).status).toBe(200);
    expect(rig.journal.calls).toHaveLength(1);
  });

  test('demands none for what the caller may not know of', async () => {
    const obligations = [{ type: 'step_up' as const, acr: 'high' }];
    const rig = await guardedByTokens(line, {
      script: { decide: () => ({ ...hide(), context: { ...hide().context, obligations } }) },
    });
    const response = await post(rig.url, TRANSFER, bearer(await tokenFor(rig)));
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([200, null]);
  });

  test('demands one where the session is too weak for what is denied', async () => {
    const script = { decide: () => deny() };
    const rig = await guardedByTokens(line, { script });
    const mapped: IdentitySource = () => ({ ...ALICE, session: { state: 'step_up' } });
    const own = await guardedByTokens(line, { script, mapped });
    for (const [each, status] of [
      [rig, 200],
      [own, 403],
    ] as const) {
      const response = await post(each.url, TRANSFER, bearer(await tokenFor(each)));
      expect(response.status).toBe(status);
    }
  });

  test('lets what is not asked for a stronger login pass as it came', async () => {
    const rig = await guardedByTokens(line);
    const token = bearer(await tokenFor(rig));
    const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect(await post(rig.url, list, token).then(messageOf)).toMatchObject({
      result: { tools: expect.any(Array) },
    });
    const told = { jsonrpc: '2.0', method: 'notifications/initialized' };
    expect((await post(rig.url, told, token)).status).toBe(202);
  });
});

test('a modern request is asked for a stronger login too', async () => {
  const rig = await guardedByTokens(2);
  const token = bearer(await tokenFor(rig));
  const params = { name: 'transfer', arguments: { amount: 1, to: 'a-2' } };
  const response = await postModern(rig.url, 'tools/call', params, token, ENVELOPE);
  expect([response.status, rig.journal.calls]).toEqual([403, []]);
});
