/** Row 17: what was filtered for one principal is kept, and given to another. */
import { describe, expect, test } from '@jest/globals';
import { postModern } from '../pep/support/http.ts';
import { CANARY, requestOf } from './support/bank.ts';
import type { HttpWire } from './support/doors.ts';
import { guardedHttp, naiveHttp, type Looks, type Open, type Said } from './support/targets.ts';

type Ask = (wire: HttpWire, authorization: string) => Promise<string>;

/** Carol, who may know of the secret, lists; then Alice does, and this is what she hears. */
async function heardByAlice(open: Open<HttpWire>, ask: Ask): Promise<string> {
  const wire = await open();
  expect(await ask(wire, 'Bearer carol')).toContain(CANARY);
  const heard = await ask(wire, 'Bearer alice');
  await wire.close();
  return heard;
}

const directly: Ask = ({ say }, authorization) =>
  say(JSON.stringify(requestOf('tools/list')), { authorization });

/** A guard that filters for who asks, and sees no need to ask the server again. */
function keeping(): Looks {
  let list: unknown;
  return {
    out: (message: Said): unknown => {
      list ??= message.result?.tools && message.result;
      return message.result?.tools ? { ...message, result: list } : message;
    },
  };
}

describe('two principals at one endpoint', () => {
  test.each([[1], [2]] as const)('hear each their own list, %i.x', async (line) => {
    const heard = await heardByAlice(guardedHttp(line), directly);
    expect(heard).toContain('"balance"');
    expect(heard).not.toContain(CANARY);
  });

  test('can hear one list', async () => {
    const heard = await heardByAlice(naiveHttp(1, { looks: keeping() }), directly);
    expect(heard).toContain(CANARY);
  });
});

/** A cache on the way, which keeps for all what is said to be for all (MCP 2026-07-28, caching). */
function cached(): Ask {
  const kept = new Map<string, string>();
  return async ({ url }, authorization) => {
    const known = kept.get('tools/list');
    if (known !== undefined) return known;
    const response = await postModern(url, 'tools/list', {}, { authorization });
    const text = await response.text();
    if (text.includes('"cacheScope":"public"')) kept.set('tools/list', text);
    return text;
  };
}

/** It filters, and leaves what the server says of caches. */
function filtering(): Looks {
  let who: unknown;
  return {
    in: (message: Said, extra: Said): unknown => {
      who = extra?.authInfo?.extra?.sub;
      return message;
    },
    out: (message: Said): unknown => {
      const tools = message.result?.tools?.filter(
        ({ name }: Said) => name !== 'secret' || who === 'carol',
      );
      return tools ? { ...message, result: { ...message.result, tools } } : message;
    },
  };
}

describe('a cache before a server that says its list is for all', () => {
  const cacheHints = { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } };
  const options = { capabilities: { tools: {} }, cacheHints };

  test('keeps nothing for others', async () => {
    const heard = await heardByAlice(guardedHttp(2, { options }), cached());
    expect(heard).toContain('"cacheScope":"private"');
    expect(heard).not.toContain(CANARY);
  });

  test('can keep it', async () => {
    const open = naiveHttp(2, { options, looks: filtering() });
    expect(await heardByAlice(open, cached())).toContain(CANARY);
  });
});
