/** What a server asks its client, before the policy library with data in a real engine. */
import { expect, test } from '@jest/globals';
import { sceneWith } from '../bypass/support/policy.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { asking, FORM, PAGE } from './support/asking.ts';
import { ALICE } from './support/parts.ts';
import { embedded } from './support/real.ts';
import { ACCEPT, rounds, TRANSFER } from './support/rounds.ts';
import type { Script } from './support/scripted.ts';

const OWNED = { environment: 'production', risk: 'low', approved: true, data_classes: [] };
const PAGES = 'https://pay.example/';
const anyone = { anyone: true };
const settings = { decision_timeout_ms: 5_000 };

/** The decision point of the library with these grants, and entries for all that there is. */
async function library(...grants: object[]): Promise<Script> {
  const registry = { 'tool:payments/transfer': OWNED, 'mcp_server:payments/*': OWNED };
  const { core } = await sceneWith({ registry, grants });
  const point = embedded(core);
  const signal = new AbortController().signal;
  return {
    decide: (request) => point.decide(request, { signal }),
    discover: (request) => point.discover(request, { signal }),
    describe: () => point.describe({ signal }),
  };
}

const on = 'mcp_server:payments/elicitation/create';
const pages = { to: { group: 'tellers' }, on, within: { '/url': { prefix: PAGES } } };

describeWithOpa('a server under a grant', () => {
  test('sends its users to the pages that a grant names, and asks nothing else', async () => {
    const { wire, heard, ask } = await asking(await library(pages), { settings });
    const told = async (id: string, params: object, method = 'elicitation/create') => {
      await ask(id, method, params);
      const last = wire.messages.at(-1) as { id?: string; params?: { url?: string } };
      return last.id === id ? last.params?.url : heard.at(-1)?.['error'];
    };
    expect(await told('q1', PAGE)).toBe(PAGE.url);
    expect(await told('q2', { ...PAGE, url: 'HTTPS://PAY.example:443/a/../b' })).toBe(`${PAGES}b`);
    for (const [i, url] of [
      'https://pay.example.evil.example/',
      'https://evil.example/https://pay.example/',
      'http://pay.example/',
      'https://pay.example:444/',
    ].entries()) {
      expect(await told(`q3${i}`, { ...PAGE, url })).toMatchObject({ code: 403 });
    }
    expect(await told('q4', FORM)).toMatchObject({ code: 403 });
    expect(await told('q5', {}, 'roots/list')).toMatchObject({ code: 403 });
  });

  test('asks those whom it names', async () => {
    const stranger = { ...ALICE.subject, properties: { actor_type: 'human' as const } };
    const identity = () => ({ ...ALICE, subject: stranger });
    const { heard, ask } = await asking(await library(pages), { settings, identity });
    await ask('q1', 'elicitation/create', PAGE);
    expect(heard.at(-1)).toMatchObject({ id: 'q1', error: { code: 403 } });
  });

  test('is given an answer to no question only where it may ask whatever it wants', async () => {
    const transfer = { to: anyone, on: 'tool:payments/transfer' };
    const given = async (...grants: object[]) => {
      const script = await library(transfer, ...grants);
      const { call, given: params } = await rounds(1, { settings }, script);
      await call('tools/call', { ...TRANSFER, inputResponses: { name: ACCEPT } });
      return params[0]?.['inputResponses'];
    };
    expect(await given()).toBeUndefined();
    expect(await given(pages)).toBeUndefined();
    expect(await given({ to: anyone, on })).toEqual({ name: ACCEPT });
  });
});
