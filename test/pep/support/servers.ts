/** The same small server in both SDK lines, high level and low level. */
import { Server as Server1 } from '@modelcontextprotocol/sdk/server/index.js';
import { McpServer as McpServer1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { McpServer as McpServer2, Server as Server2 } from '@modelcontextprotocol/server';
import { z } from 'zod';

const info = { name: 'payments', version: '1.0.0' };
const capabilities = { tools: { listChanged: true }, logging: {} };

export type Line = 1 | 2;
export const LINES: readonly Line[] = [1, 2];

/** What the tools did. */
export interface Journal {
  calls: { name: string; args: unknown; extra: unknown }[];
}

const BALANCE = { account: 'a-1', amount: 12, owner: { name: 'Alice', ssn: '123' } };

export type ToolResult = {
  content: { type: 'text'; text: string }[];
  structuredContent?: Record<string, unknown>;
  isError?: boolean;
};

const balance: ToolResult = {
  content: [{ type: 'text', text: JSON.stringify(BALANCE) }],
  structuredContent: BALANCE,
};

type Handler = (args: unknown, extra: unknown) => ToolResult | Promise<ToolResult>;

/** Common face of both `McpServer`s, as far as the tests use it. */
export interface HighServer {
  connect(transport: unknown): Promise<void>;
  close(): Promise<void>;
  registerTool(name: string, config: object, handler: Handler): { update(config: object): void };
  sendToolListChanged(): void;
  sendLoggingMessage(params: object): Promise<void>;
  server: object;
}

export function newServer(line: Line, options: object = { capabilities }): HighServer {
  const server = line === 1 ? new McpServer1(info, options) : new McpServer2(info, options);
  return server as unknown as HighServer;
}

/** Tools `balance`, `transfer {amount, to}`, `secret` and `broken`. */
export function buildServer(
  line: Line,
  journal: Journal = { calls: [] },
  more: Readonly<Record<string, Handler>> = {},
): HighServer {
  const server = newServer(line);
  const tool = (name: string, config: object, handler: Handler) =>
    server.registerTool(name, config, (args, extra) => {
      journal.calls.push({ name, args, extra });
      return handler(args, extra);
    });
  const account = z.object({ account: z.string().optional() });
  tool(
    'balance',
    { description: 'The balance of an account', inputSchema: account },
    () => balance,
  );
  const transfer = z.object({ amount: z.number(), to: z.string(), note: z.string().optional() });
  tool('transfer', { inputSchema: transfer }, () => said('transferred'));
  tool('secret', { description: 'Nobody sees this', inputSchema: z.object({}) }, () => said('no!'));
  tool('broken', { inputSchema: z.object({}) }, () => {
    throw new Error('the database password is hunter2');
  });
  for (const [name, handler] of Object.entries(more)) {
    tool(name, { inputSchema: z.object({}).loose() }, handler);
  }
  return server;
}

export function said(text: string): ToolResult {
  return { content: [{ type: 'text', text }] };
}

/** The id under which the server knows the request that a handler serves. */
export function requestIdOf(extra: unknown): unknown {
  const { requestId, mcpReq } = extra as { requestId?: unknown; mcpReq?: { id: unknown } };
  return requestId ?? mcpReq?.id;
}

/** A server without `McpServer`, which has a text of its own for a tool that it does not know. */
export function buildLowLevel(
  line: Line,
  list: (cursor: string | undefined) => object = () => ({ tools: [plainTool('balance')] }),
  call: (name: string) => ToolResult = () => balance,
): HighServer {
  const answer = (params: { name: string }) => {
    if (params.name === 'balance') return call(params.name);
    throw new Error(`no such thing as ${params.name} here`);
  };
  const cursor = (params: { cursor?: string | undefined } | undefined) => params?.cursor;
  if (line === 1) {
    // oxlint-disable-next-line typescript/no-deprecated -- servers of this kind are guarded too
    const server = new Server1(info, { capabilities });
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => list(cursor(params)) as never);
    server.setRequestHandler(CallToolRequestSchema, ({ params }) => answer(params) as never);
    return server as unknown as HighServer;
  }
  // oxlint-disable-next-line typescript/no-deprecated -- servers of this kind are guarded too
  const server = new Server2(info, { capabilities });
  server.setRequestHandler('tools/list', ({ params }) => list(cursor(params)) as never);
  server.setRequestHandler('tools/call', ({ params }) => answer(params) as never);
  return server as unknown as HighServer;
}

export function plainTool(name: string, more: object = {}): object {
  return { name, inputSchema: { type: 'object' }, ...more };
}
