/** Who or what may stand where the decision service stood: the guarded server does nothing. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { privateFolder } from '../pdp/fixture.ts';
import { serve, type Serving } from './fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BUNDLE = join(ROOT, 'bundles', 'payments.tar.gz');
const SERVER = join(ROOT, 'examples', 'payments-server', 'main.ts');
const TIMEOUT_MS = 1500;

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

async function service(listen: string): Promise<Serving> {
  const state = ['--data', join(folder.path, 'pdp')];
  const serving = await serve('--bundle', BUNDLE, ...state, '--listen', listen);
  opened.push({ close: () => serving.child.exitCode === null && serving.stop('SIGKILL') });
  return serving;
}

async function connect({ url, token_file }: Serving): Promise<Client> {
  const env = {
    PATH: process.env.PATH ?? '',
    XDG_STATE_HOME: folder.path,
    PORTCULLIS_DECISION_POINT_URL: url,
    PORTCULLIS_DECISION_POINT_TOKEN_FILE: token_file,
    PORTCULLIS_DECISION_POINT_TIMEOUT_MS: String(TIMEOUT_MS),
    PORTCULLIS_GUARD_SERVER: 'payments',
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'production',
    PORTCULLIS_GUARD_SUBJECT_ID: 'user:alice@example.com',
    PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'human',
    PORTCULLIS_GUARD_SUBJECT_GROUPS: 'tellers',
  };
  const args = ['--conditions=portcullis-source', SERVER];
  const client = new Client({ name: 'test', version: '1.0.0' });
  opened.push(client);
  const cwd = folder.path;
  const server = { command: process.execPath, args, env, cwd, stderr: 'ignore' } as const;
  await client.connect(new StdioClientTransport(server));
  return client;
}

/** Puts something in the place of the service, on its very port. */
async function impostor(url: string, listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  server.listen(Number(new URL(url).port), '127.0.0.1');
  await once(server, 'listening');
  opened.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return server;
}

const ALLOW = {
  decision: true,
  context: {
    outcome: 'allow',
    visible: true,
    reason_code: 'ALLOWED',
    constraints: {},
    obligations: [],
    evaluation_id: 'forged',
    policy: { revision: 'forged', digest: `sha256:${'0'.repeat(64)}` },
  },
};

const say =
  (body: unknown, type = 'application/json', status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': type });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const CASES: [string, RequestListener | undefined][] = [
  ['nobody', undefined],
  ['one that takes the request and says nothing', () => {}],
  [
    'one that says allow, too late',
    (request, response) => {
      void sleep(TIMEOUT_MS * 2).then(() => say(ALLOW)(request, response));
    },
  ],
  [
    'one that says half of it',
    (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '9999' });
      response.write(JSON.stringify(ALLOW));
    },
  ],
  ['garbage', say('\u0000\u0001garbage', 'application/octet-stream')],
  ['a page', say('<html>allow</html>', 'text/html')],
  ['true', say('true')],
  ['an impersonator that says allow', say(ALLOW)],
  [
    'an impersonator that makes a proof up',
    (request, response) => {
      response.setHeader('Portcullis-Proof', 'a'.repeat(64));
      say(ALLOW)(request, response);
    },
  ],
  ['an error', say({ error: { code: 'INTERNAL' } }, 'application/json', 500)],
];

const TRANSFER = { from: 'acc-1', to: 'acc-2', amount: 10, currency: 'EUR' };
const META = 'io.modelcontextprotocol/server-policy-enforcement';

test.each(CASES)('in the place of the service: %s', async (_title, listener) => {
  const first = await service('127.0.0.1:0');
  const client = await connect(first);
  const balance = async (): Promise<unknown> =>
    (await client.callTool({ name: 'balance', arguments: { account: 'acc-1' } })).structuredContent;
  const before = await balance();
  expect(before).toMatchObject({ account: 'acc-1' });
  await first.stop('SIGKILL');
  const server = listener && (await impostor(first.url, listener));

  const refused = await client.callTool({ name: 'transfer', arguments: TRANSFER });
  expect(refused).toMatchObject({
    isError: true,
    _meta: { [META]: { reason_code: 'POLICY_UNAVAILABLE' } },
  });
  await expect(client.listTools()).rejects.toMatchObject({ code: expect.any(Number) });

  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  await service(new URL(first.url).host);
  expect(await balance()).toEqual(before);
});
