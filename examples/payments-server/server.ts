/** An ordinary MCP server on the official SDK; nothing in it knows of policy. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { Ledger } from './ledger.ts';
import { registerCustomers } from './tools/customers.ts';
import { registerOperations } from './tools/operations.ts';
import { registerPayments } from './tools/payments.ts';

/** A server over the given books; several servers may share them. */
export function buildServer(ledger: Ledger = new Ledger()): McpServer {
  const server = new McpServer(
    { name: 'payments', version: '1.0.0' },
    {
      capabilities: { logging: {} },
      instructions: 'Accounts, payments and customers of a small bank. Amounts are in units.',
    },
  );
  registerPayments(server, ledger);
  registerCustomers(server, ledger);
  registerOperations(server, ledger);
  return server;
}
