/** The further rounds of a request, whose state a client carries (MCP 2026-07-28, mrtr). */
import { describe, expect, test } from '@jest/globals';
import { isRetry } from '../../src/pep/retry.ts';
import type { AskingOptions } from './support/asking.ts';
import { ALICE } from './support/parts.ts';
import { ACCEPT, INNER, rounds, SAMPLED, TRANSFER, type Params } from './support/rounds.ts';
import { deny, hide } from './support/scripted.ts';
import { buildShelf } from './support/shelf.ts';
import { LINES } from './support/servers.ts';

test.each([
  [{ name: 'x' }, false],
  [{ requestState: 's' }, true],
  [{ inputResponses: {} }, true],
  [{ requestState: 's', inputResponses: {} }, true],
])('%j continues another request: %s', (params, continues) => {
  expect(isRetry(params)).toBe(continues);
});

const invalid = (id: number) => ({
  jsonrpc: '2.0',
  id,
  error: {
    code: -32602,
    message: 'Invalid or expired requestState',
    data: { reason: 'invalid_request_state' },
  },
});

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
    expect(asked).toEqual([
      'tools/call',
      'elicitation/create',
      'sampling/createMessage',
      'tools/call',
    ]);
  });

  test('of a server that gave no state has one all the same, which it never sees', async () => {
    const { begin, call, given } = await rounds(line, { state: null });
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
      await other({
        identity: () => ({ ...ALICE, subject: { ...ALICE.subject, id: 'user:eve' } }),
      }),
      await other({ identity: () => ({ ...ALICE, agent: { id: 'cid-2', verified: true } }) }),
      await other({ settings: { server: 'ledger' } }),
    ];
    const rekeyed = await rounds(line);
    Object.assign(rekeyed.parts, { digestKey: { id: 'k1', secret: new Uint8Array(32).fill(1) } });
    for (const rig of [...rigs, rekeyed]) {
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
    expect((await at(60_000)).result).toBeDefined();
    const late = await at(60_001);
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
