/** A wrapped HTTP server between a test and a server that nobody guarded. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { HttpGateway, type HttpGatewayParts } from '../../../src/gateway/http/gateway.ts';
import type { RequestExtra, TrustedContext } from '../../../src/identity/types.ts';
import { Connection, shareOf } from '../../../src/pep/connection.ts';
import { sendWebResponse, toWebRequest } from '../../../src/pep/mcp/http_node.ts';
import { PolicyWatches } from '../../../src/pep/policy_watch.ts';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import { ALICE, testParts, type TestParts } from '../../pep/support/parts.ts';
import type { Script } from '../../pep/support/scripted.ts';
import { buildServer, type HighServer } from '../../pep/support/servers.ts';

type Handle = (req: IncomingMessage, res: ServerResponse) => void;

const closing: (() => unknown)[] = [];

export async function closeAll(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

/** Serves on a port of its own; `heard` are the requests that came. */
export async function serve(handle: Handle): Promise<{ url: string; heard: IncomingMessage[] }> {
  const heard: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    heard.push(req);
    handle(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, heard };
}

type Fetch = (request: Request, parsedBody: unknown) => Promise<Response>;

function overNode(answer: Fetch): Handle {
  return (req, res) => {
    void (async () => {
      const gone = new AbortController();
      res.once('close', () => gone.abort());
      const web = toWebRequest(req, gone.signal, Infinity);
      if (!web) throw new Error('no request');
      let text = '';
      for await (const chunk of web.source ?? []) text += Buffer.from(chunk).toString();
      const body = text === '' ? undefined : (JSON.parse(text) as unknown);
      await sendWebResponse(await answer(web.request, body), res);
    })().catch(() => res.destroy());
  };
}

/** A server of the 1.x line with sessions. */
export function sessionful(build: () => HighServer = () => buildServer(1)): Handle {
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>();
  return overNode(async (request, parsedBody) => {
    const id = request.headers.get('mcp-session-id');
    const known = id === null ? undefined : sessions.get(id);
    if (known) return known.handleRequest(request, { parsedBody });
    if (id !== null) return Response.json({}, { status: 404 });
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (begun) => void sessions.set(begun, transport),
    });
    const server = build();
    await server.connect(transport);
    closing.push(() => server.close());
    return transport.handleRequest(request, { parsedBody });
  });
}

/** A server of the 2.x line, which speaks both eras. */
export function dualEra(legacy: 'stateless' | 'reject' = 'stateless'): Handle {
  const handler = createMcpHandler(() => buildServer(2) as never, { legacy });
  return overNode((request, parsedBody) => handler.fetch(request, { parsedBody }));
}

export interface Wrapped {
  url: string;
  parts: TestParts;
  gateway: HttpGateway;
}

interface WrappedOptions {
  settings?: Partial<GuardSettings>;
  headers?: Record<string, string>;
  message_bytes_max?: number;
}

/** A gateway before `upstream`, which knows its callers by the names that they give. */
export async function wrapped(
  upstream: string,
  script: Script = {},
  { settings, headers = {}, message_bytes_max = 65_536 }: WrappedOptions = {},
): Promise<Wrapped> {
  const parts = testParts(script, settings, { identity: byName });
  const watches = new PolicyWatches(parts.decisionPoint, parts.settings, parts.log);
  const shared = shareOf(parts, watches);
  const hosts = new Set<string>();
  const gateway = new HttpGateway({
    open: (wire) => new Connection(parts, shared, 2, wire),
    upstream: { url: upstream, headers, message_bytes_max },
    guard: parts,
    hosts,
    authenticate: knownBy((header) => header?.replace('Bearer ', '')),
  });
  const { url } = await serve((req, res) => void gateway.handle(req, res));
  hosts.add(new URL(url).host);
  closing.push(() => gateway.close());
  return { url, parts, gateway };
}

/** Callers that are whoever their header says; undefined is turned away. */
export function knownBy(
  authInfoOf: (authorization: string | undefined) => unknown,
): HttpGatewayParts['authenticate'] {
  return (request, given) => {
    const authInfo = authInfoOf(request.headers.get('authorization') ?? undefined);
    const unknown = authInfo === undefined;
    return Promise.resolve(unknown ? Response.json({}, { status: 401 }) : { ...given, authInfo });
  };
}

function byName({ authInfo }: RequestExtra): TrustedContext | undefined {
  return { ...ALICE, subject: { ...ALICE.subject, id: String(authInfo) } };
}
