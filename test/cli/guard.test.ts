/** The example server, guarded by its one line, as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { loadConfiguration } from '../../src/config/load.ts';
import { openGuard } from '../../src/cli/guard.ts';
import { ERRORS } from '../../src/errors.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { serve, type Serving } from './fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = join(ROOT, 'bundles', 'payments.tar.gz');
const SOURCE = '--conditions=portcullis-source';

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

const TELLER = {
  // Longer than by default, because a machine that runs tests beside each other is a busy one.
  PORTCULLIS_DECISION_POINT_TIMEOUT_MS: '20000',
  PORTCULLIS_GUARD_SERVER: 'payments',
  PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
  PORTCULLIS_GUARD_SUBJECT_ID: 'user:alice@example.com',
  PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'human',
  PORTCULLIS_GUARD_SUBJECT_GROUPS: 'tellers',
};

const EMBEDDED = {
  PORTCULLIS_DECISION_POINT_EMBEDDED: 'true',
  PORTCULLIS_POLICY_BUNDLE: BUNDLE,
};

function environment(variables: Record<string, string>): Record<string, string> {
  const home = { PATH: process.env.PATH ?? '', XDG_STATE_HOME: folder.path };
  return { ...home, ...variables };
}

function example(file: string): string {
  return join(ROOT, 'examples', 'payments-server', file);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

interface Guarded {
  client: Client;
  stderr(): string;
}

async function connect(variables: Record<string, string>): Promise<Guarded> {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [SOURCE, example('main.ts')],
    env: environment(variables),
    cwd: folder.path,
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const client = new Client({ name: 'test', version: '1.0.0' });
  opened.push(client);
  await client.connect(transport);
  return { client, stderr: () => stderr };
}

async function toolsOf(client: Client): Promise<string[]> {
  return (await client.listTools()).tools.map(({ name }) => name);
}

const TRANSFER = {
  name: 'transfer',
  arguments: { from: 'acc-1', to: 'acc-2', amount: 10_001, currency: 'EUR' },
};

/** What the guard says of a refused call. */
async function refusalOf(client: Client): Promise<unknown> {
  const { isError, _meta } = await client.callTool(TRANSFER);
  return isError && Object.values(_meta ?? {}).find((each) => Object(each).reason_code);
}

async function service(...argv: string[]): Promise<Serving> {
  const serving = await serve(
    ...['--bundle', BUNDLE, '--data', join(folder.path, 'pdp'), '--listen', '127.0.0.1:0'],
    ...argv,
  );
  opened.push({ close: () => serving.child.exitCode === null && serving.stop('SIGKILL') });
  return serving;
}

const TELLER_TOOLS = ['balance', 'transfer', 'customer'];

/** One session with the guarded server; what names this very request is left out. */
async function sessionOf({ client }: Guarded): Promise<object> {
  const call = (name: string, args: object) => client.callTool({ name, arguments: { ...args } });
  const small = { ...TRANSFER.arguments, amount: 10 };
  const answers = {
    tools: (await client.listTools()).tools,
    balance: await call('balance', { account: 'acc-1' }),
    customer: await call('customer', { id: 'c-1' }),
    transferred: await call('transfer', small),
    after: await call('balance', { account: 'acc-1' }),
    needs_approval: await call('transfer', TRANSFER.arguments),
    hidden: await call('export_ledger', {}).catch(String),
    absent: await call('no_such_tool', {}).catch(String),
  };
  const text = JSON.stringify(answers).replaceAll(/"request_id":("[^"]*"|\d+)/g, '"request_id":0');
  return JSON.parse(text) as object;
}

test('[C-06] a sidecar on TCP, one on a socket, and the own process answer alike', async () => {
  const serving = await service();
  const forms = {
    url: {
      PORTCULLIS_DECISION_POINT_URL: serving.url,
      PORTCULLIS_DECISION_POINT_TOKEN_FILE: serving.token_file,
    },
    socket: { PORTCULLIS_DECISION_POINT_SOCKET: serving.socket },
    embedded: EMBEDDED,
  };
  const url = await sessionOf(await connect({ ...TELLER, ...forms.url }));
  const socket = await sessionOf(await connect({ ...TELLER, ...forms.socket }));
  expect(await serving.stop('SIGTERM')).toBe(0);
  const embedded = await sessionOf(await connect({ ...TELLER, ...forms.embedded }));
  expect(socket).toEqual(url);
  expect(embedded).toEqual(url);
  expect(url).toMatchObject({
    tools: TELLER_TOOLS.map((name) => ({ name })),
    balance: { structuredContent: { balance: 25_000 } },
    transferred: { structuredContent: { amount: 10 } },
    after: { structuredContent: { balance: 24_990 } },
    needs_approval: { isError: true },
  });
  expect(JSON.stringify(url)).toContain('APPROVAL_REQUIRED');
});

test('two processes of one server each have their own evidence', async () => {
  const both = await Promise.all([1, 2].map(() => connect({ ...TELLER, ...EMBEDDED })));
  for (const { client } of both) expect(await toolsOf(client)).toEqual(TELLER_TOOLS);
  const directories = both.map(
    ({ stderr }) => /"directory":"[^"]*\/payments\/([^"/]*)\/evidence"/.exec(stderr())?.[1],
  );
  expect(new Set(directories)).toEqual(new Set(['main', 'main-2']));
});

test('while the decision service is down every call is refused, not longer', async () => {
  const serving = await service();
  const variables = { PORTCULLIS_DECISION_POINT_SOCKET: serving.socket };
  const { client } = await connect({ ...TELLER, ...variables });
  expect(await toolsOf(client)).toEqual(TELLER_TOOLS);
  await serving.stop('SIGKILL');
  expect(await refusalOf(client)).toMatchObject({ reason_code: 'POLICY_UNAVAILABLE' });
  await service();
  const deadline_ms = Date.now() + 5_000;
  let refusal = await refusalOf(client);
  while (Object(refusal).reason_code === 'POLICY_UNAVAILABLE' && Date.now() < deadline_ms) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    refusal = await refusalOf(client);
  }
  expect(refusal).toMatchObject({ reason_code: 'APPROVAL_REQUIRED' });
});

test('over HTTP the host proves who asks, the settings where the server stands', async () => {
  const url = `http://127.0.0.1:${await freePort()}/mcp`;
  const env = environment({ ...TELLER, ...EMBEDDED });
  const argv = [SOURCE, example('http.ts'), new URL(url).port];
  const child = spawn(process.execPath, argv, { env, cwd: folder.path });
  opened.push({ close: () => child.kill('SIGKILL') });
  let token: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    token = /^alice@example\.com by cid-teller-desk: (\S+)$/.exec(line)?.[1];
    if (token !== undefined) break;
  }
  const client = new Client({ name: 'test', version: '1.0.0' });
  opened.push(client);
  await client.connect(
    new StreamableHTTPClientTransport(new URL(url), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
    }),
  );
  expect(await toolsOf(client)).toEqual(TELLER_TOOLS);
});

async function startOf(variables: Record<string, string>) {
  const env = environment(variables);
  const child = spawn(process.execPath, [SOURCE, example('main.ts')], { env, cwd: folder.path });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, 'exit')) as [number];
  return { code, stderr };
}

test.each<[string, Record<string, string>, string]>([
  ['no name', EMBEDDED, 'the server has no name in the policy: set guard.server'],
  ['no decision point', TELLER, 'nobody is named who decides: set decision_point.socket'],
  [
    'two decision points',
    { ...TELLER, ...EMBEDDED, PORTCULLIS_DECISION_POINT_URL: 'http://127.0.0.1:1' },
    'cannot both be given',
  ],
  [
    'no token',
    { ...TELLER, PORTCULLIS_DECISION_POINT_URL: 'http://127.0.0.1:1' },
    'token` does not exist: set decision_point.token_file to the one that `portcullis serve` names',
  ],
  ['an unknown setting', { ...TELLER, PORTCULLIS_GARD_SERVER: 'x' }, 'PORTCULLIS_GARD_SERVER'],
])('with %s it does not start, and says what to set', async (_what, variables, text) => {
  const { code, stderr } = await startOf(variables);
  expect(code).toBe(1);
  expect(stderr).toContain(text);
  expect(stderr).toMatch(/^\[CONFIGURATION_INVALID: .*\n {2}correct the named setting; .*\]$/mu);
  expect(stderr).not.toMatch(/^ +at /mu);
});

test('with a broken bundle it does not start', async () => {
  const broken = join(folder.path, 'broken.tar.gz');
  writeFileSync(broken, 'not a bundle');
  const variables = { ...TELLER, ...EMBEDDED, PORTCULLIS_POLICY_BUNDLE: broken };
  const { code, stderr } = await startOf(variables);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `[BUNDLE_INVALID: \`${broken}\`: the archive is no gzip\n  ${ERRORS.BUNDLE_INVALID.remedy}]\n`,
  );
  expect(stderr).not.toMatch(/^ +at /mu);
});

test('a server that is guarded twice is refused, and nothing but one is', () => {
  const variables = environment({
    ...TELLER,
    PORTCULLIS_DECISION_POINT_SOCKET: join(folder.path, 'pdp.sock'),
  });
  const guard = openGuard((instance) =>
    loadConfiguration({ names: { server: 'x', instance }, cwd: folder.path, variables }),
  );
  opened.push(guard);
  const server = guard(new McpServer({ name: 'x', version: '1.0.0' }));
  for (const wrong of [server, { connect: () => undefined }]) {
    expect(() => guard(wrong)).toThrow(expect.objectContaining({ code: 'GUARD_MISUSED' }));
  }
});
