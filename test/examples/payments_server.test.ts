import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import {
  LoggingMessageNotificationSchema,
  type CallToolResult,
} from '@modelcontextprotocol/sdk/types.js';
import { buildServer } from '../../examples/payments-server/server.ts';

let client: Client;
const logged: unknown[] = [];

beforeEach(async () => {
  const [here, there] = InMemoryTransport.createLinkedPair();
  client = new Client({ name: 'test', version: '1.0.0' });
  logged.length = 0;
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    logged.push(params.data);
  });
  await buildServer().connect(there);
  await client.connect(here);
  // From here on the client checks each result against the output schema of its tool.
  await client.listTools();
});

afterEach(() => client.close());

async function call(name: string, args: Record<string, unknown> = {}) {
  return (await client.callTool({ name, arguments: args })) as CallToolResult;
}

/** The structured value of a result, after making sure that the text mirrors it. */
async function structured(name: string, args: Record<string, unknown> = {}) {
  const { content, structuredContent, isError } = await call(name, args);
  expect(isError).toBeUndefined();
  const [text] = content;
  expect(text).toEqual({ type: 'text', text: JSON.stringify(structuredContent) });
  return structuredContent;
}

const pay = (amount: number, members: object = {}) => ({
  from: 'acc-1',
  to: 'acc-2',
  amount,
  currency: 'EUR',
  ...members,
});

test('the server names itself and its tools, each with what goes in and out', async () => {
  expect(client.getServerVersion()?.name).toBe('payments');
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name)).toEqual([
    'balance',
    'transfer',
    'refund',
    'customer',
    'list_customers',
    'slow_report',
    'export_ledger',
    'reset_sandbox',
  ]);
  for (const tool of tools) {
    expect(tool).toMatchObject({
      title: expect.any(String),
      description: expect.any(String),
      inputSchema: { type: 'object', properties: expect.any(Object) },
      outputSchema: { type: 'object' },
      annotations: { openWorldHint: false },
    });
  }
});

test('a transfer and its refund move money', async () => {
  expect(await structured('balance', { account: 'acc-1' })).toEqual({
    account: 'acc-1',
    currency: 'EUR',
    balance: 25_000,
  });
  const booking = { id: 'e-1', from: 'acc-1', to: 'acc-2', amount: 99.95, currency: 'EUR' };
  expect(await structured('transfer', pay(99.95))).toEqual(booking);
  expect(await structured('balance', { account: 'acc-1' })).toMatchObject({ balance: 24_900.05 });
  const refund = { payment: 'e-1', amount: 9.95, reason: 'late' };
  expect(await structured('refund', refund)).toEqual({
    ...booking,
    id: 'e-2',
    from: 'acc-2',
    to: 'acc-1',
    amount: 9.95,
  });
  expect(await structured('balance', { account: 'acc-1' })).toMatchObject({ balance: 24_910 });
});

describe('the books refuse', () => {
  test.each([
    ['an unknown account', 'balance', { account: 'acc-9' }, 'there is no such account'],
    [
      'an account paying itself',
      'transfer',
      pay(1, { to: 'acc-1' }),
      'an account cannot pay itself',
    ],
    [
      'another currency',
      'transfer',
      pay(1, { to: 'acc-4' }),
      'both accounts must be in the currency of the payment',
    ],
    ['more than there is', 'transfer', pay(25_000.01), 'the balance does not suffice'],
    ['less than a cent', 'transfer', pay(0.001), 'the amount is less than a cent'],
    [
      'a refund of nothing',
      'refund',
      { payment: 'e-1', amount: 1, reason: 'x' },
      'there is no such payment',
    ],
    ['an unknown customer', 'customer', { id: 'c-9' }, 'there is no such customer'],
  ])('%s', async (_what, name, args, text) => {
    expect(await call(name, args)).toMatchObject({
      isError: true,
      content: [{ type: 'text', text }],
    });
  });

  test('refunds that together exceed what was paid', async () => {
    await structured('transfer', pay(10));
    await structured('refund', { payment: 'e-1', amount: 6, reason: 'x' });
    expect(await call('refund', { payment: 'e-1', amount: 6, reason: 'x' })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'the refund exceeds what was paid' }],
    });
  });

  test.each([
    ['a negative amount', 'transfer', pay(-1)],
    ['an amount that is text', 'transfer', pay('1' as unknown as number)],
    ['an unknown segment', 'list_customers', { segment: 'secret' }],
  ])('%s, which breaks the input schema', async (_what, name, args) => {
    expect(await call(name, args)).toMatchObject({ isError: true });
  });
});

test('customers come with their personal data', async () => {
  const ada = {
    id: 'c-1',
    segment: 'private',
    since: 2011,
    name: 'Ada Marlow',
    email: 'ada.marlow@example.com',
    phone: '+44 20 7946 0011',
    iban: 'GB33BUKB20201555555555',
  };
  expect(await structured('customer', { id: 'c-1' })).toEqual(ada);
  expect(await structured('list_customers', { segment: 'private' })).toEqual({
    customers: [ada, expect.objectContaining({ id: 'c-3' })],
    total: 2,
  });
  expect(await structured('list_customers')).toMatchObject({ total: 3 });
});

test('a report tells about each step, in the log and as progress', async () => {
  const progressed: unknown[] = [];
  const result = await client.callTool({ name: 'slow_report', arguments: {} }, undefined, {
    onprogress: (progress) => progressed.push(progress),
  });
  expect(result.structuredContent).toEqual({ customers: 3, accounts: 4 });
  const told = 'counted the accounts of Ada Marlow <ada.marlow@example.com>';
  expect(logged).toHaveLength(3);
  expect(logged[0]).toBe(told);
  expect(progressed).toHaveLength(3);
  expect(progressed[0]).toEqual({ progress: 1, total: 3, message: told });
});

test('the ledger is exported and the sandbox reset', async () => {
  await structured('transfer', pay(5, { reference: '=2+3 "x"' }));
  const entry = { id: 'e-1', kind: 'transfer', from: 'acc-1', to: 'acc-2', currency: 'EUR' };
  const entries = [{ ...entry, reference: '=2+3 "x"', amount: 5 }];
  expect(await structured('export_ledger')).toEqual({ entries });
  const { content } = await call('export_ledger', { csv: true });
  expect(content[1]).toEqual({
    type: 'resource',
    resource: {
      uri: 'payments://ledger.csv',
      mimeType: 'text/csv',
      text: [
        'id,kind,from,to,amount,currency,reference',
        `"e-1","transfer","acc-1","acc-2","5","EUR","'=2+3 ""x"""`,
      ].join('\r\n'),
    },
  });
  expect(await structured('reset_sandbox')).toEqual({ forgotten: 1 });
  expect(await structured('export_ledger')).toEqual({ entries: [] });
  expect(await structured('balance', { account: 'acc-1' })).toMatchObject({ balance: 25_000 });
});
