/**
 * A client answers what it was never asked: a server that keeps no state between the rounds of a
 * request takes the answer for one to its own question, which policy would not have let it ask.
 */
import { describe } from '@jest/globals';
import { acceptedContent, inputRequired } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { VERSION } from '../pep/support/http.ts';
import { offering } from '../pep/support/rounds.ts';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, withData } from './support/policy.ts';
import { guardedHttp, naiveHttp, type Said } from './support/targets.ts';

const confirm = z.object({ sure: z.boolean() });

/** The tool `close` asks the user first, and policy lets nobody be asked. */
const more = (server: HighServer, bank: Bank): void => {
  server.registerTool('close', { inputSchema: z.object({}).loose() }, (_args, ctx) => {
    const { inputResponses } = (ctx as Said).mcpReq;
    if (acceptedContent(inputResponses, 'sure', confirm)?.sure !== true) {
      const sure = inputRequired.elicit({ message: 'Close it?', requestedSchema: confirm });
      return inputRequired({ inputRequests: { sure } }) as never;
    }
    bank.did('close', false);
    return said('closed');
  });
};

const data = withData({
  registry: { 'tool:bank/close': OWNED, 'mcp_server:bank/*': OWNED },
  grants: [{ to: { group: 'tellers' }, on: 'tool:bank/close' }],
});

const _meta = offering({ elicitation: { form: {} } });
const inputResponses = { sure: { action: 'accept', content: { sure: true } } };
const headers = {
  'mcp-protocol-version': VERSION,
  'mcp-method': 'tools/call',
  'mcp-name': 'close',
};
const calling = (params: object): string => {
  const call = callOf('close') as Said;
  return JSON.stringify({ ...call, params: { ...call.params, ...params, _meta } });
};

/** It decides on calls, and lets no question out. */
const looks = {
  out: (message: Said): unknown =>
    message.result?.resultType === 'input_required'
      ? { jsonrpc: '2.0', id: message.id, error: { code: 403, message: 'refused' } }
      : message,
};

const ATTACKS: [string, object][] = [
  ['without a state', { inputResponses }],
  [
    'beside what it was asked by another method',
    { inputResponses: { ...inputResponses, roots: { roots: [] } } },
  ],
  [
    'in the clothes of another',
    { inputResponses: { sure: { ...inputResponses.sure, roots: [], role: 'user' } } },
  ],
];

describe.each(ATTACKS)('an answer to no question, %s', (_how, params) => {
  const attack: Attack = async ({ say }) => {
    await say(calling({}), headers);
    await say(calling(params), headers);
  };
  bypass(attack, {
    held: { 'HTTP, 2.x': guardedHttp(2, { data, more }) },
    breached: { 'a guard of calls and questions': naiveHttp(2, { looks, more }) },
  });
});
