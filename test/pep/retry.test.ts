/** The further rounds of a request, whose state a client carries (MCP 2026-07-28, mrtr). */
import { describe, expect, test } from '@jest/globals';
import type { RequestExtra, TrustedContext } from '../../src/identity/types.ts';
import { asking, FORM, SAMPLE, type AskingOptions } from './support/asking.ts';
import { ENVELOPE } from './support/http.ts';
import { ALICE } from './support/parts.ts';
import { allow, deny, hide, type Script } from './support/scripted.ts';
import { buildShelf } from './support/shelf.ts';
import { LINES, type Line } from './support/servers.ts';

const OFFERS = { sampling: {}, roots: {}, elicitation: { form: {}, url: {} } };
const offering = (offers: object) => ({
  ...ENVELOPE,
  'io.modelcontextprotocol/clientCapabilities': offers,
});
const ASK = { method: 'elicitation/create', params: FORM };
const QUESTIONS = { name: ASK, text: { method: 'sampling/createMessage', params: SAMPLE } };
const ACCEPT = { action: 'accept', content: { account: 'a-1' } };
const SAMPLED = { role: 'assistant', model: 'm', content: { type: 'text', text: 'Hi' } };
const INNER = 'the server\u2019s own \ud800 state\n"';
const invalid = (id: number) => ({
  jsonrpc: '2.0',
  id,
  error: {
    code: -32602,
    message: 'Invalid or expired requestState',
    data: { reason: 'invalid_request_state' },
  },
});

type Params = Record<string, unknown>;

/** The subject is whom the host proves, so that a connection can be asked by one at a time. */
const identity = ({ authInfo }: RequestExtra): TrustedContext => {
  const id = (authInfo as { id?: string } | undefined)?.id ?? ALICE.subject.id;
  return { ...ALICE, subject: { ...ALICE.subject, id } };
};

interface Served extends Params {
  inputResponses?: unknown;
  requestState?: unknown;
}

/** Asks until it is given a state of its own or an answer; keeps what it was given. */
async function rounds(
  line: Line,
  {
    inner = INNER,
    questions = QUESTIONS as object,
    ...options
  }: AskingOptions & { inner?: string | undefined; questions?: object } = {},
  script: Script = {},
) {
  const given: Served[] = [];
  const serve: AskingOptions['serve'] = (params, method) => {
    if (!['tools/call', 'prompts/get', 'resources/read'].includes(method)) return undefined;
    given.push(params);
    const retried = params['requestState'] !== undefined || params['inputResponses'] !== undefined;
    if (retried)
      return {
        result: { content: [], contents: [], messages: [], ttlMs: 9000, cacheScope: 'public' },
      };
    const state = inner !== '' && { requestState: inner };
    return { result: { resultType: 'input_required', inputRequests: questions, ...state } };
  };
  const rig = await asking(script, { line, serve, identity, ...options });
  let id = 10;
  const call = async (method: string, params: Params) => {
    const _meta = params['_meta'] ?? offering(OFFERS);
    return JSON.parse(await rig.wire.ask((id += 1), method, { ...params, _meta })) as {
      id: number;
      result?: Params;
      error?: { code: number; data: Params };
    };
  };
  const begin = async (method = 'tools/call', params: Params = TRANSFER) =>
    (await call(method, params)).result?.['requestState'] as string;
  return { ...rig, given, call, begin };
}

const TRANSFER = { name: 'transfer', arguments: { amount: 5, to: 'bob' } };

describe.each(LINES)('a further round, SDK %i.x', (line) => {
  test('gives the server its own state and the answers to what it asked', async () => {
    const { begin, call, given, parts } = await rounds(line);
    const requestState = await begin();
    expect(requestState).not.toContain('state');
    const inputResponses = { name: ACCEPT, text: SAMPLED, other: ACCEPT };
    const { result } = await call('tools/call', {
      ...TRANSFER,
      requestState,
      inputResponses,
      more: 1,
    });
    expect(result?.['content']).toEqual([]);
    const { _meta, ...served } = given[1]!;
    expect(served).toEqual({
      ...TRANSFER,
      requestState: INNER,
      inputResponses: { name: ACCEPT, text: SAMPLED },
    });
    const asked = parts.decisionPoint.decisions.map(({ action }) => action.name);
    expect(asked).toEqual(['tools/call', ASK.method, 'sampling/createMessage', 'tools/call']);
  });

  test('of a server that gave no state has one all the same, which it never sees', async () => {
    const { begin, call, given } = await rounds(line, { inner: '' });
    const requestState = await begin();
    await call('tools/call', { ...TRANSFER, requestState, inputResponses: { name: ACCEPT } });
    expect(Object.keys(given[1]!).toSorted()).toEqual([
      '_meta',
      'arguments',
      'inputResponses',
      'name',
    ]);
  });

  test('without answers gives only the state', async () => {
    const { begin, call, given } = await rounds(line);
    const requestState = await begin();
    await call('tools/call', { ...TRANSFER, requestState, inputResponses: { other: ACCEPT } });
    await call('tools/call', { ...TRANSFER, requestState });
    for (const params of given.slice(1)) {
      expect(Object.keys(params).toSorted()).toEqual([
        '_meta',
        'arguments',
        'name',
        'requestState',
      ]);
    }
  });

  test.each<[string, () => unknown]>([
    ['denied', () => deny()],
    ['hidden', () => hide()],
    ['not decided', () => Promise.reject(new Error('dead'))],
  ])('is decided again, and where it is %s the server hears nothing', async (_how, decide) => {
    const { begin, call, given, parts } = await rounds(line);
    const requestState = await begin();
    parts.decisionPoint.script.decide = decide;
    await call('tools/call', { ...TRANSFER, requestState, inputResponses: { name: ACCEPT } });
    expect(given).toHaveLength(1);
  });

  test('is read from a resource, and its result is kept by nobody', async () => {
    const server = buildShelf;
    const { begin, call } = await rounds(line, { server, settings: { list_ttl_ms_max: 5000 } });
    const read = { uri: 'file:///open' };
    const requestState = await begin('resources/read', read);
    const { result } = await call('resources/read', { ...read, requestState });
    expect(result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
  });
});

const FLIP: Record<string, (state: string) => string> = {
  longer: (state) => `${state}-TAMPERED`,
  'longer by what is no code': (state) => `${state}!`,
  shorter: (state) => state.slice(0, -2),
  'another in the middle': (state) =>
    `${state.slice(0, 40)}${state[40] === 'A' ? 'B' : 'A'}${state.slice(41)}`,
  'of another version': (state) => state.replace('p1.', 'p2.'),
  'one of a server': () => 'eyJhIjoxfQ.c2ln',
  empty: () => '',
  'nothing but a version': () => 'p1.',
  'much too long': (state) => state + 'A'.repeat(70_000),
};

describe.each(LINES)('a state opens for what it was given for, SDK %i.x', (line) => {
  const inputResponses = { name: ACCEPT };

  test.each(Object.keys(FLIP))('and not where it is %s', async (how) => {
    const { begin, call, given, parts } = await rounds(line);
    const requestState = FLIP[how]!(await begin());
    const told = await call('tools/call', { ...TRANSFER, requestState, inputResponses });
    expect(told).toEqual(invalid(told.id));
    expect([given.length, parts.decisionPoint.decisions.length]).toEqual([1, 3]);
  });

  test.each<[string, string, Params]>([
    ['other arguments', 'tools/call', { ...TRANSFER, arguments: { amount: 6, to: 'bob' } }],
    ['no arguments', 'tools/call', { name: 'transfer' }],
    ['another tool', 'tools/call', { ...TRANSFER, name: 'balance' }],
    ['a tool that is not there', 'tools/call', { ...TRANSFER, name: 'unheard' }],
    ['another method', 'prompts/get', TRANSFER],
  ])('and not for %s', async (_what, method, params) => {
    const { begin, call, given } = await rounds(line);
    const requestState = await begin();
    const told = await call(method, { ...params, requestState, inputResponses });
    expect(told).toEqual(invalid(told.id));
    expect(given).toHaveLength(1);
  });

  test('and not for another principal, server or key', async () => {
    const { begin, given } = await rounds(line);
    const requestState = await begin();
    const other = (options: AskingOptions) => rounds(line, options);
    const rigs = [
      await other({ identity: () => identity({ authInfo: { id: 'user:mallory' } }) }),
      await other({ identity: () => ({ ...ALICE, agent: { id: 'cid-2', verified: true } }) }),
      await other({ settings: { server: 'ledger' } }),
    ];
    const rekeyed = await rounds(line);
    Object.assign(rekeyed.parts, { digestKey: { id: 'k1', secret: new Uint8Array(32).fill(1) } });
    for (const rig of rigs) {
      const told = await rig.call('tools/call', { ...TRANSFER, requestState, inputResponses });
      expect(told).toEqual(invalid(told.id));
      expect(rig.given).toEqual([]);
    }
    const same = await rounds(line);
    await same.call('tools/call', { ...TRANSFER, requestState, inputResponses });
    expect([given.length, same.given.length]).toEqual([1, 1]);
  });

  test('and not after its time', async () => {
    const { begin, call, given, parts } = await rounds(line);
    const now_ms = parts.clock.now_ms();
    const requestState = await begin();
    const at = async (ms: number) => {
      Object.assign(parts.clock, { now_ms: () => now_ms + ms });
      return call('tools/call', { ...TRANSFER, requestState, inputResponses });
    };
    expect((await at(59_999)).result).toBeDefined();
    const late = await at(60_000);
    expect(late).toEqual(invalid(late.id));
    expect(given).toHaveLength(2);
  });

  test.each<[string, Params, string]>([
    ['a state that is no text', { requestState: 5 }, '/params/requestState'],
    ['answers that are no object', { inputResponses: [ACCEPT] }, '/params/inputResponses'],
    ['answers that are null', { inputResponses: null }, '/params/inputResponses'],
    ['an answer that is none', { inputResponses: { 'a/b': 5 } }, '/params/inputResponses/a~1b'],
  ])('%s is invalid', async (_what, more, pointer) => {
    const { call, given } = await rounds(line);
    const { error } = await call('tools/call', { ...TRANSFER, ...more });
    expect(error).toMatchObject({ code: -32602, data: { pointer } });
    expect(given).toEqual([]);
  });

  test('in the era before, neither is anything', async () => {
    const { wire, given } = await rounds(line);
    await wire.ask(1, 'tools/call', { ...TRANSFER, requestState: 's', inputResponses });
    expect(given).toEqual([TRANSFER]);
  });
});

describe.each(LINES)('an answer that nobody asked for, SDK %i.x', (line) => {
  const unasked = async (script: Script, inputResponses: Params, offers: object = OFFERS) => {
    const rig = await rounds(line, {}, script);
    await rig.call('tools/call', { ...TRANSFER, inputResponses, _meta: offering(offers) });
    return { given: rig.given[0], asked: rig.parts.decisionPoint.decisions };
  };
  const all = { name: ACCEPT, text: SAMPLED, roots: { roots: [] } };

  test('counts where policy lets the server ask anything by that method', async () => {
    const { given, asked } = await unasked({}, { ...all, again: { action: 'decline' } });
    expect(given?.inputResponses).toEqual({ ...all, again: { action: 'decline' } });
    expect(
      asked.slice(1).map(({ resource, context }) => [resource.id, context?.arguments]),
    ).toEqual([
      ['elicitation/create', {}],
      ['sampling/createMessage', {}],
      ['roots/list', {}],
    ]);
  });

  test.each<[string, () => unknown]>([
    ['denies', () => deny()],
    ['hides', () => hide()],
    ['cannot decide', () => Promise.reject(new Error('dead'))],
  ])('is ignored where it %s that', async (_how, decide) => {
    const script: Script = {
      decide: ({ resource }) => (resource.id === 'elicitation/create' ? decide() : allow()),
    };
    const { given } = await unasked(script, all);
    expect(given?.inputResponses).toEqual({ text: SAMPLED, roots: { roots: [] } });
    const { given: alone } = await unasked(script, { name: ACCEPT });
    expect(alone).not.toHaveProperty('inputResponses');
  });

  test('is ignored where the client does not offer to be asked', async () => {
    const { given, asked } = await unasked({}, all, { roots: {} });
    expect(given?.inputResponses).toEqual({ roots: { roots: [] } });
    expect(asked.map(({ resource }) => resource.id)).toEqual(['transfer', 'roots/list']);
  });

  test('is the answer to one method, and nothing beside', async () => {
    const script: Script = {
      decide: ({ resource }) => (resource.id === 'roots/list' ? deny() : allow()),
    };
    const both = { ...ACCEPT, roots: [], role: 'assistant', model: 'm' };
    const { given } = await unasked(script, {
      a: both,
      b: { x: 1 },
      c: { roots: [], role: 'user' },
    });
    expect(given?.inputResponses).toEqual({ a: ACCEPT });
  });

  test('is not looked at where the call is refused', async () => {
    const { given, asked } = await unasked({ decide: () => deny() }, all);
    expect([given, asked.length]).toEqual([undefined, 1]);
  });
});
