/** `portcullis wrap` and the process that it starts: what it is given, and how it ends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { privateFolder } from '../pdp/fixture.ts';
import { run } from './fixture.ts';
import { ended, Host, isRunning, policyOf, wrapArguments } from './wrap_fixture.ts';

const SERVER = join(import.meta.dirname, 'wrapped_process.ts');
const GRANTS = { environment: {}, processes: {}, hang: {}, die: {} };
const SHORT = { PORTCULLIS_WRAP_STOP_GRACE_MS: '300', PORTCULLIS_WRAP_DRAIN_TIMEOUT_MS: '300' };

let folder: ReturnType<typeof privateFolder>;
const pids: number[] = [];
const hosts: Host[] = [];
beforeEach(() => {
  folder = privateFolder();
});
afterEach(async () => {
  for (const { process: child } of hosts.splice(0)) child.kill('SIGKILL');
  for (const pid of pids.splice(0).filter(isRunning)) process.kill(pid, 'SIGKILL');
  folder.remove();
});

interface Started {
  options?: string[];
  variables?: Record<string, string>;
  command?: string[];
}

function start({ options = [], variables = {}, command = [] }: Started = {}): Host {
  const own = wrapArguments(folder.path, policyOf(GRANTS));
  const server = command.length > 0 ? command : [process.execPath, SERVER];
  const host = new Host([...own, ...options, '--', ...server], variables);
  hosts.push(host);
  return host;
}

/** Past the handshake, with the ids of the server's processes. */
async function running(started: Started): Promise<{ host: Host; own: number[] }> {
  const host = start(started);
  await host.greet();
  const own = (await host.call('pids', 'processes')) as number[];
  pids.push(...own);
  expect(own.map(isRunning)).toEqual([true, true]);
  return { host, own };
}

const STUBBORN = { command: [process.execPath, SERVER, 'stubborn'], variables: SHORT };

describe('the server', () => {
  test('is given a cleaned environment, and what is named', async () => {
    const variables = { SECRET_ONE: '1', SECRET_TWO: '2', NODE_OPTIONS: '--no-warnings' };
    const host = start({ options: ['--env', 'SECRET_TWO'], variables });
    await host.greet();
    const given = Object.keys((await host.call(1, 'environment')) as object);
    expect(given).toEqual(expect.arrayContaining(['PATH', 'SECRET_TWO']));
    const inherited =
      /^(HOME|LANG|LANGUAGE|LC_ALL|LC_CTYPE|LOGNAME|PATH|SHELL|TERM|TMPDIR|TZ|USER)$/;
    expect(given.filter((name) => !inherited.test(name))).toEqual(['SECRET_TWO']);
  });

  test('says on standard error under its name, and to its host only messages', async () => {
    const host = start();
    await host.greet();
    expect(host.lines).toHaveLength(1);
    host.process.stdin.end();
    expect(await host.exited).toBe(0);
    expect(host.stderr).toContain('[own] ready \\u001b[31mred\n');
    expect(host.stderr).toContain('dropped what the server sent, which is no message');
    expect(host.lines).toHaveLength(1);
  });

  test('claims the extension in vain: the guard makes its own claim', async () => {
    const { result } = await start().greet();
    const claim = { version: '1.0', supportsDiscoveryFiltering: true };
    const extensions = { 'io.modelcontextprotocol/server-policy-enforcement': claim };
    expect(result).toMatchObject({ capabilities: { extensions } });
    expect(JSON.stringify(result)).not.toContain('"version":"9"');
  });

  test('ends with its host, which still gets its answers', async () => {
    const { host, own } = await running({});
    host.say({ id: 1, method: 'ping' });
    host.process.stdin.end();
    expect(JSON.parse(await host.answerTo(1))).toMatchObject({ result: {} });
    expect(await host.exited).toBe(0);
    expect(own.map(isRunning)).toEqual([false, false]);
  });

  test('that ends neither with its input nor by SIGTERM is killed with its own', async () => {
    const { host, own } = await running(STUBBORN);
    host.say({ id: 1, method: 'tools/call', params: { name: 'hang' } });
    host.process.stdin.end();
    expect(await host.exited).toBe(0);
    expect(own.map(isRunning)).toEqual([false, false]);
    expect(JSON.parse(await host.answerTo(1))).toMatchObject({
      error: { code: -32603, message: 'The connection ended' },
    });
  });

  test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])(
    'ends when the wrapper gets %s',
    async (signal) => {
      const { host, own } = await running(STUBBORN);
      host.process.kill(signal);
      expect(await host.exited).toBe(0);
      expect(own.map(isRunning)).toEqual([false, false]);
    },
  );

  test('is not waited for when the wrapper gets SIGTERM after the end of its input', async () => {
    const variables = { ...SHORT, PORTCULLIS_WRAP_DRAIN_TIMEOUT_MS: '600000' };
    Object.assign(variables, { PORTCULLIS_LOG_LEVEL: 'info' });
    const { host, own } = await running({ variables });
    host.say({ id: 1, method: 'tools/call', params: { name: 'hang' } });
    host.say({ id: 2, method: 'ping' });
    host.process.stdin.end();
    await host.answerTo(2);
    while (!host.stderr.includes('the host ended its input')) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    host.process.kill('SIGTERM');
    expect(await host.exited).toBe(0);
    expect(own.map(isRunning)).toEqual([false, false]);
  });

  test('ends when nobody reads its answers any more', async () => {
    const { host, own } = await running(STUBBORN);
    host.process.stdout.destroy();
    host.say({ id: 1, method: 'ping' });
    expect(await host.exited).toBe(0);
    expect(own.map(isRunning)).toEqual([false, false]);
  });

  test('sees the end of its input when the wrapper is killed', async () => {
    const { host, own } = await running({});
    host.process.kill('SIGKILL');
    await host.exited;
    await ended(own);
  });

  test('that ends is not started again: who waits is told, and so is the host', async () => {
    const { host, own } = await running({});
    host.say({ id: 1, method: 'tools/call', params: { name: 'hang' } });
    host.say({ id: 2, method: 'tools/call', params: { name: 'die' } });
    expect(await host.exited).toBe(3);
    for (const id of [1, 2]) {
      expect(JSON.parse(await host.answerTo(id))).toMatchObject({
        error: { code: -32603, message: 'The server ended' },
      });
    }
    expect(host.stderr).toMatch(/^UPSTREAM_FAILED: the server `.*` ended with code 7\n/m);
    await ended(own);
  });

  test('that does not start is an error with what to do', async () => {
    const host = start({ command: ['no-such-server-anywhere'] });
    expect(await host.exited).toBe(3);
    expect(host.stderr).toContain(
      'UPSTREAM_FAILED: the server `no-such-server-anywhere` cannot be started',
    );
    expect(host.lines).toEqual([]);
  });
});

test('a hidden tool answers as one that does not exist, whatever the server says', async () => {
  const host = start();
  await host.greet();
  const answer = async (name: string) => {
    host.say({ id: name.length, method: 'tools/call', params: { name } });
    return (await host.answerTo(name.length))
      .replaceAll(name, 'NAME')
      .replace(/"id":\d+/, '"id":0');
  };
  const hidden = await answer('secret');
  expect(hidden).toContain('Tool NAME not found');
  expect(await answer('absent_')).toBe(hidden);
});

test('a line of 400 MB is refused, is not kept, and the next one is answered', async () => {
  const host = start({ variables: { PORTCULLIS_WRAP_MESSAGE_BYTES_MAX: '1048576' } });
  await host.greet();
  const status = () => readFileSync(`/proc/${host.process.pid}/status`, 'utf8');
  const peak_kib = () => Number(/^VmHWM:\s+(\d+) kB/m.exec(status())?.[1]);
  const before_kib = peak_kib();
  const { stdin } = host.process;
  const part = 'x'.repeat(1_000_000);
  stdin.write('{"method":"tools/call","params":{"name":"processes","arguments":{"text":"');
  for (let i = 0; i < 400; i += 1) {
    if (!stdin.write(part)) await new Promise((resolve) => stdin.once('drain', resolve));
  }
  stdin.write('"}},"jsonrpc":"2.0","id":1}\n');
  expect(JSON.parse(await host.answerTo(1))).toMatchObject({
    error: { code: -32700, data: { code: 'too_large' } },
  });
  expect(await host.call(2, 'processes')).toHaveLength(2);
  // What is not kept is garbage, of which Node lets about 100 MB lie, however long the line is.
  expect(peak_kib() - before_kib).toBeLessThan(150_000);
});

test.each<[string, string[], number, RegExp]>([
  ['no command', [], 2, /^ARGUMENT_INVALID: there is no server to wrap/],
  ['no policy', ['--', 'true'], 2, /^CONFIGURATION_INVALID: the server has no name/],
  [
    'a variable of its own',
    ['--env', 'PORTCULLIS_STATE', '--', 'true'],
    2,
    /^CONFIGURATION_INVALID: the variable `PORTCULLIS_STATE` configures the wrapper/m,
  ],
])('with %s it does not start', async (_what, argv, code, text) => {
  const named = argv.includes('--env') ? wrapArguments(folder.path, policyOf(GRANTS)) : ['wrap'];
  const { code: found, stdout, stderr } = await run(...named, ...argv);
  expect({ found, stdout }).toEqual({ found: code, stdout: '' });
  expect(stderr).toMatch(text);
});

test('--help has an example', async () => {
  const { code, stdout } = await run('wrap', '--help');
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /Usage: portcullis wrap \[options\] -- <command>[^]*Example:\n {2}\$ portcullis wrap /,
  );
});
