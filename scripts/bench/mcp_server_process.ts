/** An MCP server over stdio with one tool, guarded where it is told to. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { guard } from 'portcullis';
import { z } from 'zod';

const [name = 'tool', way] = process.argv.slice(2);

const server = new McpServer({ name: 'bench', version: '1.0.0' });
const inputSchema = { amount: z.number() };
server.registerTool(name, { description: 'Answers at once.', inputSchema }, () => ({
  content: [{ type: 'text', text: 'done' }],
}));
await (way === 'guarded' ? guard(server) : server).connect(new StdioServerTransport());
