/**
 * Outcomes of real guarded servers, before a real service that goes away, and after their own end:
 * each that was made is in the evidence once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import type { EvidenceRecord } from '../../src/contract/types.gen.ts';
import { formatLine } from '../../src/outcomes/line.ts';
import { readEvidence } from '../../src/evidence/read.ts';
import { privateFolder } from '../pdp/fixture.ts';
import { serve, type Serving } from './fixture.ts';
import { Host, policyOf, ROOT } from './wrap_fixture.ts';

const SOURCE = '--conditions=portcullis-source';
const SERVER = fileURLToPath(new URL('guarded_process.ts', import.meta.url));
const OWN = fileURLToPath(new URL('wrapped_process.ts', import.meta.url));
const BUNDLE = join(ROOT, 'bundles', 'mcp.tar.gz');

let folder: ReturnType<typeof privateFolder>;
const opened: { close(): unknown }[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  folder.remove();
});

const at = (...names: string[]): string => join(folder.path, ...names);

async function service(): Promise<Serving> {
  const data = at('data.json');
  writeFileSync(data, JSON.stringify(policyOf({ fine: {}, secret: {}, hang: {} })));
  const argv = ['--bundle', BUNDLE, '--policy-data', data, '--data', at('pdp')];
  const serving = await serve(...argv, '--listen', 'null', '--socket', at('pdp', 'run', 's'));
  opened.push({ close: () => isRunning(serving) && serving.stop('SIGKILL') });
  return serving;
}

function isRunning({ child }: Pick<Serving, 'child'>): boolean {
  return child.exitCode === null && child.signalCode === null;
}

function environment(more: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    PORTCULLIS_STATE: at('guard'),
    PORTCULLIS_GUARD_SERVER: 'own',
    PORTCULLIS_GUARD_ENVIRONMENT_DEPLOYMENT: 'local',
    PORTCULLIS_GUARD_SUBJECT_ID: 'user:alice@example.com',
    PORTCULLIS_GUARD_SUBJECT_ACTOR_TYPE: 'human',
    PORTCULLIS_GUARD_OUTCOMES_RETRY_MS_MAX: '100',
    PORTCULLIS_DECISION_POINT_SOCKET: at('pdp', 'run', 's'),
    PORTCULLIS_DECISION_POINT_TIMEOUT_MS: '5000',
    ...more,
  };
}

interface Guarded {
  pid: number;
  stderr(): string;
  /** Whether a call was executed. */
  call(): Promise<boolean>;
}

/** A server of one SDK line, with a client of the same, as a process of its own. */
async function guarded(line: 1 | 2, more: Record<string, string> = {}): Promise<Guarded> {
  const command = {
    command: process.execPath,
    args: [SOURCE, SERVER, String(line)],
    env: environment(more),
    cwd: ROOT,
    stderr: 'pipe' as const,
  };
  const transport = line === 1 ? new Stdio1(command) : new Stdio2(command);
  const info = { name: 'test', version: '1.0.0' };
  const client = line === 1 ? new Client1(info) : new Client2(info);
  let stderr = '';
  transport.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  opened.push(client);
  await client.connect(transport);
  return {
    pid: transport.pid ?? 0,
    stderr: () => stderr,
    call: async () => (await client.callTool({ name: 'fine', arguments: {} })).isError !== true,
  };
}

async function outcomes(): Promise<EvidenceRecord[]> {
  const found: EvidenceRecord[] = [];
  for await (const record of readEvidence(at('pdp', 'evidence'))) {
    if (record.kind.startsWith('outcome')) found.push(record);
  }
  return found;
}

/** Looks until so many outcomes are on record. */
async function recorded(number: number): Promise<EvidenceRecord[]> {
  for (;;) {
    const found = await outcomes();
    if (found.length >= number) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function decided(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { kind, evaluation_id = '' } of readEvidence(at('pdp', 'evidence'))) {
    if (kind === 'decision') ids.push(evaluation_id);
  }
  return ids.sort();
}

const idsOf = (records: readonly EvidenceRecord[]): string[] =>
  records.map(({ evaluation_id = '' }) => evaluation_id).sort();

interface Way {
  socket: string;
  /** Whether reports get there, and whether anybody hears so. */
  outcomes: 'dropped' | 'unanswered';
  taken: number;
}

/** A way to the service on which outcomes, or the answers to them, are lost. */
async function wayTo(): Promise<Way> {
  const way: Way = { socket: at('way', 's'), outcomes: 'dropped', taken: 0 };
  mkdirSync(at('way'), { mode: 0o700 });
  const server = createServer((req, res) => {
    const isOutcome = req.url === '/v1/outcomes';
    if (isOutcome && way.outcomes === 'dropped') return req.socket.destroy();
    const { method, url: path, headers } = req;
    const onward = request({ socketPath: at('pdp', 'run', 's'), method, path, headers });
    onward.on('error', () => req.socket.destroy());
    onward.on('response', (answer) => {
      if (isOutcome) {
        way.taken += 1;
        return void req.socket.destroy();
      }
      res.writeHead(answer.statusCode ?? 500, answer.headers);
      return void answer.pipe(res);
    });
    return void req.pipe(onward);
  });
  server.listen(way.socket);
  await once(server, 'listening');
  opened.push({ close: () => server.close().closeAllConnections() });
  return way;
}

describe.each([1, 2] as const)('a server of the SDK %i.x', (line) => {
  test('whose service is killed and comes back has each outcome on record once', async () => {
    const first = await service();
    const { call, stderr } = await guarded(line);
    const calls = Array.from({ length: 40 }, call);
    const killed = Promise.any(calls).then(() => first.stop('SIGKILL'));
    const done = (await Promise.allSettled(calls)).filter(
      (each) => each.status === 'fulfilled' && each.value,
    ).length;
    await killed;
    expect(done).toBeGreaterThan(0);
    await service();
    expect(await recorded(done)).toHaveLength(done);
    expect(await call()).toBe(true);
    const found = await recorded(done + 1);
    expect(new Set(idsOf(found)).size).toBe(done + 1);
    expect(found.every(({ status, occurred_at }) => status === 'executed' && occurred_at)).toBe(
      true,
    );
    expect(stderr()).not.toContain('an outcome was not reported');
  });

  test('that is killed before it delivered anything delivers it at its next start', async () => {
    await service();
    const way = await wayTo();
    way.outcomes = 'dropped';
    const { call, pid } = await guarded(line, { PORTCULLIS_DECISION_POINT_SOCKET: way.socket });
    const calls = await Promise.all(Array.from({ length: 20 }, call));
    process.kill(pid, 'SIGKILL');
    expect([new Set(calls), await outcomes()]).toEqual([new Set([true]), []]);
    expect(statSync(at('guard', 'outcomes', 'own', '1')).mode & 0o777).toBe(0o700);
    await guarded(line);
    expect(idsOf(await recorded(20))).toEqual(await decided());
  });

  test('that never hears that its outcomes are recorded leaves one record of each', async () => {
    const first = await service();
    const way = await wayTo();
    way.outcomes = 'unanswered';
    const more = { PORTCULLIS_DECISION_POINT_SOCKET: way.socket };
    const { call, pid } = await guarded(line, more);
    expect(await Promise.all([call(), call(), call()])).toEqual([true, true, true]);
    await recorded(3);
    while (way.taken < 4) await new Promise((resolve) => setTimeout(resolve, 20));
    process.kill(pid, 'SIGKILL');
    // Nor does a service that was started again record them again.
    expect(await first.stop('SIGTERM')).toBe(0);
    await service();
    const again = await guarded(line);
    expect(await again.call()).toBe(true);
    expect(idsOf(await recorded(4))).toEqual(await decided());
  });
});

test('a second process has a folder of its own, and the first to start again empties both', async () => {
  const first = await service();
  const both = [await guarded(1), await guarded(2)];
  expect(await Promise.all(both.map(({ call }) => call()))).toEqual([true, true]);
  await recorded(2);
  await first.stop('SIGKILL');
  for (const { pid } of both) process.kill(pid, 'SIGKILL');
  const report = { evaluation_id: 'left-behind', status: 'executed' } as const;
  const left = at('guard', 'outcomes', 'own', '2', '0000000000000001.spool');
  expect(existsSync(left)).toBe(true);
  writeFileSync(left, formatLine({ number: 1, report }));
  await service();
  const { call } = await guarded(1);
  expect(idsOf(await recorded(3))).toContain('left-behind');
  expect(await call()).toBe(true);
});

test.each([
  ['cannot be made', ['file', 'outcomes'], 'ENOTDIR'],
  ['others can write', ['open'], 'chmod go-w'],
])('a folder that %s fails the start, and says so', async (_what, names, told) => {
  await service();
  writeFileSync(at('file'), '');
  mkdirSync(at('open'));
  chmodSync(at('open'), 0o777);
  const directory = at(...names);
  const env = environment({ PORTCULLIS_GUARD_OUTCOMES_DIRECTORY: directory });
  const child = spawn(process.execPath, [SOURCE, SERVER, '1'], { env, cwd: ROOT });
  opened.push({ close: () => child.kill('SIGKILL') });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(1);
  expect(stderr).toContain('OUTCOMES_UNWRITABLE');
  expect(stderr).toContain(told);
});

describe('portcullis wrap', () => {
  const options = (): string[] => ['wrap', '--server', 'own', '--data', at('guard')];
  const wrapped = (): Host => {
    const host = new Host([...options(), '--', process.execPath, OWN], environment());
    opened.push({ close: () => host.process.kill('SIGKILL') });
    return host;
  };

  test('[O-03] told to stop, it delivers the outcomes of what it did', async () => {
    const first = await service();
    const host = wrapped();
    await host.greet();
    for (let id = 1; id <= 20; id += 1) expect(await host.call(id, 'secret')).toBe('secret');
    host.process.kill('SIGTERM');
    expect(await host.exited).toBe(0);
    expect(idsOf(await outcomes())).toEqual(await decided());
    expect(await first.stop('SIGTERM')).toBe(0);
  });

  test('[O-03] what it cannot deliver when it stops it delivers at its next start', async () => {
    const first = await service();
    const host = wrapped();
    await host.greet();
    expect(await host.call(1, 'secret')).toBe('secret');
    host.say({ id: 2, method: 'tools/call', params: { name: 'hang', arguments: {} } });
    while ((await decided()).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await recorded(1);
    await first.stop('SIGKILL');
    host.process.kill('SIGTERM');
    expect(await host.exited).toBe(0);
    expect(host.stderr).toContain('outcomes stay for the next start of the guard');
    await service();
    const next = wrapped();
    await next.greet();
    const found = await recorded(2);
    expect(idsOf(found)).toEqual(await decided());
    expect(found.map(({ status }) => status)).toEqual(['executed', 'abandoned']);
  });
});
