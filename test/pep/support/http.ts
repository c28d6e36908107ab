/** A guarded endpoint on loopback, behind a host that trusts the name in `Authorization`. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGuard } from '../../../src/pep/mcp/guard.ts';
import type { HttpGuard, HttpOptions } from '../../../src/pep/mcp/http.ts';
import type { ServerFactory } from '../../../src/pep/mcp/http_types.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import type { RequestExtra, TrustedContext } from '../../../src/identity/types.ts';
import { ALICE, testParts, type TestParts } from './parts.ts';
import type { Script } from './scripted.ts';

interface Endpoint {
  url: string;
  parts: TestParts;
  handler: HttpGuard;
  close: () => Promise<void>;
}

interface HttpRigOptions extends HttpOptions {
  settings?: Partial<GuardSettings>;
  /** Reads the body before the guard, as a body parser does. */
  parse?: (text: string) => unknown;
}

async function serve(
  factory: ServerFactory,
  script: Script = {},
  { settings, parse, ...options }: HttpRigOptions = {},
): Promise<Endpoint> {
  const parts = testParts(script, settings, { identity: byName });
  const handler = createGuard(parts).http(factory, options);
  const server = createServer((req, res) => {
    void authenticate(req, parse)
      .then(() => handler(req, res))
      .catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    parts,
    handler,
    close: () => stop(server, handler),
  };
}

const running: Endpoint[] = [];

/** As `serve`, closed with all others by `closeAll`. */
export async function started(...args: Parameters<typeof serve>): Promise<Endpoint> {
  const endpoint = await serve(...args);
  running.push(endpoint);
  return endpoint;
}

export async function closeAll(): Promise<void> {
  await Promise.all(running.splice(0).map(({ close }) => close()));
}

export function callOf(name: string, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: {} } };
}

async function authenticate(
  req: IncomingMessage,
  parse?: (text: string) => unknown,
): Promise<void> {
  const name = req.headers.authorization?.replace('Bearer ', '');
  const host = req as { auth?: unknown; body?: unknown };
  if (name) host.auth = { token: 'not-to-be-told', clientId: 'c', scopes: [], extra: { name } };
  if (!parse) return;
  let text = '';
  for await (const chunk of req) text += String(chunk);
  host.body = parse(text);
}

function byName({ authInfo }: RequestExtra): TrustedContext | undefined {
  const name = (authInfo as { extra?: { name?: string } } | undefined)?.extra?.name;
  return name === undefined ? undefined : { ...ALICE, subject: { ...ALICE.subject, id: name } };
}

async function stop(server: Server, handler: HttpGuard): Promise<void> {
  await handler.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

export const VERSION = '2026-07-28';

/** The envelope of a modern request. */
export const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'tester', version: '9' },
};

export function post(
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: 'Bearer user:alice',
      ...headers,
    },
    body:
      typeof body === 'string' || body instanceof Uint8Array
        ? (body as string)
        : JSON.stringify(body),
  });
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  },
};

/** The id of a new session; empty where none began. */
export async function beginSession(url: string, headers = {}): Promise<string> {
  const response = await post(url, INITIALIZE, headers);
  await response.text();
  return response.headers.get('mcp-session-id') ?? '';
}

/** A modern request with the headers that mirror it. */
export function postModern(
  url: string,
  method: string,
  params: Record<string, unknown> = {},
  headers: Record<string, string> = {},
  _meta: object = ENVELOPE,
): Promise<Response> {
  const message = { jsonrpc: '2.0', id: 1, method, params: { ...params, _meta } };
  return post(url, message, {
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    ...(typeof params['name'] === 'string' && { 'mcp-name': params['name'] }),
    ...headers,
  });
}

/** The one message of a response, JSON or event stream. */
export async function messageOf(response: Response): Promise<unknown> {
  const text = await response.text();
  const data = /^data: (.*)$/m.exec(text)?.[1] ?? text;
  return JSON.parse(data) as unknown;
}
