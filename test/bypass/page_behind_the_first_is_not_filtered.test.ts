/**
 * A list in pages: what is hidden stands on another page, is asked for by a made-up cursor, or
 * hinted at.
 */
import { describe } from '@jest/globals';
import { ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import type { HighServer, Line } from '../pep/support/servers.ts';
import { CANARY, requestOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedDoors, naiveHttp, naiveStdio, type Said } from './support/targets.ts';

const tool = (name: string, more = {}) => ({ name, inputSchema: { type: 'object' }, ...more });
const SECRET = tool('secret', { description: CANARY });

const paging =
  (page: (cursor: string | undefined) => object) =>
  (server: HighServer, _bank: Bank, line: Line) => {
    const low = server.server as { setRequestHandler(of: unknown, handler: Said): void };
    const of = line === 1 ? ListToolsRequestSchema : 'tools/list';
    low.setRequestHandler(of, ({ params }: Said) => page(params?.cursor));
  };

const second = paging((cursor) =>
  cursor === 'next' ? { tools: [SECRET] } : { tools: [tool('balance')], nextCursor: 'next' },
);
const hinting = paging(() => ({
  tools: [tool('balance'), SECRET],
  _meta: { names: ['balance', 'secret'], about: CANARY },
  groups: { vault: [CANARY] },
}));

const withoutSecret = (result: Said): Said => ({
  ...result,
  tools: result.tools.filter(({ name }: Said) => name !== 'secret'),
});
/** A list is what was asked for without a cursor. */
function firstOnly() {
  const later = new Set<unknown>();
  return {
    in: (message: Said): unknown => {
      if (message.params?.cursor !== undefined) later.add(message.id);
      return message;
    },
    out: (message: Said): unknown =>
      message.result?.tools && !later.has(message.id)
        ? { ...message, result: withoutSecret(message.result) }
        : message,
  };
}
const itemsOnly = {
  out: (message: Said): unknown =>
    message.result?.tools ? { ...message, result: withoutSecret(message.result) } : message,
};

const list =
  (params: object): Attack =>
  ({ say }) =>
    say(JSON.stringify(requestOf('tools/list', params)));

describe('a hidden tool on the second page', () => {
  bypass(list({ cursor: 'next' }), {
    held: guardedDoors({ more: second }),
    breached: { 'a guard of first pages': naiveStdio(1, { looks: firstOnly(), more: second }) },
  });
});

describe('a page that says more than its items', () => {
  bypass(list({}), {
    held: guardedDoors({ more: hinting }),
    breached: { 'a guard of items': naiveHttp(1, { looks: itemsOnly, more: hinting }) },
  });
});
