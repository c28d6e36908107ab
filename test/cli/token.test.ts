/** Tokens made and revoked by the command, beside a service that runs. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { keysOf } from '../../src/contract/proof.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder, send } from '../pdp/fixture.ts';
import { remote } from '../decision/remote/fixture.ts';
import { run, serve, type Serving } from './fixture.ts';

const BUNDLE = fileURLToPath(new URL('../../bundles/payments.tar.gz', import.meta.url));

let folder: ReturnType<typeof privateFolder>;
let service: Serving | undefined;
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  await service?.stop('SIGKILL');
  service = undefined;
  folder.remove();
});

const state = (): string => join(folder.path, 'state');
const token = (name: string, ...argv: string[]) => run('token', name, '--data', state(), ...argv);

async function started(): Promise<Serving> {
  service = await serve('--bundle', BUNDLE, '--data', state(), '--listen', '127.0.0.1:0');
  return service;
}

async function status({ url }: Serving, sent: string): Promise<number> {
  const headers = { authorization: `Bearer ${sent}` };
  return (await send(url, '/v1/status', { method: 'GET', headers })).status;
}

/** Asks until the answer is so: the service looks at the file once a second. */
async function becomes(serving: Serving, sent: string, wanted: number): Promise<void> {
  while ((await status(serving, sent)) !== wanted);
}

test('what add prints is a token file, and is taken until it is revoked', async () => {
  const serving = await started();
  const added = await token('add', '--id', 'desk', '--scopes', 'decide', '--json');
  expect(added).toMatchObject({ code: 0, stderr: '' });
  const file = join(folder.path, 'desk');
  writeFileSync(file, added.stdout);
  chmodSync(file, 0o600);
  const [made] = readTokens(file);
  expect(made).toEqual({ id: 'desk', token: made!.token, scopes: ['decide'] });
  await becomes(serving, made!.token, 200);
  const held = { id: 'desk', ...keysOf(made!.token) };
  const address = { url: serving.url, token: () => held };
  const point = remote({ url: serving.url }, { address, timeout_ms: 10_000 });
  expect((await point.describe()).ready).toBe(true);
  await point.close();
  expect(await token('revoke', '--id', 'desk')).toMatchObject({ code: 0 });
  await becomes(serving, made!.token, 401);
});

test('nothing but the file of its holder has the token', async () => {
  const serving = await started();
  const [made] = readTokens(serving.token_file);
  const { stdout } = await token('add', '--id', 'desk', '--scopes', 'decide,attest:actor');
  await becomes(serving, stdout.trim(), 200);
  const listed = await token('list');
  expect(listed.stdout).toContain('desk decide, attest:actor\n');
  const places = readdirSync(state(), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'token')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  expect(places.length).toBeGreaterThan(1);
  const everything = [...places, listed.stdout, serving.stderr()].join('\n');
  for (const secret of [made!.token, stdout.trim()]) expect(everything).not.toContain(secret);
});

test('a bound token is listed with its bounds', async () => {
  const bounds = ['--tenants', 'acme,globex', '--expires', '2030-01-01T00:00:00Z'];
  await token('add', '--id', 'desk', '--scopes', 'decide', ...bounds);
  const { stdout } = await token('list', '--json');
  expect(JSON.parse(stdout)).toEqual({
    tokens: [
      {
        id: 'desk',
        scopes: ['decide'],
        tenants: ['acme', 'globex'],
        expires: '2030-01-01T00:00:00Z',
      },
    ],
  });
  expect((await token('list')).stdout).toBe(
    'desk decide for acme, globex until 2030-01-01T00:00:00Z\n',
  );
});

test('a token that was made before the service is the only one', async () => {
  const { stdout } = await token('add', '--id', 'desk', '--scopes', 'decide');
  const serving = await started();
  expect(serving.token_file).toBeNull();
  expect(existsSync(join(state(), 'token'))).toBe(false);
  expect(await status(serving, stdout.trim())).toBe(200);
});

test.each([
  [['--id', 'a b', '--scopes', 'decide'], 'such a token cannot be kept: at `/tokens/0/id`'],
  [['--id', 'a', '--scopes', 'all'], 'a scope is one of decide, attest:actor'],
  [['--id', 'a', '--scopes', 'decide', '--expires', 'soon'], 'at `/tokens/0/expires`'],
  [['--id', 'a', '--scopes', 'decide', '--tenants', 'x,'], 'at `/tokens/0/tenants/1`'],
])('add %j is a mistake of the caller', async (argv, message) => {
  const added = await token('add', ...argv);
  expect([added.code, added.stdout]).toEqual([2, '']);
  expect(added.stderr).toContain(`ARGUMENT_INVALID: `);
  expect(added.stderr).toContain(message);
  expect(existsSync(join(state(), 'token_hashes.json'))).toBe(false);
});

test('an id is given once, and revoking nothing is told', async () => {
  await token('add', '--id', 'desk', '--scopes', 'decide');
  const again = await token('add', '--id', 'desk', '--scopes', 'search');
  expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('`desk` already')]);
  expect(await token('revoke', '--id', 'other', '--json')).toMatchObject({
    code: 1,
    stdout: '{\n  "revoked": false\n}\n',
  });
});
