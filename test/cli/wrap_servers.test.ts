/**
 * Servers that somebody else wrote and nobody changed, wrapped, before clients that nobody here
 * wrote either.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { privateFolder } from '../pdp/fixture.ts';
import { Host, policyOf, PORTCULLIS, ROOT, VARIABLES, wrapArguments } from './wrap_fixture.ts';

const packages = createRequire(import.meta.url);
const fileOf = (name: string, file: string): string =>
  join(dirname(packages.resolve(`@modelcontextprotocol/${name}/package.json`)), file);
const serverOf = (name: string): string[] => [process.execPath, fileOf(name, 'dist/index.js')];

let folder: ReturnType<typeof privateFolder>;
let shared: string;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
  shared = join(folder.path, 'shared');
  for (const each of ['public', 'private']) {
    mkdirSync(join(shared, each), { recursive: true });
    writeFileSync(join(shared, each, 'a.txt'), `this is ${each}`);
  }
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  folder.remove();
});

/** What the example policy for this server says, with this folder in the place of its own. */
function files(): string[] {
  const within = { '/path': { path_under: join(shared, 'public') } };
  const policy = policyOf({ read_text_file: { within }, list_directory: { within } }, 'files');
  return wrapArguments(folder.path, policy, 'files');
}

/** What `npx` runs, by its name, as a user would. */
const NPX = ['npx', '--no-install', '@modelcontextprotocol/server-filesystem'];

interface Inspected {
  code: number;
  stdout: string;
  stderr: string;
}

function inspect(...argv: string[]): Promise<Inspected> {
  const inspector = fileOf('inspector', 'clients/launcher/build/index.js');
  const variables = Object.entries(VARIABLES).flatMap(([name, value]) => [
    '-e',
    `${name}=${value}`,
  ]);
  const wrap = [process.execPath, PORTCULLIS, ...files(), '--', ...NPX, shared];
  const args = [inspector, '--cli', ...variables, ...argv, '--', ...wrap];
  const env = { ...process.env, MCP_INSPECTOR_SECRET_STORE: 'memory' };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env, cwd: ROOT }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

const calling = (tool: string, path: string) =>
  inspect('--method', 'tools/call', '--tool-name', tool, '--tool-arg', `path=${path}`);

describe('the inspector, before server-filesystem', () => {
  test('lists only what is granted', async () => {
    const { code, stdout, stderr } = await inspect('--method', 'tools/list');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const { tools } = JSON.parse(stdout) as { tools: { name: string }[] };
    expect(tools.map(({ name }) => name)).toEqual(['read_text_file', 'list_directory']);
  }, 60_000);

  test('cannot tell what is hidden from what is not there', async () => {
    const hidden = await calling('write_file', shared);
    const absent = await calling('no_such_tool', shared);
    const said = ({ stdout, stderr }: Inspected, tool: string) =>
      (stdout + stderr).replaceAll(tool, 'TOOL');
    expect(hidden.code).toBe(5);
    expect(said(hidden, 'write_file')).toContain('TOOL');
    expect(said(hidden, 'write_file')).toBe(said(absent, 'no_such_tool'));
  }, 60_000);

  test('[X-10] reads inside the path condition, and not outside', async () => {
    const inside = await calling('read_text_file', join(shared, 'public', 'a.txt'));
    expect(inside.stdout).toContain('this is public');
    for (const path of [join(shared, 'private', 'a.txt'), `${shared}/public/../private/a.txt`]) {
      const { code, stdout } = await calling('read_text_file', path);
      expect(code).toBe(5);
      expect(stdout).toContain('POLICY_DENIED');
      expect(stdout).not.toContain('this is private');
    }
  }, 60_000);
});

type Told = { isError?: boolean; content: { text: string }[] };

/** What a client makes of the wrapped server. */
async function story(client: Pick<Client2, 'listTools' | 'callTool'>): Promise<unknown[]> {
  const call = async (name: string, path: string): Promise<unknown> => {
    try {
      const told = (await client.callTool({ name, arguments: { path } })) as Told;
      return [told.isError, told.content[0]?.text];
    } catch (error) {
      return (error as Error).message.replace(/^MCP error -32602: /, '');
    }
  };
  return [
    (await client.listTools()).tools.map(({ name }) => name),
    await call('read_text_file', join(shared, 'public', 'a.txt')),
    await call('read_text_file', join(shared, 'private', 'a.txt')),
    await call('write_file', join(shared, 'public', 'a.txt')),
    await call('no_such_tool', shared),
  ];
}

const TOLD = [
  ['read_text_file', 'list_directory'],
  [undefined, 'this is public'],
  [true, 'The server policy does not allow this operation.'],
  'Tool write_file not found',
  'Tool no_such_tool not found',
];

const command = (
  wrap: readonly string[] = files(),
  server: readonly string[] = [...serverOf('server-filesystem'), shared],
) => ({
  command: process.execPath,
  args: [PORTCULLIS, ...wrap, '--', ...server],
  env: { PATH: process.env.PATH ?? '', ...VARIABLES },
  cwd: ROOT,
  stderr: 'ignore' as const,
});

test('the 1.x client works with a wrapped server', async () => {
  const client = new Client1({ name: 'c', version: '1' });
  opened.push(client);
  await client.connect(new Stdio1(command()));
  expect(await story(client as never)).toEqual(TOLD);
});

/** A server of the legacy era says so to a client that also speaks the modern one. */
test.each(['legacy', 'auto'] as const)('the 2.x client, %s, works with it too', async (mode) => {
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  opened.push(client);
  await client.connect(new Stdio2(command()));
  expect(await story(client)).toEqual(TOLD);
});

test('a client of the modern era is told that a legacy server does not know it', async () => {
  const mode = { pin: '2026-07-28' } as const;
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  opened.push(client);
  await expect(client.connect(new Stdio2(command()))).rejects.toThrow(/2026-07-28/);
});

test('[E-19] a server that decides by itself behind the wrapper may still refuse', async () => {
  const within = { '/path': { path_under: join(shared, 'public') } };
  const inner = join(folder.path, 'inner');
  mkdirSync(inner, { mode: 0o700 });
  const narrow = policyOf({ read_text_file: { within } }, 'files');
  const wide = policyOf({ read_text_file: {}, write_file: {} }, 'files');
  const behind = [
    ...[process.execPath, PORTCULLIS, ...wrapArguments(inner, narrow, 'files')],
    ...['--', ...serverOf('server-filesystem'), shared],
  ];
  writeFileSync(join(folder.path, 'portcullis.yaml'), 'guard: {environment: {deployment: local}}');
  const before = command(wrapArguments(folder.path, wide, 'files'), behind);
  const client = new Client2({ name: 'c', version: '1' });
  opened.push(client);
  await client.connect(new Stdio2({ ...before, cwd: folder.path }));
  const reading = (each: string) =>
    client.callTool({ name: 'read_text_file', arguments: { path: join(shared, each, 'a.txt') } });
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['read_text_file']);
  expect(JSON.stringify(await reading('public'))).toContain('this is public');
  expect(await reading('private')).toMatchObject({ isError: true });
  await expect(client.callTool({ name: 'write_file' })).rejects.toThrow('write_file not found');
});

test('a client of the legacy era is told that a modern server does not know it', async () => {
  const server = join(import.meta.dirname, 'dual_era_server_process.ts');
  const client = new Client1({ name: 'c', version: '1' });
  opened.push(client);
  const transport = new Stdio1(command(files(), [process.execPath, server, 'modern']));
  await expect(client.connect(transport)).rejects.toThrow(/version/i);
});

test.each([
  ['legacy', 'legacy'],
  ['auto', 'modern'],
  [{ pin: '2026-07-28' }, 'modern'],
] as const)('a client and a server of both eras meet in one, %j', async (mode, era) => {
  const own = wrapArguments(folder.path, policyOf({ balance: {} }, 'payments'), 'payments');
  const server = [process.execPath, join(import.meta.dirname, 'dual_era_server_process.ts')];
  const client = new Client2({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  opened.push(client);
  await client.connect(new Stdio2(command(own, server)));
  expect(client.getProtocolEra()).toBe(era);
  expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(['balance']);
  expect(await client.callTool({ name: 'balance' })).toMatchObject({
    structuredContent: { amount: 12 },
  });
  await expect(client.callTool({ name: 'secret' })).rejects.toThrow('Tool secret not found');
});

test.each([
  ['server-memory', 'read_graph', { entities: [], relations: [] }],
  ['server-everything', 'get-sum', undefined],
])('%s is wrapped, and its hidden tools are unknown', async (name, granted, structured) => {
  const own = wrapArguments(folder.path, policyOf({ [granted]: {} }, 'other'), 'other');
  const variables = { MEMORY_FILE_PATH: join(folder.path, 'memory.json') };
  const options = ['--env', 'MEMORY_FILE_PATH'];
  const host = new Host([...own, ...options, '--', ...serverOf(name)], variables);
  opened.push({ close: () => host.process.kill('SIGKILL') });
  await host.greet();
  host.say({ method: 'notifications/initialized' });
  const listed = await host.ask(1, 'tools/list');
  expect(listed.result?.['tools']).toMatchObject([{ name: granted }]);
  const args = { a: 1, b: 2 };
  const allowed = await host.ask(2, 'tools/call', { name: granted, arguments: args });
  expect(allowed.result?.['isError']).toBeUndefined();
  expect(allowed.result?.['structuredContent']).toEqual(structured);
  const answers = ['create_entities', 'echo', 'absent'].map(async (tool) => {
    const { error } = await host.ask(tool, 'tools/call', { name: tool, arguments: {} });
    return JSON.stringify(error).replace(tool, 'NAME');
  });
  const unknown = JSON.stringify({ code: -32602, message: 'Tool NAME not found' });
  expect(await Promise.all(answers)).toEqual([unknown, unknown, unknown]);
  host.process.stdin.end();
  expect(await host.exited).toBe(0);
});
