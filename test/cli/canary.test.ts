/** Marked secrets go by every way into a running service, and all that it writes is searched. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:tls';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keysOf, PROOF_HEADERS, signedAuthorization } from '../../src/contract/proof.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { authority, type Issued } from '../support/certificates.ts';
import { run, serve, type Serving } from './fixture.ts';

const BUNDLE = fileURLToPath(new URL('../../bundles/payments.tar.gz', import.meta.url));
const ca = authority();
const client = ca.issue({ uris: ['spiffe://acme/guard'], usage: 'client' });
const own = ca.issue({ hosts: ['127.0.0.1'], usage: 'server' });

/** Each stands where somebody could put a secret; the names say where. */
const mark = (place: string): string => `canary-${place}-0123456789abcdef0123456789`;
const jwt = `eyJhbGciOiJub25lIn0.${Buffer.from(mark('jwt')).toString('base64url')}.c2lnbmF0dXJl`;
const MARKS: Record<string, string> = {
  bearer: mark('bearer'),
  basic: mark('basic'),
  query: mark('query'),
  cookie: mark('cookie'),
  header: mark('header'),
  nonce: mark('nonce'),
  path: mark('path'),
  malformed: mark('malformed'),
  broken_json: mark('broken-json'),
  unknown_member: mark('unknown-member'),
  argument: mark('argument'),
  claim: mark('claim'),
  approval: mark('approval'),
  caller: mark('caller'),
  outcome: mark('outcome'),
  batch: mark('batch'),
  discovery: mark('discovery'),
  jwt,
};

let folder: ReturnType<typeof privateFolder>;
let service: Serving;
let heard = '';
let token = '';
let made = '';
beforeAll(async () => {
  folder = privateFolder();
  const put = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  mkdirSync(join(folder.path, 'state'), { mode: 0o700 });
  const callers = [
    { id: 'guard', certificate: { uri: 'spiffe://acme/guard' }, scopes: ['decide'] },
  ];
  const tls = {
    cert_file: put('cert.pem', own.cert),
    key_file: put('key.pem', own.key),
    client_ca_file: put('ca.pem', ca.cert),
    callers_file: put('callers.json', JSON.stringify({ callers })),
  };
  const settings = { state: 'state', log: { level: 'debug' }, pdp: { tls } };
  const config = put('portcullis.yaml', JSON.stringify(settings));
  service = await serve('--config', config, '--bundle', BUNDLE, '--listen', '127.0.0.1:0');
  token = readTokens(service.token_file)[0]!.token;
  const added = await run('token', 'add', '--id', 'two', '--scopes', 'decide', '--config', config);
  made = added.stdout.trim();
  const status = { path: '/v1/status', method: 'GET', headers: bearer(made) };
  // The service looks at its file once a second.
  while ((await send(status)) === 401);
});
afterAll(async () => {
  await service?.stop('SIGKILL');
  folder?.remove();
});

interface Sent {
  path: string;
  headers?: Record<string, string>;
  body?: string;
  shown?: Issued;
  method?: string;
}

/** Sends a request and keeps all that is answered. */
function send({ path, headers = {}, body, shown, method = 'POST' }: Sent): Promise<number> {
  return new Promise((resolve, reject) => {
    const target = new URL(service.url);
    const asked = request({
      host: target.hostname,
      port: target.port,
      path,
      method,
      agent: false,
      ca: ca.cert,
      cert: shown?.cert,
      key: shown?.key,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    });
    asked.on('response', (answer) => {
      heard += JSON.stringify(answer.rawHeaders);
      answer.on('data', (chunk: Buffer) => (heard += chunk.toString()));
      answer.on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', reject).end(body);
  });
}

/** Bytes that are no HTTP. */
function sendRaw(bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const { hostname: host, port } = new URL(service.url);
    const socket = connect({ host, port: Number(port), ca: ca.cert }, () => socket.end(bytes));
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    // What is no HTTP may be cut off.
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

const bearer = (sent: string): Record<string, string> => ({ authorization: `Bearer ${sent}` });
const EVALUATION = '/access/v1/evaluation';

/** A plain evaluation with a claim, an approval and a caller of its own. */
function evaluation(claim: string): object {
  return {
    subject: { type: 'user', id: 'alice', properties: { password: claim } },
    action: { name: 'tools/call' },
    resource: { type: 'tool', id: 'transfer', properties: { server: 'payments' } },
    context: {
      arguments: { api_key: MARKS.argument, amount: 5 },
      approval: { proof: MARKS.approval },
      caller: { id: MARKS.caller },
      authInfo: { token: MARKS.claim },
    },
  };
}

function signed(body: string): Record<string, string> {
  const nonce = MARKS.nonce!;
  const time = new Date().toISOString();
  const call = { nonce, time, method: 'POST', target: EVALUATION, body };
  const authorization = signedAuthorization({ id: 'default', ...keysOf(token) }, call);
  return { authorization, [PROOF_HEADERS.nonce]: nonce, [PROOF_HEADERS.time]: time };
}

async function throughEveryWay(): Promise<number[]> {
  const body = JSON.stringify(evaluation(MARKS.claim!));
  const side = { cookie: `session=${MARKS.cookie}`, 'x-jwt': jwt, 'x-api-key': MARKS.header! };
  const sep = {
    subject: { principal: 'user:alice', actor_type: 'human', groups: ['tellers'] },
    capability: { type: 'tool', name: 'transfer' },
    action: 'execute',
    arguments: { amount: 5, password: MARKS.argument },
    approval: { proof: MARKS.approval },
  };
  const batch = { ...evaluation(MARKS.batch!), evaluations: [{}, { context: { x: MARKS.batch } }] };
  const list = {
    ...evaluation(MARKS.discovery!),
    evaluations: [{ resource: { type: 'tool', id: 'a' } }],
    options: { portcullis: { discovery: { catalogue_digest: MARKS.discovery } } },
  };
  const report = { evaluation_id: 'x', status: 'failed', detail: MARKS.outcome };
  const known = bearer(token);
  const statuses: number[] = [];
  for (const each of [
    { path: EVALUATION, headers: { ...known, ...side }, body },
    { path: `${EVALUATION}?access_token=${MARKS.query}`, headers: known, body },
    { path: EVALUATION, headers: signed(body), body },
    { path: EVALUATION, headers: side, body, shown: client },
    { path: '/v1/decision', headers: known, body: JSON.stringify(sep) },
    { path: '/access/v1/evaluations', headers: known, body: JSON.stringify(batch) },
    { path: '/v1/status', headers: { ...bearer(made), ...side }, method: 'GET' },
    { path: '/access/v1/evaluations', headers: known, body: JSON.stringify(list) },
    { path: '/v1/outcomes', headers: known, body: JSON.stringify(report) },
    { path: EVALUATION, headers: known, body: `{"a": ${MARKS.broken_json}` },
    { path: EVALUATION, headers: known, body: JSON.stringify({ [MARKS.unknown_member!]: 1 }) },
    { path: EVALUATION, headers: bearer(MARKS.bearer!), body },
    { path: EVALUATION, headers: bearer(jwt), body },
    { path: EVALUATION, headers: { authorization: `Basic ${MARKS.basic}` }, body },
    { path: `/${MARKS.path}`, headers: known, body },
    { path: `/health?token=${MARKS.query}`, headers: side, method: 'GET' },
  ]) {
    statuses.push(await send(each));
  }
  await sendRaw(`GET /health HTTP/1.1\r\nAuthorization Bearer ${MARKS.malformed}\r\n\r\n`);
  await sendRaw(`${MARKS.malformed} ${token}\r\n\r\n`);
  return statuses;
}

/** What could be read of a secret: as it is, and in the spellings that a log may give it. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const base64 = bytes.toString('base64').replace(/=+$/, '');
  return [
    secret,
    base64,
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(secret),
  ];
}

/** Everything below the state folder but the file of who holds the token. */
function written(): Record<string, string> {
  const state = join(folder.path, 'state');
  const files = readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path !== service.token_file);
  return Object.fromEntries(files.map((path) => [path, readFileSync(path, 'latin1')]));
}

function leaks(places: Record<string, string>, secrets: Record<string, string>): string[] {
  return Object.entries(places).flatMap(([place, text]) =>
    Object.entries(secrets)
      .filter(([, secret]) => spellings(secret).some((spelling) => text.includes(spelling)))
      .map(([name]) => `${name} in ${place}`),
  );
}

/** The lines of a private key, without their frame. */
function keyOf({ key }: Issued): string {
  return key.split('\n').slice(1, -2).join('\n');
}

test('[E-22] no secret of a request, a caller or the service is in what it writes', async () => {
  expect(await throughEveryWay()).toEqual([
    ...[200, 200, 200, 200, 200, 200, 200],
    ...[400, 400, 400, 400],
    ...[401, 401, 401, 404, 200],
  ]);
  const { client_key, stored_key, server_key } = keysOf(token);
  const keys = Object.entries({ client_key, stored_key, server_key });
  const encoded = Object.fromEntries(keys.map(([name, key]) => [name, key.toString('base64url')]));
  const secrets = { ...MARKS, token, made, own: keyOf(own), client: keyOf(client), ...encoded };
  const { [join(folder.path, 'state', 'token_hashes.json')]: hashes, ...files } = written();
  const places = { ...files, heard, stderr: service.stderr() };
  expect(Object.keys(files).some((path) => path.includes('evidence'))).toBe(true);
  expect(service.stderr()).toContain('"level":"');
  expect(leaks(places, secrets)).toEqual([]);
  const { stored_key: _, server_key: __, ...beyond } = secrets as Record<string, string>;
  expect(leaks({ hashes: hashes! }, beyond)).toEqual([]);
  // The search finds what is there.
  expect(leaks({ hashes: hashes! }, secrets)).toEqual([
    'stored_key in hashes',
    'server_key in hashes',
  ]);
});
