/**
 * What is published: the tarball, installed in an empty folder, gives one decision and guards one
 * server. In a clone the sources run, so only this test sees what the compiler made of them.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ERRORS } from '../../src/errors.ts';

const TOP = fileURLToPath(new URL('../../', import.meta.url));
const { devDependencies } = JSON.parse(readFileSync(join(TOP, 'package.json'), 'utf8')) as {
  devDependencies: Record<string, string>;
};
const SDK = `@modelcontextprotocol/sdk@${devDependencies['@modelcontextprotocol/sdk']}`;

/** The folder of somebody who installs the package. */
const folder = mkdtempSync(join(tmpdir(), 'portcullis-package-'));
const installed = join(folder, 'node_modules/portcullis');
let packed: string[];

/** Somebody's server, guarded by the one line that the README shows. */
const SERVER = `
  import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
  import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
  import { guard } from 'portcullis';
  import { z } from 'zod';

  const server = new McpServer({ name: 'payments', version: '1.0.0' });
  const answer = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
  server.registerTool('balance', { inputSchema: { account: z.string() } }, ({ account }) =>
    answer({ account, balance: 100 }));
  server.registerTool('reset_sandbox', {}, () => answer({ reset: true }));
  await guard(server).connect(new StdioServerTransport());
`;

const CONSUMER = `
  import { guard, PortcullisError, type ErrorCode } from 'portcullis';
  export const code: ErrorCode = new PortcullisError('POLICY_ABSENT', 'none').code;
  export const close: Promise<void> = guard.close();
`;

function npm(cwd: string, ...args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The JSON that a service prints when it is ready; it goes on running. */
async function printedJson<T>(service: ChildProcess): Promise<T> {
  let text = '';
  for await (const line of createInterface({ input: service.stdout! })) {
    text += line;
    if (line === '}') return JSON.parse(text) as T;
  }
  throw new Error(`the service ended: ${text}`);
}

beforeAll(() => {
  const [answer] = JSON.parse(npm(TOP, 'pack', '--json', '--pack-destination', folder)) as [
    { filename: string; files: { path: string }[] },
  ];
  packed = answer.files.map(({ path }) => path);
  writeFileSync(join(folder, 'package.json'), '{"type": "module", "private": true}');
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
  npm(folder, 'install', ...quiet, `./${answer.filename}`, SDK);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the tarball', () => {
  test('holds what runs and what says what it is, and no source', () => {
    const tops = new Set(packed.map((path) => path.replace(/\/.*/, '')));
    const texts = ['CONTRIBUTING.md', 'LICENSE', 'README.md', 'docs', 'examples'];
    const parts = ['bin', 'bundles', 'dist', 'package.json', 'policies'];
    expect(tops).toEqual(new Set([...texts, ...parts]));
    expect(packed.filter((path) => /(?<!\.d)\.ts$/.test(path))).toEqual([]);
  });

  test('every file that its pages lead to is there', () => {
    const pages = packed.filter((path) => path.endsWith('.md'));
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/configuration.md']));
    const links = pages.flatMap((page) => {
      const text = readFileSync(join(installed, page), 'utf8');
      const named = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
      return named
        .filter((link) => !/^[a-z]+:/.test(link))
        .map((link) => join(dirname(page), link));
    });
    expect(links).toEqual(expect.arrayContaining(['docs/rules.md', 'examples/policies']));
    expect(links.filter((link) => !existsSync(join(installed, link)))).toEqual([]);
  });

  test('holds every page that a remedy names', () => {
    const named = Object.values(ERRORS).flatMap(
      ({ remedy }) => remedy.match(/docs\/\w+\.md/g) ?? [],
    );
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((page) => !packed.includes(page))).toEqual([]);
  });

  test('every module that its code names is there', () => {
    const lost = packed
      .filter((path) => path.startsWith('dist/') && path.endsWith('.js'))
      .flatMap((path) => {
        const text = readFileSync(join(installed, path), 'utf8');
        const named = [...text.matchAll(/(?:from |import\(?|new URL\()\s*['"](\.[^'"]+)['"]/g)];
        return named
          .map(([, name = '']) => join(dirname(path), name))
          .filter((file) => !existsSync(join(installed, file)))
          .map((file) => `${path} names ${file}`);
      });
    expect(lost).toEqual([]);
  });

  test('brings no second Node', () => {
    const names = readdirSync(join(folder, 'node_modules'));
    expect(names.filter((name) => name.startsWith('node-linux'))).toEqual([]);
  });
});

test('what it exports can be imported and has its types', () => {
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2024', '--lib', 'es2024'];
  const types = ['--types', 'node', '--typeRoots', join(TOP, 'node_modules/@types')];
  const tsc = join(TOP, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '--noEmit', ...options, ...types, 'consumer.ts'], {
    cwd: folder,
  });
});

describe('a decision service from the package', () => {
  let service: ChildProcess;
  let addresses: { url: string; socket: string; token_file: string };

  beforeAll(async () => {
    const bundle = join(installed, 'bundles/payments.tar.gz');
    const args = [
      'serve',
      '--bundle',
      bundle,
      '--data',
      'state',
      '--listen',
      '127.0.0.1:0',
      '--json',
    ];
    service = spawn(process.execPath, [join(folder, 'node_modules/.bin/portcullis'), ...args], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    addresses = await printedJson(service);
  });

  afterAll(async () => {
    const ended = once(service, 'exit');
    service.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  /** Asks whether alice, a teller, may see a balance; or who else is named. */
  async function ask(id: string, groups: string[]): Promise<unknown> {
    const { tokens } = JSON.parse(readFileSync(addresses.token_file, 'utf8')) as {
      tokens: { token: string }[];
    };
    const response = await fetch(`${addresses.url}/access/v1/evaluation`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens[0]?.token}` },
      body: JSON.stringify({
        subject: { type: 'identity', id, properties: { actor_type: 'human', groups } },
        action: { name: 'tools/call' },
        resource: { type: 'tool', id: 'balance', properties: { server: 'payments' } },
        context: {
          profile: 'mcp/1',
          phase: 'call',
          agent: { id: 'cid-teller-desk', verified: true },
          surface: 'branch',
          environment: { deployment: 'production' },
          session: { state: 'active' },
          arguments: { account: 'acc-1' },
        },
      }),
    });
    return response.json();
  }

  test('decides', async () => {
    expect(await ask('user:alice@example.com', ['tellers'])).toMatchObject({ decision: true });
    expect(await ask('user:mallory@example.com', [])).toMatchObject({ decision: false });
  });

  test('guards a server', async () => {
    mkdirSync(join(folder, 'server'));
    writeFileSync(join(folder, 'server/server.js'), SERVER);
    const settings = {
      state: join(folder, 'guard_state'),
      decision_point: { socket: addresses.socket },
      guard: {
        server: 'payments',
        environment: { deployment: 'production' },
        surface: 'branch',
        subject: { id: 'user:alice@example.com', actor_type: 'human', groups: ['tellers'] },
        agent: { id: 'cid-teller-desk' },
      },
    };
    writeFileSync(join(folder, 'server/portcullis.yaml'), JSON.stringify(settings));
    const client = new Client({ name: 'test', version: '1.0.0' });
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: ['server.js'],
      cwd: join(folder, 'server'),
    });
    await client.connect(transport);
    try {
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(['balance']);
      expect(await client.callTool({ name: 'balance', arguments: { account: 'a' } })).toMatchObject(
        {
          content: [{ type: 'text', text: '{"account":"a","balance":100}' }],
        },
      );
      const hidden = await client.callTool({ name: 'reset_sandbox', arguments: {} }).catch(String);
      const absent = await client.callTool({ name: 'absent', arguments: {} }).catch(String);
      expect(JSON.stringify(hidden)).toBe(
        JSON.stringify(absent).replace('absent', 'reset_sandbox'),
      );
    } finally {
      await client.close();
    }
  });
});
