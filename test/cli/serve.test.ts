import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { EvaluationRequest } from '../../src/contract/types.gen.ts';
import type { DecisionPoint } from '../../src/contract/decision_point.ts';
import { ERRORS, type ErrorCode } from '../../src/errors.ts';
import { keysOf } from '../../src/contract/proof.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { readTokens } from '../../src/pdp/token_file.ts';
import { remote } from '../decision/remote/fixture.ts';
import { privateFolder, recordingCore, send, start } from '../pdp/fixture.ts';
import { run, runWith, serve, type Serving } from './fixture.ts';

const BUNDLE = fileURLToPath(new URL('../../bundles/payments.tar.gz', import.meta.url));

const ASK: EvaluationRequest = {
  subject: {
    type: 'identity',
    id: 'user:alice@example.com',
    properties: { actor_type: 'human', groups: ['tellers'] },
  },
  action: { name: 'tools/call', properties: { verb: 'execute' } },
  resource: { type: 'tool', id: 'balance', properties: { server: 'payments' } },
  context: { profile: 'mcp/1', phase: 'call', environment: { deployment: 'production' } },
};

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];

beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

/** Data over that of the bundle, with these grants in the place of its own. */
function grants(...given: object[]): string {
  const file = join(folder.path, 'data.json');
  writeFileSync(file, JSON.stringify({ grants: given }));
  return file;
}

/** A process that was just started, beside many others. */
const PATIENCE_MS = 10_000;

const BALANCE = { to: { group: 'tellers' }, on: 'tool:payments/balance' };

async function started(...argv: string[]): Promise<Serving> {
  const common = ['--bundle', BUNDLE, '--data', join(folder.path, 'state')];
  const service = await serve(...common, '--listen', '127.0.0.1:0', ...argv);
  opened.push({ close: () => service.child.exitCode === null && service.stop('SIGKILL') });
  return service;
}

function point(service: Serving): DecisionPoint {
  const [token] = readTokens(service.token_file);
  const opening = remote(
    { url: service.url },
    {
      address: { url: service.url, token: () => ({ id: token!.id, ...keysOf(token!.token) }) },
      timeout_ms: PATIENCE_MS,
    },
  );
  opened.push(opening);
  return opening;
}

test('decides on both addresses, and each decision is in the evidence', async () => {
  const policyData = grants(BALANCE);
  const service = await started('--policy-data', policyData);
  const state = join(folder.path, 'state');
  expect(service).toMatchObject({
    url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    socket: join(state, 'run', 'pdp.sock'),
    token_file: join(state, 'token'),
  });
  const [token] = readTokens(service.token_file);
  const over_tcp = await point(service).decide(ASK);
  const by_curl = await send(service.url, '/access/v1/evaluation', {
    headers: { authorization: `Bearer ${token?.token}` },
    body: JSON.stringify({ ...ASK, subject: { type: 'identity', id: 'user:bob@example.com' } }),
  });
  const local = remote({ socket: service.socket }, { timeout_ms: PATIENCE_MS });
  opened.push(local);
  const over_socket = await local.decide(ASK);
  expect([over_tcp.decision, (by_curl.body as typeof over_tcp).decision]).toEqual([true, false]);
  expect(over_socket.decision).toBe(true);
  expect(await service.stop('SIGTERM')).toBe(0);
  const kinds: string[] = [];
  for await (const record of readEvidence(join(state, 'evidence'))) {
    kinds.push([record.kind, record.evaluation_id ?? ''].join(' '));
  }
  expect(kinds).toEqual([
    'start ',
    'activation ',
    ...[over_tcp, by_curl.body as typeof over_tcp, over_socket].map(
      ({ context }) => `decision ${context.evaluation_id}`,
    ),
    'stop ',
  ]);
});

test('a change of the data is in force without a restart, and told', async () => {
  const policyData = grants();
  const service = await started('--policy-data', policyData);
  const remotePoint = point(service);
  const before = await remotePoint.describe();
  const changed = new Promise<string | undefined>((resolve) => {
    remotePoint.watch(({ policy }) => resolve(policy?.digest));
  });
  expect((await remotePoint.decide(ASK)).decision).toBe(false);
  grants(BALANCE);
  expect(await changed).not.toBe(before.policy?.digest);
  expect((await remotePoint.decide(ASK)).decision).toBe(true);
});

test('SIGTERM and SIGINT end it cleanly, and the addresses are free again', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = await started();
    expect(await service.stop(signal)).toBe(0);
    expect(existsSync(service.socket)).toBe(false);
    expect(service.stderr()).toContain(`"signal":"${signal}"`);
  }
});

test('after kill -9 it starts again on the same state, with the same token', async () => {
  const killed = await started();
  const [token] = readTokens(killed.token_file);
  expect(await killed.stop('SIGKILL')).toBe(null);
  expect(existsSync(killed.socket)).toBe(true);
  const service = await started();
  expect(readTokens(service.token_file)).toEqual([token]);
  expect((await point(service).describe()).ready).toBe(true);
});

test('without TCP there is no token', async () => {
  const config = join(folder.path, 'portcullis.yaml');
  writeFileSync(config, 'pdp: {listen: null}\nstate: state\n');
  const service = await serve('--config', config, '--bundle', BUNDLE);
  opened.push({ close: () => service.stop('SIGKILL') });
  expect([service.url, service.token_file]).toEqual([null, null]);
  expect(existsSync(join(folder.path, 'state', 'token'))).toBe(false);
});

test('[O-03] the second one on the same state does not start', async () => {
  await started();
  const state = join(folder.path, 'state');
  const second = await run('serve', '--bundle', BUNDLE, '--data', state, '--listen', '[::1]:0');
  expect([second.code, second.stderr]).toEqual([3, expect.stringContaining('EVIDENCE_LOCKED: ')]);
});

interface Refused {
  code: number;
  error: ErrorCode;
  text: string;
}

async function expectNoStart(
  { code, error, text }: Refused,
  argv: string[],
  variables = {},
): Promise<void> {
  const state = ['--data', join(folder.path, 'state'), '--listen', '127.0.0.1:0'];
  const found = await runWith({ ...process.env, ...variables }, 'serve', ...state, ...argv);
  expect([found.code, found.stdout]).toEqual([code, '']);
  expect(found.stderr).toContain(`${error}: `);
  expect(found.stderr).toContain(text);
  expect(found.stderr).toContain(`  ${ERRORS[error].remedy}\n`);
}

test('without a policy it does not start', async () => {
  await expectNoStart(
    { code: 2, error: 'CONFIGURATION_INVALID', text: 'policy.bundle is not set' },
    [],
  );
});

test('with a bundle that is none it does not start', async () => {
  const broken = join(folder.path, 'broken.tar.gz');
  writeFileSync(broken, 'not a bundle');
  await expectNoStart({ code: 2, error: 'BUNDLE_INVALID', text: 'no gzip' }, ['--bundle', broken]);
  await expectNoStart({ code: 2, error: 'BUNDLE_INVALID', text: 'absent.tar.gz' }, [
    '--bundle',
    join(folder.path, 'absent.tar.gz'),
  ]);
});

test('with an unknown setting it does not start', async () => {
  const config = join(folder.path, 'portcullis.yaml');
  writeFileSync(config, 'pdp:\n  listem: 127.0.0.1:1\n');
  await expectNoStart({ code: 2, error: 'CONFIGURATION_INVALID', text: 'portcullis.yaml:2:3' }, [
    '--config',
    config,
  ]);
  await expectNoStart(
    { code: 2, error: 'CONFIGURATION_INVALID', text: 'PORTCULLIS_PDP_LISTEM' },
    [],
    { PORTCULLIS_PDP_LISTEM: '127.0.0.1:1' },
  );
});

test('it does not start on a port in use, and leaves nothing open', async () => {
  const other = await start(recordingCore());
  opened.push(other);
  const listen = `127.0.0.1:${other.port}`;
  await expectNoStart(
    { code: 3, error: 'LISTEN_FAILED', text: `cannot listen on ${listen}: another process` },
    ['--bundle', BUNDLE, '--listen', listen],
  );
  expect(existsSync(join(folder.path, 'state', 'run', 'pdp.sock'))).toBe(false);
  const service = await started();
  expect(await service.stop('SIGTERM')).toBe(0);
});

test('it does not start where evidence cannot be written', async () => {
  writeFileSync(join(folder.path, 'state'), 'a file');
  await expectNoStart(
    { code: 3, error: 'EVIDENCE_UNWRITABLE', text: join(folder.path, 'state', 'evidence') },
    ['--bundle', BUNDLE],
  );
});

test('it does not start with a token file that others can read', async () => {
  mkdirSync(join(folder.path, 'state'), { mode: 0o700 });
  const token = join(folder.path, 'state', 'token');
  writeFileSync(token, '{}');
  chmodSync(token, 0o644);
  await expectNoStart({ code: 2, error: 'CONFIGURATION_INVALID', text: `chmod 600 ${token}` }, [
    '--bundle',
    BUNDLE,
  ]);
});
