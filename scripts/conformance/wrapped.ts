/**
 * A fixture behind `portcullis wrap --upstream`, which is a process of its own. Its clients need a
 * token, and the suite has none: a relay before it adds the token and changes nothing else.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { readTokens } from '../../src/pdp/token_file.ts';
import { host, type Hosted } from '../../test/conformance/fixture/host.ts';
import { CALLER, type Settings } from './policy.ts';

const COMMAND = join(import.meta.dirname, '../../bin/portcullis.js');

/** Starts the wrapper before `upstream`, which is closed with it. */
export async function wrap(upstream: Hosted, settings: Settings): Promise<Hosted> {
  let before: { url: string; token: string } | undefined;
  const relay = await host(
    (req, res) => passOn(req, res, before),
    () => true,
  );
  const { host: name } = new URL(relay.url);
  const child = start(upstream.url, name, settings);
  const close = async () => {
    await relay.close();
    await stop(child);
    await upstream.close();
  };
  try {
    before = await addressOf(child);
    return { url: relay.url, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function start(upstream: string, name: string, settings: Settings): ChildProcess {
  const { state, policy } = settings('main');
  const argv = ['wrap', '--upstream', upstream, '--listen', '127.0.0.1:0', '--data', state];
  argv.push('--server', 'conformance', '--bundle', `${policy.bundle}`);
  argv.push('--policy-data', `${policy.data}`);
  return spawn(process.execPath, [COMMAND, ...argv], {
    cwd: state,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      PORTCULLIS_LOG_LEVEL: 'error',
      PORTCULLIS_GUARD_SUBJECT_ID: CALLER,
      PORTCULLIS_WRAP_HOSTS: name,
    },
  });
}

/** Where it listens, as it says when it does. */
const SAID = /^guards \S+ on (\S+), token in (.+)$/u;

async function addressOf(child: ChildProcess): Promise<{ url: string; token: string }> {
  const { stdout, stderr } = child;
  let said = '';
  stderr?.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(-2_000);
  });
  for await (const line of createInterface({ input: stdout as NodeJS.ReadableStream })) {
    const [, url, file] = SAID.exec(line) ?? [];
    const [first] = file === undefined ? [] : readTokens(file);
    if (url !== undefined && first) return { url, token: first.token };
  }
  throw new Error(`the wrapper did not start: ${said}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  await once(child, 'exit');
}

async function passOn(
  req: IncomingMessage,
  res: ServerResponse,
  before: { url: string; token: string } | undefined,
): Promise<void> {
  if (before === undefined) return void res.writeHead(503).end();
  const headers = { ...req.headers, authorization: `Bearer ${before.token}` };
  const sent = request(before.url, { method: req.method, headers });
  res.once('close', () => sent.destroy());
  req.pipe(sent);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  res.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
  // A client that goes away ends the stream, which is no fault.
  await pipeline(answer, res).catch(() => undefined);
}
