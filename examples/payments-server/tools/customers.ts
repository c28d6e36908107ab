/**
 * Customers: personal data beside harmless fields. What a policy may withhold is optional in the
 * output schemas, so that a client still accepts a result with less in it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { SEGMENTS, type Customer, type Ledger } from '../ledger.ts';
import { answer } from './answer.ts';

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const customer = z.object({
  id: z.string(),
  segment: z.enum(SEGMENTS),
  since: z.number(),
  name: z.string().optional(),
  email: z.string().optional(),
  phone: z.string().optional(),
  iban: z.string().optional(),
});

/** Long enough to be seen, short enough for a test. */
const STEP_MS = 20;

export function registerCustomers(server: McpServer, ledger: Ledger): void {
  const annotations = { readOnlyHint: true, openWorldHint: false };
  server.registerTool(
    'customer',
    {
      title: 'One customer',
      description: 'Tells who a customer is and how to reach them.',
      inputSchema: { id: z.string().min(1).max(64).describe('Customer id, such as c-1') },
      outputSchema: customer.shape,
      annotations,
    },
    ({ id }) => answer({ ...ledger.customer(id) }),
  );
  server.registerTool(
    'list_customers',
    {
      title: 'Customers',
      description: 'Lists customers, all or those of one segment.',
      inputSchema: { segment: z.enum(SEGMENTS).optional() },
      outputSchema: { customers: z.array(customer), total: z.number() },
      annotations,
    },
    ({ segment }) => {
      const customers = inSegment(ledger, segment);
      return answer({ customers: customers.map((each) => ({ ...each })), total: customers.length });
    },
  );
  server.registerTool(
    'slow_report',
    {
      title: 'Report on customers',
      description: 'Counts customers and accounts, and tells about each step on the way.',
      inputSchema: { segment: z.enum(SEGMENTS).optional() },
      outputSchema: { customers: z.number(), accounts: z.number() },
      annotations,
    },
    async ({ segment }, extra) => answer(await report(server, ledger, segment, extra)),
  );
}

function inSegment(ledger: Ledger, segment: Customer['segment'] | undefined): Customer[] {
  return ledger.customers.filter((each) => segment === undefined || each.segment === segment);
}

/** The messages on the way name the customers, as such messages do. */
async function report(
  server: McpServer,
  ledger: Ledger,
  segment: Customer['segment'] | undefined,
  extra: Extra,
) {
  const customers = inSegment(ledger, segment);
  for (const [step, { name, email }] of customers.entries()) {
    await sleep(STEP_MS, undefined, { signal: extra.signal });
    const data = `counted the accounts of ${name} <${email}>`;
    await server.sendLoggingMessage({ level: 'info', logger: 'report', data }, extra.sessionId);
    await sendProgress(extra, step + 1, customers.length, data);
  }
  const ids = new Set(customers.map(({ id }) => id));
  const accounts = ledger.accounts.filter((account) => ids.has(account.customer));
  return { customers: customers.length, accounts: accounts.length };
}

async function sendProgress(extra: Extra, progress: number, total: number, message: string) {
  const progressToken = extra._meta?.progressToken;
  if (progressToken === undefined) return;
  const params = { progressToken, progress, total, message };
  await extra.sendNotification({ method: 'notifications/progress', params });
}
