/** Accounts and money: what tellers work with. */
import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { CURRENCIES, type Entry, type Ledger } from '../ledger.ts';
import { amount, answer, fromCents, toCents } from './answer.ts';

const account = z.string().min(1).max(64).describe('Account id, such as acc-1');
const reference = z.string().max(140).describe('Text for the statement');

const booking = {
  id: z.string(),
  from: z.string(),
  to: z.string(),
  amount: z.number(),
  currency: z.enum(CURRENCIES),
};

export function registerPayments(server: McpServer, ledger: Ledger): void {
  server.registerTool(
    'balance',
    {
      title: 'Balance of an account',
      description: 'Tells the balance of one account.',
      inputSchema: { account },
      outputSchema: {
        account: z.string(),
        currency: z.enum(CURRENCIES),
        balance: z.number().optional(),
      },
      annotations: { readOnlyHint: true, openWorldHint: false },
    },
    ({ account: id }) => {
      const { currency, balance_cents } = ledger.account(id);
      return answer({ account: id, currency, balance: fromCents(balance_cents) });
    },
  );
  server.registerTool(
    'transfer',
    {
      title: 'Transfer between accounts',
      description: 'Moves money from one account to another in the same currency, at once.',
      inputSchema: {
        from: account,
        to: account,
        amount,
        currency: z.enum(CURRENCIES),
        reference: reference.optional(),
      },
      outputSchema: booking,
      annotations: { destructiveHint: true, idempotentHint: false, openWorldHint: false },
    },
    ({ from, to, amount: units, currency, reference: text = '' }) => {
      const order = { from, to, amount_cents: toCents(units), currency, reference: text };
      return answer(bookingOf(ledger.transfer(order)));
    },
  );
  server.registerTool(
    'refund',
    {
      title: 'Refund a payment',
      description: 'Pays a transfer back to the account that it came from, in part or whole.',
      inputSchema: {
        payment: z.string().min(1).max(64).describe('Id of the transfer, such as e-1'),
        amount,
        reason: z.string().min(1).max(140),
      },
      outputSchema: booking,
      annotations: { destructiveHint: true, idempotentHint: false, openWorldHint: false },
    },
    ({ payment, amount: units, reason }) =>
      answer(bookingOf(ledger.refund(payment, toCents(units), reason))),
  );
}

function bookingOf({ id, from, to, amount_cents, currency }: Entry) {
  return { id, from, to, amount: fromCents(amount_cents), currency };
}
