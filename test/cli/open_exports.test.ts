/** Exports as they are configured: who is sent what, with which proof, and what is refused. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { openEvidence } from '../../src/cli/open_evidence.ts';
import { startExports } from '../../src/cli/open_exports.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { Configuration } from '../../src/config/types.gen.ts';
import type { Exports } from '../../src/evidence/exports/exports.ts';
import { createLogger } from '../../src/telemetry/create_logger.ts';
import { openReceiver, status, type Receiver } from '../evidence/exports/receiver.ts';
import { decision } from '../evidence/exports/fixture.ts';
import { authority, type Subject } from '../support/certificates.ts';
import { temporaryDirectory } from '../support/evidence_log.ts';

const SECRET = 'sekrit-token-1';
const API_KEY = 'sekrit-key-2';
const CA = authority();
const HERE: Subject = { hosts: ['127.0.0.1'], usage: 'server' };

let folder: string;
let logged: string;
const closing: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  folder = temporaryDirectory();
  logged = '';
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function configured(...exports: object[]): Configuration {
  return loadConfiguration({
    names: { server: 'payments', instance: 'main' },
    overrides: { state: join(folder, 'state'), evidence: { exports } },
    cwd: folder,
    variables: { HOME: folder },
  });
}

async function start(...exports: object[]): Promise<Exports> {
  const configuration = configured(...exports);
  const stream = new PassThrough();
  stream.on('data', (line: Buffer) => (logged += line.toString()));
  const log = createLogger({ level: 'debug' }, stream);
  const evidence = await openEvidence(configuration, log);
  closing.push(() => evidence.close());
  const opened = await startExports(configuration, evidence, log);
  closing.push(() => opened.close());
  return opened;
}

async function receiverAt(options?: Parameters<typeof openReceiver>[0]): Promise<Receiver> {
  const receiver = await openReceiver(options);
  closing.push(receiver.away);
  return receiver;
}

function secretFile(name: string, text: string, mode = 0o600): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const QUICK = { interval_ms: 1, retry_interval_ms: 10, retry_interval_ms_max: 20 };
const OPA = { name: 'opa', type: 'opa_decision_log', ...QUICK };
const OTEL = { name: 'otel', type: 'otel_logs', ...QUICK };

test('each type goes to its receiver, and its place is kept in the state folder', async () => {
  const [opa, otel] = [await receiverAt(), await receiverAt()];
  const { evidence } = await start(
    { ...OPA, url: `${opa.url}/base`, partition: 'payments/eu' },
    { ...OTEL, url: otel.url },
    { name: 'lines', type: 'jsonl', ...QUICK },
  );
  await evidence.append(decision(0));
  await Promise.all([opa, otel].map((each) => each.until(() => each.taken.length > 0)));
  expect(opa.taken[0]).toMatchObject({
    path: '/base/logs/payments/eu',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
    body: [{ decision_id: 'evaluation-0' }],
  });
  expect(otel.taken[0]).toMatchObject({ path: '/v1/logs' });
  for (const close of closing.splice(1).reverse()) await close();
  const files = ['opa.json', 'otel.json', 'lines.json', 'lines.jsonl'];
  const [, , lines, texts] = files.map((name) =>
    readFileSync(join(folder, 'state/exports', name), 'utf8'),
  );
  expect(JSON.parse(String(lines))).toMatchObject({ next: 1, origin: 'portcullis/payments/main' });
  expect(JSON.parse(String(texts))).toMatchObject({ kind: 'decision', index: 0 });
});

test('a receiver is shown token and headers of their files, and nobody else is', async () => {
  const receiver = await receiverAt({ tls: CA.issue(HERE) });
  const { evidence } = await start({
    ...OTEL,
    url: receiver.url,
    ca_file: secretFile('ca.pem', CA.cert),
    token_file: secretFile('token', `${SECRET}\n`),
    headers_file: secretFile('headers', `X-Api-Key: ${API_KEY}\n\nX-Tenant: payments\n`),
  });
  await evidence.append(decision(0));
  await receiver.until(() => receiver.taken.length > 0);
  expect(receiver.taken[0]!.headers).toMatchObject({
    authorization: `Bearer ${SECRET}`,
    'x-api-key': API_KEY,
    'x-tenant': 'payments',
  });
  expect(logged).not.toMatch(/sekrit/);
  expect(JSON.stringify(evidence.status())).not.toMatch(/sekrit/);
});

test.each([
  ['has another authority', authority('another').issue(HERE)],
  ['is for another host', CA.issue({ hosts: ['other.example'], usage: 'server' })],
])('a receiver whose certificate %s is sent nothing', async (_name, tls) => {
  const receiver = await receiverAt({ tls });
  const ca_file = secretFile('ca.pem', CA.cert);
  const { evidence } = await start({ ...OTEL, url: receiver.url, ca_file });
  await evidence.append(decision(0));
  const problemOf = () => evidence.status().exports?.[0]?.problem;
  while (problemOf() === undefined) await new Promise(setImmediate);
  expect(problemOf()).toBe('the receiver did not answer: its certificate is not taken');
  expect(receiver.posted).toEqual([]);
});

test('a redirect is not followed, and what was sent there stays to be sent', async () => {
  const [receiver, other] = [await receiverAt(), await receiverAt()];
  receiver.act(status(307, { location: `${other.url}/v1/logs` }));
  const token_file = secretFile('token', SECRET);
  const { evidence } = await start({ ...OTEL, url: receiver.url, token_file });
  await evidence.append(decision(0));
  await receiver.until(() => receiver.posted.length > 1);
  expect(other.posted).toEqual([]);
  receiver.act(undefined);
  await receiver.until(() => receiver.taken.length > 0);
});

test('a receiver that never answers is given up after its time, and asked again', async () => {
  const receiver = await receiverAt();
  receiver.act(() => true);
  const { evidence } = await start({ ...OTEL, url: receiver.url, timeout_ms: 100 });
  await evidence.append(decision(0));
  await receiver.until(() => receiver.posted.length > 1);
  expect(evidence.status().exports?.[0]?.problem).toBe(
    'the receiver did not answer: there was no whole answer within 100 ms',
  );
  receiver.act(undefined);
  await receiver.until(() => receiver.taken.length > 0);
});

test('a token that is taken away is missed, and used again when it is back', async () => {
  const receiver = await receiverAt();
  const token_file = secretFile('token', SECRET);
  const { evidence } = await start({ ...OTEL, url: receiver.url, token_file });
  renameSync(token_file, `${token_file}.away`);
  const problemOf = () => evidence.status().exports?.[0]?.problem;
  for (let at = 0; problemOf() === undefined; at += 1) {
    await evidence.append(decision(at));
    await new Promise(setImmediate);
  }
  expect(problemOf()).toMatch(/^the token file `.*` does not exist$/);
  renameSync(`${token_file}.away`, token_file);
  const { size } = evidence.status();
  await receiver.until(() => JSON.stringify(receiver.taken).includes(`"${size - 1}"`));
}, 20_000);

describe('a start is refused where', () => {
  const url = 'http://127.0.0.1:9';
  test.each<[string, () => object, string]>([
    [
      'the receiver is elsewhere and asked in the open',
      () => ({ ...OTEL, url: 'http://collector.example' }),
      '`evidence.exports` must begin with https, unless it is on this machine',
    ],
    [
      'the token can be read by others',
      () => ({ ...OTEL, url, token_file: secretFile('token', SECRET, 0o644) }),
      'the token file `',
    ],
    [
      'there is no token',
      () => ({ ...OTEL, url, token_file: join(folder, 'none') }),
      'does not exist',
    ],
    [
      'the token file holds more',
      () => ({ ...OTEL, url, token_file: secretFile('token', `${SECRET} x`) }),
      'must hold one token and nothing else',
    ],
    [
      'a header has no name',
      () => ({ ...OTEL, url, headers_file: secretFile('headers', `a: b\n${SECRET}\n`) }),
      'line 2 is not of the form `Name: value`',
    ],
    [
      'a header is ours',
      () => ({ ...OTEL, url, headers_file: secretFile('headers', 'Content-Length: 1\n') }),
      'line 1 names a header that is not free',
    ],
    [
      'a header stands there twice',
      () => ({ ...OTEL, url, headers_file: secretFile('headers', 'a: 1\nA: 2\n') }),
      'line 2 names a header again',
    ],
    [
      'the headers can be read by others',
      () => ({ ...OTEL, url, headers_file: secretFile('headers', 'a: b', 0o644) }),
      'the headers file `',
    ],
    [
      'there is no authority',
      () => ({ ...OTEL, url: 'https://127.0.0.1:9', ca_file: join(folder, 'none') }),
      'the CA file `',
    ],
  ])('%s', async (_name, settings, fault) => {
    const error = (await start(settings()).catch((reason: unknown) => reason)) as Error;
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' });
    expect(error.message).toContain(fault);
    expect(error.message).not.toMatch(/sekrit/);
  });

  test('a required file of lines cannot be made', async () => {
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file/lines.jsonl');
    const failed = start({ name: 'lines', type: 'jsonl', path, required: true });
    await expect(failed).rejects.toMatchObject({ code: 'EXPORT_UNUSABLE' });
  });
});

test('a file of lines that cannot be made stops its export, and no decision', async () => {
  mkdirSync(join(folder, 'out'));
  writeFileSync(join(folder, 'out/file'), '');
  const path = join(folder, 'out/file/lines.jsonl');
  const { evidence } = await start({ name: 'lines', type: 'jsonl', path });
  await evidence.append(decision(0));
  expect(evidence.status().exports).toMatchObject([{ stopped: true, lag_records: 1 }]);
});
