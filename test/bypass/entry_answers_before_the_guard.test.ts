/**
 * The entry of 2.x looks at a call before a server does, and says what it finds of a hidden tool.
 */
import { describe } from '@jest/globals';
import { z } from 'zod';
import { postModern } from '../pep/support/http.ts';
import { said, type HighServer } from '../pep/support/servers.ts';
import { CANARY, requestOf } from './support/bank.ts';
import type { HttpWire } from './support/doors.ts';
import { bypass, type Attack } from './support/outcome.ts';
import { guardedHttp, naiveHttp, type Said } from './support/targets.ts';

const more = (server: HighServer): void => {
  const region = z.object({ region: z.string().meta({ 'x-mcp-header': CANARY }) });
  const scopeChallenge = () => ({ scopes: [CANARY] });
  server.registerTool('mirrored', { inputSchema: region }, () => said('x'));
  server.registerTool('scoped', { inputSchema: z.object({}), scopeChallenge }, () => said('x'));
};

/** A hidden tool is unknown, as far as this guard is asked. */
const looks = {
  in: (message: Said): unknown =>
    ['mirrored', 'scoped'].includes(message.params?.name) ? undefined : message,
};

describe.each([
  ['mirrored', { region: 'eu' }],
  ['scoped', {}],
])('a call of the hidden tool %s', (name, args) => {
  const attack: Attack<HttpWire> = async (target) => {
    const headers = { authorization: 'Bearer alice' };
    const response = await postModern(target.url, 'tools/call', { name, arguments: args }, headers);
    const heard = `${JSON.stringify([...response.headers])} ${await response.text()}`;
    if (heard.includes(CANARY)) target.bank.did('told', false);
    await target.say(JSON.stringify(requestOf('ping')));
  };
  bypass(attack, {
    held: { 'HTTP, 2.x': guardedHttp(2, { more }) },
    breached: { 'a guard in each server': naiveHttp(2, { looks, more }) },
  });
});
