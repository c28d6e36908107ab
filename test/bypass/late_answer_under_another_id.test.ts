/**
 * A call is cancelled, its id is used again, and its answer comes under the call that has it now.
 */
import { describe, expect } from '@jest/globals';
import { z } from 'zod';
import type { Transport } from '../../src/pep/transport.ts';
import { said, type HighServer } from '../pep/support/servers.ts';
import { callOf, CANARY, type Bank } from './support/bank.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { OWNED, WITH_CUSTOMER, withData } from './support/policy.ts';
import { guardedStdio, naiveStdio, type Said } from './support/targets.ts';

const result = { content: [] as never[], structuredContent: { id: 'c-1', ssn: CANARY } };

const more = (server: HighServer, bank: Bank): void => {
  const inputSchema = z.object({});
  const turned = () => new Promise<void>((resolve) => bank.onTurn(resolve));
  server.registerTool('customer', { inputSchema }, async (_args, extra: unknown) => {
    bank.did('customer', true);
    const { requestId, mcpReq } = extra as Said;
    const { transport } = server.server as { transport: Transport };
    // It does not heed that nobody wants its answer any more.
    bank.onTurn(() => void transport.send({ jsonrpc: '2.0', id: requestId ?? mcpReq.id, result }));
    await turned();
    return result;
  });
  server.registerTool('wait', { inputSchema }, async () => {
    bank.did('wait', true);
    await turned();
    return said('waited');
  });
};

const wait = {
  registry: { 'tool:bank/wait': OWNED },
  grants: [{ to: { group: 'tellers' }, on: 'tool:bank/wait' }],
};
const data = withData(wait, WITH_CUSTOMER);

/** It knows by the id of an answer whether it is to be masked. */
function masksById() {
  const masked = new Map<unknown, boolean>();
  return {
    in: (message: Said): unknown => {
      if (message.method === 'tools/call')
        masked.set(message.id, message.params.name === 'customer');
      return message;
    },
    out: (message: Said): unknown =>
      masked.get(message.id) ? { ...message, result: { content: [] } } : message,
  };
}

describe('the answer of a cancelled call', () => {
  const attack: Attack = async ({ bank, say, heard }) => {
    await say(JSON.stringify(callOf('customer', {}, 'x')));
    const params = { requestId: 'x' };
    await say(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params }));
    await say(JSON.stringify(callOf('wait', {}, 'x')));
    expect(bank.done).toEqual(expect.arrayContaining(['customer', 'wait']));
    bank.turn();
    await say(JSON.stringify(callOf('balance')));
    expect(heard()).toContain('"id":"x"');
  };
  const victim = { data, more, as: 'bot' };
  bypass(attack, {
    held: { 'stdio, 1.x': guardedStdio(1, victim), 'stdio, 2.x': guardedStdio(2, victim) },
    breached: { 'a guard that masks by id': naiveStdio(1, { looks: masksById(), ...victim }) },
  });
});
