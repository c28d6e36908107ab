/** `portcullis wrap --upstream` as a process: its door, its token, and whom it is known by. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { closeAll, dualEra, serve } from '../gateway/support/http.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { readAll } from '../support/evidence_log.ts';
import { run } from './fixture.ts';
import { Host, policyOf, wrapArguments } from './wrap_fixture.ts';

let folder: ReturnType<typeof privateFolder>;
const hosts: Host[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const host of hosts.splice(0)) {
    host.process.kill('SIGKILL');
    await host.exited;
  }
  await closeAll();
  folder.remove();
});

const own = () => wrapArguments(folder.path, policyOf({ balance: {} }, 'payments'), 'payments');

async function start(
  upstream: string,
  ...argv: string[]
): Promise<{ url: URL; token: string; file: string; host: Host }> {
  const options = ['--upstream', upstream, '--listen', '127.0.0.1:0', ...argv];
  const host = new Host([...own(), ...options], { UPSTREAM_PROOF: 'Bearer of-the-wrapper' });
  hosts.push(host);
  const line = await host.line();
  const [, url = '', file = ''] = /^guards \S+ on (\S+), token in (\S+)$/.exec(line) ?? [];
  const { tokens } = JSON.parse(readFileSync(file, 'utf8')) as { tokens: { token: string }[] };
  return { url: new URL(url), token: tokens[0]?.token ?? '', file, host };
}

test('[E-17, X-10] a client with the token has what policy allows, and no other', async () => {
  const upstream = await serve(dualEra());
  const proof = ['--upstream-header-env', 'Authorization=UPSTREAM_PROOF'];
  const { url, token, file, host } = await start(upstream.url, ...proof);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const client = new Client({ name: 'c', version: '1' });
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['balance']);
  expect(await client.callTool({ name: 'balance' })).toMatchObject({
    structuredContent: { amount: 12 },
  });
  await expect(client.callTool({ name: 'transfer' })).rejects.toThrow('Tool transfer not found');
  await client.close();
  const sent = upstream.heard.map(({ headers }) => headers.authorization);
  expect(new Set(sent)).toEqual(new Set(['Bearer of-the-wrapper']));
  for (const authorization of ['', 'Bearer wrong', `Basic ${token}`]) {
    expect((await fetch(url, { method: 'POST', headers: { authorization } })).status).toBe(401);
  }
  host.process.kill('SIGTERM');
  expect(await host.exited).toBe(0);
});

test('how often somebody was turned away is on record when it stops', async () => {
  const upstream = await serve(dualEra());
  const { url, host } = await start(upstream.url);
  const headers = { authorization: 'Bearer wrong' };
  for (let times = 0; times < 4; times += 1) {
    expect((await fetch(url, { method: 'POST', headers })).status).toBe(401);
  }
  host.process.kill('SIGTERM');
  expect(await host.exited).toBe(0);
  const failures = (await readAll(join(folder.path, 'state', 'evidence'))).filter(
    ({ kind }) => kind === 'actor_failure',
  );
  const told = { source: 'token', reason_code: 'TOKEN_UNKNOWN' };
  expect(failures).toMatchObject([told, { ...told, repeats: 3 }]);
});

test.each<[string, string[], RegExp]>([
  [
    'a URL and a command',
    ['--upstream', 'http://127.0.0.1:1', '--', 'true'],
    /cannot both be given/,
  ],
  ['a URL with a password', ['--upstream', 'http://a:b@127.0.0.1:1'], /`wrap.upstream`/],
  ['a URL of another kind', ['--upstream', 'ftp://127.0.0.1'], /`wrap.upstream`/],
  [
    'a header without its variable',
    ['--upstream', 'http://127.0.0.1:1', '--upstream-header-env', 'Authorization=NO_SUCH_VARIABLE'],
    /the variable `NO_SUCH_VARIABLE` holds no value of a header/,
  ],
  [
    "a header of the protocol's own",
    ['--upstream', 'http://127.0.0.1:1', '--upstream-header-env', 'Mcp-Session-Id=PATH'],
    /the header `Mcp-Session-Id` is the protocol's own/,
  ],
])('with %s it does not start', async (_what, argv, text) => {
  const { code, stdout, stderr } = await run(...own(), ...argv);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(text);
});
