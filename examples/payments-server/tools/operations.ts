/** What machines and developers do: taking the books out, and starting afresh. */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import type { Ledger } from '../ledger.ts';
import { answer, fromCents } from './answer.ts';

const COLUMNS = ['id', 'kind', 'from', 'to', 'amount', 'currency', 'reference'] as const;

export function registerOperations(server: McpServer, ledger: Ledger): void {
  server.registerTool(
    'export_ledger',
    {
      title: 'Export the ledger',
      description: 'Gives all entries of the books, as JSON and, if asked for, as CSV too.',
      inputSchema: { csv: z.boolean().optional().describe('Also embed a text/csv resource') },
      outputSchema: { entries: z.array(z.record(z.string(), z.unknown())) },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ csv = false }) => exported(ledger, csv),
  );
  server.registerTool(
    'reset_sandbox',
    {
      title: 'Reset the sandbox',
      description: 'Forgets all entries and brings the opening balances back. For development.',
      inputSchema: {},
      outputSchema: { forgotten: z.number() },
      annotations: { destructiveHint: true, idempotentHint: true, openWorldHint: false },
    },
    () => answer({ forgotten: ledger.reset() }),
  );
}

function exported(ledger: Ledger, csv: boolean): CallToolResult {
  const entries = ledger.entries.map(({ amount_cents, ...entry }) => ({
    ...entry,
    amount: fromCents(amount_cents),
  }));
  const result = answer({ entries });
  if (!csv) return result;
  const rows = entries.map((entry) => COLUMNS.map((name) => quoted(String(entry[name]))).join(','));
  const text = [COLUMNS.join(','), ...rows].join('\r\n');
  const resource = { uri: 'payments://ledger.csv', mimeType: 'text/csv', text };
  return { ...result, content: [...result.content, { type: 'resource', resource }] };
}

/** RFC 4180; a leading sign would be a formula to a spreadsheet. */
function quoted(field: string): string {
  const inert = /^[=+\-@]/u.test(field) ? `'${field}` : field;
  return `"${inert.replaceAll('"', '""')}"`;
}
