/** Row 18: who learns the id of a session uses it, listens to it, or ends it. */
import { describe, expect, test } from '@jest/globals';
import { WebStandardStreamableHTTPServerTransport as Http1 } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import { Bank, callOf, CANARY } from './support/bank.ts';
import { overHttp, webHandle, type HttpWire } from './support/doors.ts';
import { authInfoOf } from './support/policy.ts';
import { guardedHttp, type Open } from './support/targets.ts';

/** A server that asks who somebody is when a session begins. */
const asksOnce: Open<HttpWire> = async () => {
  const bank = new Bank();
  const sessions = new Map<string, Http1>();
  const handle = webHandle(async (request) => {
    const known = sessions.get(request.headers.get('mcp-session-id') ?? '');
    if (known) return known.handleRequest(request);
    if (!authInfoOf(request.headers.get('authorization'))) return new Response('', { status: 401 });
    const transport = new Http1({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    await bank.build(1).connect(transport);
    return transport.handleRequest(request);
  });
  return { ...(await overHttp(handle, { sessions: true, as: 'carol' })), bank };
};
const bound = guardedHttp(1, { sessions: true, as: 'carol' });

type Use = (wire: HttpWire, thief: Record<string, string>) => Promise<unknown>;

const call: Use = async ({ say }, thief) => {
  const heard = await say(JSON.stringify(callOf('secret')), thief);
  return heard.includes(CANARY);
};
const listen: Use = async ({ url, headers }, thief) => {
  const gone = new AbortController();
  const init = { headers: { ...headers, ...thief }, signal: gone.signal };
  const { status } = await fetch(url, init);
  gone.abort();
  return status === 200;
};
const end: Use = async ({ url, headers, say }, thief) => {
  await fetch(url, { method: 'DELETE', headers: { ...headers, ...thief } });
  return (await say(JSON.stringify(callOf('balance')))).includes('404');
};

const THIEVES: [string, Record<string, string>][] = [
  ['by another', { authorization: 'Bearer alice' }],
  ['by nobody', { authorization: '' }],
];

describe.each([
  ['used', call],
  ['listened to', listen],
  ['ended', end],
])('the session of Carol is %s', (_how, use) => {
  test.each(THIEVES)('not %s where it is guarded', async (_who, thief) => {
    const wire = await bound();
    expect(await use(wire, thief)).toBe(false);
    expect(await call(wire, {})).toBe(true);
    await wire.close();
  });

  test.each(THIEVES)('%s where who began it is not looked at', async (_who, thief) => {
    const wire = await asksOnce();
    expect(await use(wire, thief)).toBe(true);
    await wire.close();
  });
});
