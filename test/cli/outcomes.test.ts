/**
 * Outcomes of real guarded servers, before a real service that goes away, and after their own end:
 * each that was made is in the evidence once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { formatLine } from '../../src/outcomes/line.ts';
import {
  at,
  begin,
  decided,
  end,
  environment,
  idsOf,
  keep,
  outcomes,
  pause,
  recorded,
  service,
} from './outcomes_fixture.ts';
import { ROOT } from './wrap_fixture.ts';

const SOURCE = '--conditions=portcullis-source';
const SERVER = fileURLToPath(new URL('guarded_process.ts', import.meta.url));

beforeEach(begin);
afterEach(end);

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
  keep(client);
  await client.connect(transport);
  return {
    pid: transport.pid ?? 0,
    stderr: () => stderr,
    call: async () => (await client.callTool({ name: 'fine', arguments: {} })).isError !== true,
  };
}

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
  keep({ close: () => server.close().closeAllConnections() });
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
    while (way.taken < 4) await pause();
    process.kill(pid, 'SIGKILL');
    // Nor does a service that was started again record them again.
    expect(await first.stop('SIGTERM')).toBe(0);
    await service();
    const again = await guarded(line);
    expect(await again.call()).toBe(true);
    expect(idsOf(await recorded(4))).toEqual(await decided());
  });
});

test('a second process has a folder of its own, and the next to start empties both', async () => {
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
  keep({ close: () => child.kill('SIGKILL') });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  expect(code).toBe(1);
  expect(stderr).toContain('OUTCOMES_UNWRITABLE');
  expect(stderr).toContain(told);
});
