/** The real transports of both SDK lines, in front of a guarded server or of one that is not. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { StdioServerTransport as Stdio1 } from '@modelcontextprotocol/sdk/server/stdio.js';
import { serveStdio, StdioServerTransport as Stdio2 } from '@modelcontextprotocol/server/stdio';
import type { Transport } from '../../../src/pep/transport.ts';
import { HELLO } from '../../pep/support/rig.ts';
import type { HighServer, Line } from '../../pep/support/servers.ts';
import { callOf, requestOf } from './bank.ts';

/** What an attacker reaches of a server. */
export interface Wire {
  /**
   * Sends a text as a message of its own, and yields what is heard until a lawful call that came
   * after it was answered.
   */
  say(text: string | Uint8Array, headers?: Record<string, string>): Promise<string>;
  /** All that was ever heard. */
  heard(): string;
  close(): Promise<unknown>;
}

export interface HttpWire extends Wire {
  url: string;
  headers: Record<string, string>;
}

/** Serves the requests of a host on its own account. */
export type Handle = (req: IncomingMessage, res: ServerResponse) => unknown;

export interface HttpParts {
  /** What `Authorization` says. */
  as?: string | undefined;
  sessions?: boolean | undefined;
  close?: () => unknown;
}

export async function overHttp(handle: Handle, parts: HttpParts = {}): Promise<HttpWire> {
  const server = createServer((req, res) => void handle(req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    authorization: `Bearer ${parts.as ?? 'alice'}`,
  };
  let all = '';
  const post = async (body: string | Uint8Array, more: Record<string, string> = {}) => {
    const sent = Object.entries({ ...headers, ...more }).filter(([, value]) => value !== '');
    const init = { method: 'POST', headers: Object.fromEntries(sent), body: body as string };
    const response = await fetch(url, init);
    const text = await response.text();
    all += `${response.status} ${JSON.stringify([...response.headers])}\n${text}\n`;
    return { response, text };
  };
  if (parts.sessions) headers['mcp-session-id'] = await beginSession(post);
  let barriers = 0;
  return {
    url,
    headers,
    heard: () => all,
    async say(text, more) {
      const from = all.length;
      await post(text, more);
      await post(JSON.stringify(callOf('balance', {}, `barrier-${(barriers += 1)}`)));
      return all.slice(from);
    },
    async close() {
      await parts.close?.();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Post = (body: string) => Promise<{ response: Response }>;

async function beginSession(post: Post): Promise<string> {
  const { response } = await post(JSON.stringify(requestOf('initialize', HELLO, 'hello')));
  return response.headers.get('mcp-session-id') ?? '';
}

/** Reads a request of Node into one of the web, and sends the response of the web. */
export function webHandle(serve: (request: Request, body: Buffer) => Promise<Response>): Handle {
  return async (req, res) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const { method = 'GET', headers } = req;
    const request = new Request(`http://${headers.host}${req.url}`, {
      method,
      headers: headers as Record<string, string>,
      ...(method === 'POST' && { body }),
    });
    const response = await serve(request, body);
    res.writeHead(response.status, Object.fromEntries(response.headers));
    res.flushHeaders();
    if (response.body) Readable.fromWeb(response.body as never).pipe(res);
    else res.end();
  };
}

/** What stands on a wire: a server, or an entry that builds one. Yields how to close it. */
export type Serve = (transport: Transport) => Promise<() => Promise<void>>;

/** A real stdio transport over a pair of pipes. */
export function overStdio(line: Line, serve: Serve): Promise<Wire> {
  const Stdio = line === 1 ? Stdio1 : Stdio2;
  return overPipes((stdin, stdout) => serve(new Stdio(stdin, stdout) as unknown as Transport));
}

/** A server that answers nothing any more fails its test and not the run. */
const ANSWER_MS_MAX = 10_000;

/** A pair of pipes with a server at their end, past the handshake. */
export async function overPipes(
  serve: (stdin: PassThrough, stdout: PassThrough) => Promise<() => unknown>,
  protocolVersion = HELLO.protocolVersion,
): Promise<Wire> {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let all = '';
  stdout.on('data', (chunk: Buffer) => (all += chunk.toString()));
  const close = await serve(stdin, stdout);
  const ask = async (message: object, id: string) => {
    stdin.write(`${JSON.stringify(message)}\n`);
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    while (!all.includes(`"id":"${id}"`)) await once(stdout, 'data', { signal });
  };
  const hello = { ...HELLO, protocolVersion };
  await ask(requestOf('initialize', hello, 'hello'), 'hello');
  stdin.write('{"jsonrpc":"2.0","method":"notifications/initialized"}\n');
  let barriers = 0;
  return {
    close: async () => close(),
    heard: () => all,
    async say(text) {
      const from = all.length;
      const id = `barrier-${(barriers += 1)}`;
      stdin.write(text);
      stdin.write('\n');
      await ask(callOf('balance', {}, id), id);
      return all.slice(from);
    },
  };
}

/** The entry of 2.x, which answers some messages before a server sees them. */
export function entry(build: () => HighServer, wrap: (wire: Transport) => Transport): Serve {
  return async (transport) => {
    const handle = serveStdio(build as never, { transport: wrap(transport) as never });
    return () => handle.close();
  };
}
