/**
 * What a policy server is sent: the input, by a bearer, with no secret and no argument too many.
 */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { readForeignUrl } from '../../../src/decision/foreign/client.ts';
import { watchedToken } from '../../../src/cli/secrets.ts';
import { CALLER, callOf, codeOf, contextOf } from '../../support/decisions.ts';
import { liar, sceneAt, servers } from './fixture.ts';

afterEach(() => servers.close());

const ARGUMENTS = {
  amount: 5,
  to: { iban: 'DE1', note: 'canary-of-the-note' },
  password: 'canary',
};

function tokenFile(text: string): string {
  const path = join(servers.folder(), 'token');
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

describe('a policy server is sent', () => {
  test('the input of a compiled policy, as OPA takes it', async () => {
    const server = await liar();
    const { core } = await sceneAt('opa', { url: server.url });
    await core.evaluation(callOf(), CALLER);
    expect(server.got).toMatchObject([
      {
        method: 'POST',
        path: '/v1/data/suite/decision?provenance=true&strict-builtin-errors=true',
        headers: { 'content-type': 'application/json', 'x-request-id': expect.any(String) },
        body: {
          input: {
            subject: { id: 'user:alice@example.com', properties: { groups: ['tellers'] } },
            action: { name: 'tools/call' },
            resource: { id: 'transfer' },
            context: { profile: 'mcp/1', phase: 'call', time: expect.any(String) },
          },
        },
      },
    ]);
    expect(server.got[0]?.headers).not.toHaveProperty('authorization');
  });

  test('our request with the groups as roles, as AuthZEN has it', async () => {
    const server = await liar();
    const { core } = await sceneAt('authzen', { url: server.url, roles_member: 'example.roles' });
    await core.evaluation(callOf(), CALLER);
    const [call] = server.got;
    expect(call).toMatchObject({ method: 'POST', path: '/access/v1/evaluation' });
    expect(call?.body).toMatchObject({
      subject: {
        type: 'identity',
        properties: { groups: ['tellers'], 'example.roles': ['tellers'], actor_type: 'human' },
      },
      action: { name: 'tools/call' },
      context: { profile: 'mcp/1' },
    });
  });

  test('[E-18] no arguments but those that the settings name', async () => {
    const server = await liar();
    const named = {
      arguments: ['tool:payments/transfer /amount', 'tool:payments/transfer /to/iban'],
    };
    for (const backend of ['opa', 'authzen'] as const) {
      for (const remote of [{}, named]) {
        const { core } = await sceneAt(backend, { url: server.url, ...remote });
        const { digest } = core.status().arguments_projection ?? {};
        const context = { arguments: ARGUMENTS, arguments_projection: String(digest) };
        expect(contextOf(await core.evaluation(callOf(context), CALLER)).outcome).toBe('allow');
      }
    }
    const args = server.got.map(({ body }) => (body.input ?? body).context.arguments);
    const part = { amount: 5, to: { iban: 'DE1' } };
    expect(args).toEqual([{}, part, {}, part]);
    expect(JSON.stringify(server.got)).not.toContain('canary');
  });

  test('a call that follows another projection is not allowed', async () => {
    const server = await liar();
    const { core } = await sceneAt('opa', { url: server.url, arguments: ['*'] });
    const stale = { arguments: ARGUMENTS, arguments_projection: `sha256:${'0'.repeat(64)}` };
    expect(contextOf(await core.evaluation(callOf(stale), CALLER))).toMatchObject({
      outcome: 'deny',
      reason_code: 'ARGUMENTS_INCOMPLETE',
    });
  });

  test('no more than the limit of an input', async () => {
    const server = await liar();
    const evaluation = { input_bytes_max: 1024 } as never;
    const { core } = await sceneAt('opa', { url: server.url, arguments: ['*'] }, { evaluation });
    const { digest } = core.status().arguments_projection ?? {};
    const context = { arguments: { x: 'y'.repeat(1024) }, arguments_projection: String(digest) };
    expect(await codeOf(core.evaluation(callOf(context), CALLER))).toBe('REQUEST_TOO_LARGE');
    expect(server.got).toEqual([]);
  });

  test('the token of a private file, and nothing where it is gone or another', async () => {
    const server = await liar();
    const token_file = tokenFile('one-token\n');
    const { core, log, records } = await sceneAt('authzen', {
      url: server.url,
      token_file,
      silence_ms_max: 60_000,
    });
    const ask = () => core.evaluation(callOf(), CALLER);
    await ask();
    expect(server.got[0]?.headers.authorization).toBe('Bearer one-token');
    rmSync(token_file);
    while ((await codeOf(ask())) !== 'BACKEND_UNREACHABLE');
    writeFileSync(token_file, 'two-token', { mode: 0o600 });
    while ((await codeOf(ask())) !== 'no error');
    expect(server.got.at(-1)?.headers.authorization).toBe('Bearer two-token');
    expect(JSON.stringify([log, await records()])).not.toContain('-token');
  });

  test.each([
    ['of others too', (path: string) => chmodSync(path, 0o644), 'is open to others'],
    ['that is absent', (path: string) => rmSync(path), 'does not exist'],
    ['of two lines', (path: string) => writeFileSync(path, 'a\nb'), 'must hold one token'],
    ['that is empty', (path: string) => writeFileSync(path, ' \n'), 'must hold one token'],
  ])('nothing at all with a token file %s', (_what, spoil, why) => {
    const path = tokenFile('token');
    spoil(path);
    expect(() => watchedToken(path, { now_ms: () => 0 })).toThrow(why);
  });
});

describe('the address of a policy server', () => {
  test.each([
    ['https://pdp.example.com', { origin: 'https://pdp.example.com', base: '' }],
    ['https://pdp.example.com/tenant/', { origin: 'https://pdp.example.com', base: '/tenant' }],
    ['http://127.0.0.1:8181', { origin: 'http://127.0.0.1:8181', base: '' }],
    ['http://[::1]:8181/opa', { origin: 'http://[::1]:8181', base: '/opa' }],
    ['http://localhost:8181', { origin: 'http://localhost:8181', base: '' }],
  ])('may be %s', (url, expected) => {
    expect(readForeignUrl(url)).toEqual(expected);
  });

  test.each([
    'http://pdp.example.com',
    'http://127.0.0.1.example.com',
    'http://10.0.0.1:8181',
    'https://user:secret@pdp.example.com',
    'https://pdp.example.com/?tenant=1',
    'https://pdp.example.com/#x',
    'ftp://127.0.0.1',
    'pdp.example.com',
    '',
  ])('may not be %j', (url) => {
    expect(() => readForeignUrl(url)).toThrow(
      expect.objectContaining({ pointer: '/policy/remote/url' }),
    );
  });
});
