/** Requests, and the servers that pretend to be a decision point. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createRawServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { DiscoveryRequest, EvaluationRequest } from '../../../src/contract/types.gen.ts';
import {
  remoteDecisionPoint,
  type RemoteDecisionPoint,
  type RemoteSettings,
} from '../../../src/decision/remote/remote_decision_point.ts';
import { DIGEST, tokenOf } from '../../pdp/fixture.ts';

const SUBJECT = { type: 'identity', id: 'user:alice@example.com' } as const;
const CONTEXT = { profile: 'mcp/1', phase: 'call' } as const;
const TOOL = { type: 'tool', id: 'transfer', properties: { server: 'payments' } } as const;

export const CALL: EvaluationRequest = {
  subject: SUBJECT,
  action: { name: 'tools/call' },
  resource: TOOL,
  context: CONTEXT,
};

export const LIST: DiscoveryRequest = {
  subject: SUBJECT,
  action: { name: 'tools/list' },
  context: { profile: 'mcp/1', phase: 'discovery' },
  evaluations: [{ resource: TOOL }, { resource: TOOL }],
  options: { portcullis: { discovery: { catalogue_digest: DIGEST } } },
};

/** A service over TCP, with a token of its callers. */
interface Door {
  url: string;
  id?: string | undefined;
  token?: string | undefined;
}

export function remote(
  where: { socket: string } | Door,
  settings: Partial<RemoteSettings> = {},
): RemoteDecisionPoint {
  const address =
    'socket' in where ? where : { url: where.url, token: () => tokenOf([], where.id, where.token) };
  return remoteDecisionPoint(
    {
      address,
      timeout_ms: 2000,
      watch_interval_ms: 20,
      answer_bytes_max: 10_000,
      connections_max: 4,
      ...settings,
    },
    { id: () => crypto.randomUUID() },
    { now_ms: () => Date.now() },
  );
}

export interface Pretender {
  url: string;
  close(): Promise<void>;
}

async function listening(server: Server, connections: Set<Socket>, at: number | string) {
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => connections.delete(socket));
  });
  if (typeof at === 'string') server.listen(at);
  else server.listen(at, '127.0.0.1');
  await once(server, 'listening');
  const port = typeof at === 'string' ? 0 : (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of connections) socket.destroy();
      await closed;
    },
  };
}

/** A server that does with each connection what it is told. */
export function pretendRaw(act: (socket: Socket) => void, at: number | string = 0) {
  return listening(createRawServer(act), new Set(), at);
}

/** A server that answers each request as it is told. */
export function pretend(
  act: (request: IncomingMessage, body: Buffer, response: ServerResponse) => void,
  at: number | string = 0,
): Promise<Pretender> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => act(request, Buffer.concat(chunks), response));
  });
  return listening(server, new Set(), at);
}

/** A server that always answers with this status, body and headers. */
export function pretendAnswer(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
  at: number | string = 0,
): Promise<Pretender> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return pretend((_request, _body, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text);
  }, at);
}
