/** A server over HTTP that answers in its own way, with a gateway before it. */
import type { ServerResponse } from 'node:http';
import type { GuardSettings } from '../../../src/pep/settings.ts';
import { postModern } from '../../pep/support/http.ts';
import { plainTool, said } from '../../pep/support/servers.ts';
import { serve, wrapped, type Wrapped } from './http.ts';

export type Asked = { id?: unknown; method: string; params: Record<string, unknown> };
export type Answer = (res: ServerResponse, asked: Asked) => void;

export const RESULTS: Record<string, object> = {
  initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: {} },
  'tools/list': {
    tools: [plainTool('balance')],
    ttlMs: 0,
    cacheScope: 'public',
    resultType: 'complete',
  },
};

export function json(
  res: ServerResponse,
  body: unknown,
  status = 200,
  type = 'application/json',
): void {
  res.writeHead(status, { 'content-type': type, 'mcp-session-id': 'of-the-server' });
  res.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export const answerOf = ({ id }: Asked, result: object) => ({ jsonrpc: '2.0', id, result });

/** A gateway before a server that answers calls in its own way; what it was asked. */
export async function before(
  call: Answer,
  settings: Partial<GuardSettings> = {},
): Promise<Wrapped & { asked: Asked[]; headers: object[] }> {
  const asked: Asked[] = [];
  const headers: object[] = [];
  const { url } = await serve((req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => {
      headers.push(req.headers);
      if (req.method !== 'POST') return res.writeHead(405).end();
      const message = JSON.parse(Buffer.concat(parts).toString()) as Asked;
      asked.push(message);
      const result = RESULTS[message.method];
      if (message.id === undefined) return res.writeHead(202).end();
      if (result) return json(res, answerOf(message, result));
      return call(res, message);
    });
  });
  return { ...(await wrapped(url, {}, { settings })), asked, headers };
}

export const callBalance = (url: string) =>
  postModern(url, 'tools/call', { name: 'balance', arguments: {} });
export const NOT_MCP = {
  error: { code: -32603, message: 'The server did not answer as MCP does' },
};
export const UNREADABLE = { error: { code: -32603, message: 'The answer cannot be read' } };
export const ENDED = { error: { code: -32603, message: 'The server ended its answer' } };
export const done = (asked: Asked) => JSON.stringify(answerOf(asked, said('done')));
export const failed = ({ id }: Asked) => ({
  jsonrpc: '2.0',
  id,
  error: { code: 1, message: 'no' },
});
export const event = (data: string, more = '') => `${more}data: ${data}\n\n`;
export const stream = (res: ServerResponse, text: string) =>
  json(res, text, 200, 'text/event-stream');
