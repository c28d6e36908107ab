/** What the socket of a host proves reaches the identity source, whichever way the SDK takes. */
import {
  createServer,
  request as requestPlain,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createSecure, request as requestSecure } from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { anyOf } from '../../../src/identity/combined/source.ts';
import { fromMtls } from '../../../src/identity/mtls/source.ts';
import { fromSocketPath } from '../../../src/identity/socket_path/source.ts';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import { Connections } from '../../../src/pep/mcp/connections.ts';
import type { ConnectionFacts } from '../../../src/identity/types.ts';
import { authority, selfSigned, type Issued } from '../../support/certificates.ts';
import { callOf, ENVELOPE, INITIALIZE, VERSION } from '../support/http.ts';
import { testParts } from '../support/parts.ts';
import { buildServer, LINES, type Line } from '../support/servers.ts';

const ca = authority();
const folder = mkdtempSync(join(tmpdir(), 'portcullis-'));
const socket_path = join(folder, 'mcp.sock');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Host {
  parts: ReturnType<typeof testParts>;
  port: number;
}

/** A guarded endpoint whose callers are known by their certificate, or by the socket. */
async function host(line: Line, over: 'tls' | 'socket', sessions = false): Promise<Host> {
  const parts = testParts();
  const identity = anyOf(
    fromMtls(),
    fromSocketPath({ path: socket_path, subject: { id: 'service:local' } }),
  );
  const handler = createGuard(parts).http(() => buildServer(line), { identity, sessions });
  closing.push(() => handler.close());
  const listener: RequestListener = (req, res) => void handler(req, res);
  const own = ca.issue({ hosts: ['127.0.0.1'], usage: 'server' });
  const server: Server =
    over === 'tls'
      ? createSecure(
          { ...own, ca: ca.cert, requestCert: true, rejectUnauthorized: false },
          listener,
        )
      : createServer(listener);
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => {
    if (over === 'socket') server.listen(socket_path, resolve);
    else server.listen(0, '127.0.0.1', resolve);
  });
  return { parts, port: over === 'tls' ? (server.address() as AddressInfo).port : 0 };
}

interface Told {
  text: string;
  session: string | undefined;
}

function post(
  { port }: Host,
  body: object,
  { shown, headers = {} }: { shown?: Issued | undefined; headers?: Record<string, string> } = {},
): Promise<Told> {
  const options = {
    method: 'POST',
    path: '/mcp',
    agent: false,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...headers,
    },
  };
  return new Promise((resolve, reject) => {
    const target = { host: '127.0.0.1', port, ca: ca.cert, cert: shown?.cert, key: shown?.key };
    const sent =
      port === 0
        ? requestPlain({ ...options, socketPath: socket_path })
        : requestSecure({ ...options, ...target });
    sent.on('response', (answer) => {
      let text = '';
      const session = answer.headers['mcp-session-id'] as string | undefined;
      answer.on('data', (chunk: Buffer) => (text += String(chunk)));
      // A connection with a certificate that is wrongly signed may break before the end.
      answer.on('close', () => resolve({ text, session }));
    });
    sent.on('error', reject).end(JSON.stringify(body));
  });
}

const legacy = callOf('balance');
const modern = {
  body: {
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'balance', arguments: {}, _meta: ENVELOPE },
  },
  headers: { 'mcp-protocol-version': VERSION, 'mcp-method': 'tools/call', 'mcp-name': 'balance' },
};

const workload = (name: string) => ca.issue({ uris: [`spiffe://acme/${name}`], usage: 'client' });
const subjectsAsked = ({ parts }: Host) =>
  parts.decisionPoint.decisions.map(({ subject }) => subject.id);

test.each(LINES)('a certificate is its subject at each request, SDK %i.x', async (line) => {
  const at = await host(line, 'tls');
  const names = ['one', 'two', 'three', 'four'];
  await Promise.all(names.map((name) => post(at, legacy, { shown: workload(name) })));
  expect(subjectsAsked(at).sort()).toEqual(
    names.map((name) => `workload:spiffe://acme/${name}`).sort(),
  );
});

test('a certificate is its subject in a modern request', async () => {
  const at = await host(2, 'tls');
  await post(at, modern.body, { shown: workload('one'), headers: modern.headers });
  expect(subjectsAsked(at)).toEqual(['workload:spiffe://acme/one']);
});

test.each(LINES)('a session belongs to the certificate that began it, SDK %i.x', async (line) => {
  const at = await host(line, 'tls', true);
  const one = workload('one');
  const { session = '' } = await post(at, INITIALIZE, { shown: one });
  const headers = { 'mcp-session-id': session };
  expect((await post(at, legacy, { shown: workload('two'), headers })).text).toContain('not found');
  expect((await post(at, legacy, { headers })).text).toContain('not found');
  at.parts.decisionPoint.decisions.length = 0;
  await post(at, legacy, { shown: one, headers });
  expect(subjectsAsked(at)).toEqual(['workload:spiffe://acme/one']);
});

test.each(LINES)('nothing that a client sends is a certificate, SDK %i.x', async (line) => {
  const at = await host(line, 'tls');
  const uri = 'spiffe://acme/one';
  const connection = { peer_certificate: { uris: [uri], valid_from_ms: 0, valid_to_ms: 1e15 } };
  const headers = {
    'x-forwarded-client-cert': `URI=${uri}`,
    'x-client-cert': encodeURIComponent(workload('one').cert),
  };
  const meta = { connection, authInfo: { connection } };
  const body = { ...legacy, connection, params: { name: 'balance', arguments: {}, _meta: meta } };
  const strangers = [
    undefined,
    selfSigned({ uris: [uri], usage: 'client' }),
    authority().issue({ uris: [uri], usage: 'client' }),
  ];
  for (const shown of strangers) {
    for (const sent of [legacy, body]) await post(at, sent, { shown, headers });
  }
  expect(at.parts.decisionPoint.decisions).toEqual([]);
});

test.each(LINES)('who comes by the socket is the subject of its path, SDK %i.x', async (line) => {
  const at = await host(line, 'socket');
  await post(at, legacy);
  expect(subjectsAsked(at)).toEqual(['service:local']);
});

test('the facts of a connection are those of its endpoint only', () => {
  const [one, other] = [new Connections(), new Connections()];
  const seen: (ConnectionFacts | undefined)[] = [];
  const watch = (of: Connections) =>
    of.knownTo(({ connection }) => {
      seen.push(connection);
      return undefined;
    });
  const facts = { socket_path: '/a' };
  one.serve(facts, () => {
    watch(one)({ connection: { socket_path: '/forged' } });
    watch(other)({});
    one.serve(undefined, () => watch(one)({}));
  });
  expect(seen).toEqual([facts, undefined, undefined]);
});
