/** Answers that ask before there is a result: each thing asked is decided on for itself. */
import { describe, expect, test } from '@jest/globals';
import { EXTENSION } from '../../src/pep/answers.ts';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { asking, FORM, PAGE, SAMPLE, type AskingOptions } from './support/asking.ts';
import { ENVELOPE } from './support/http.ts';
import { allow, deny, hide, type Script } from './support/scripted.ts';
import { buildShelf } from './support/shelf.ts';
import { LINES } from './support/servers.ts';

const OFFERED = {
  ...ENVELOPE,
  'io.modelcontextprotocol/clientCapabilities': {
    sampling: {},
    roots: {},
    elicitation: { form: {}, url: {} },
  },
};
const { elicitationId: _id, ...OPEN } = PAGE;
const REQUESTS = {
  form: { method: 'elicitation/create', params: FORM },
  page: { method: 'elicitation/create', params: OPEN },
  sample: { method: 'sampling/createMessage', params: SAMPLE },
  roots: { method: 'roots/list' },
};
const KEEP: Obligation = { type: 'keep_fields', paths: ['/amount'], unstructured: 'drop' };

/** A server whose use of anything ends in this answer. */
const answering = (answer: object, options: AskingOptions = {}): AskingOptions => ({
  ...options,
  server: buildShelf,
  serve: (_params, method) => (USES.has(method) ? answer : undefined),
});
const USES = new Map<string, object>([
  ['tools/call', { name: 'hold', arguments: {} }],
  ['prompts/get', { name: 'greet', arguments: { name: 'Ann' } }],
  ['resources/read', { uri: 'file:///open' }],
]);
const inputs = (inputRequests: unknown, more: object = {}) => ({
  result: { resultType: 'input_required', inputRequests, ...more },
});

const CASES = LINES.flatMap((line) =>
  ['prompts/get', 'resources/read'].map((method) => ({ line, method })),
);

describe.each(CASES)('$method that asks, SDK $line', ({ line, method }) => {
  const ask = async (script: Script, answer: object, _meta: object = OFFERED) => {
    const rig = await asking(script, answering(answer, { line }));
    const told = await rig.wire.askFor(1, method, { ...USES.get(method), _meta });
    return { ...rig, told, reports: rig.parts.decisionPoint.reports };
  };

  test('is told anew where all of it is allowed', async () => {
    const more = { secret: 1, ttlMs: 5, cacheScope: 'public', _meta: { 'x/y': 1 } };
    const given = Object.fromEntries(
      Object.entries(REQUESTS).map(([name, request]) => [
        name,
        { ...request, id: 1, params: { ...('params' in request && request.params), secret: 1 } },
      ]),
    );
    const { told, parts, reports, say, wire } = await ask({}, inputs(given, more));
    expect(told.result).toEqual({
      resultType: 'input_required',
      inputRequests: REQUESTS,
      requestState: expect.stringMatching(/^p1\.[\w-]+$/),
      _meta: { 'x/y': 1 },
    });
    expect(parts.decisionPoint.decisions.map(({ resource }) => resource.id).slice(1)).toEqual(
      Object.values(REQUESTS).map((request) => request.method),
    );
    expect(reports.map(({ status }) => status)).toEqual(Array(5).fill('executed'));
    const before = wire.sent.length;
    await say({ method: 'notifications/elicitation/complete', params: {} });
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('is told where it asks as much as it may', async () => {
    const most = Object.fromEntries([...Array(32).keys()].map((i) => [i, REQUESTS.roots]));
    const { told } = await ask({}, inputs(most));
    expect(told.result.inputRequests).toEqual(most);
  });

  test('with a state and no questions it is told, and nothing is decided', async () => {
    const { told, parts } = await ask(
      {},
      { result: { resultType: 'input_required', requestState: 's' } },
    );
    expect(Object.keys(told.result)).toEqual(['resultType', 'requestState']);
    expect(parts.decisionPoint.decisions).toHaveLength(1);
  });

  test.each([
    ['denied', () => deny(), 'CAPABILITY_NOT_ALLOWED'],
    ['hidden', () => hide(), 'POLICY_DENIED'],
    ['not decided', () => Promise.reject(new Error('dead')), 'POLICY_UNAVAILABLE'],
    ['to be masked', () => allow({ obligations: [KEEP] }), 'OBLIGATION_UNSUPPORTED'],
  ])('is refused whole where one thing is %s', async (_how, decide, reason_code) => {
    const script: Script = {
      decide: ({ resource }) => (resource.id === 'sampling/createMessage' ? decide() : allow()),
    };
    const { told, reports } = await ask(script, inputs(REQUESTS));
    expect(told).toEqual({ jsonrpc: '2.0', id: 1, error: expect.objectContaining({ code: 403 }) });
    expect(told.error.data.reason_code).toBe(reason_code);
    expect(reports).toContainEqual(expect.objectContaining({ status: 'executed', reason_code }));
    expect(reports.filter(({ status }) => status === 'cancelled')).toHaveLength(3);
  });

  test.each([
    ['another method', inputs({ a: { method: 'tools/call', params: { name: 'x' } } })],
    ['no method', inputs({ a: {} })],
    ['no object', inputs({ a: 'x' })],
    ['an array', inputs([REQUESTS.form])],
    ['malformed params', inputs({ a: { method: 'elicitation/create', params: { message: 1 } } })],
    ['nothing', inputs({})],
    ['nothing at all', inputs(undefined)],
    ['a state that is no text', inputs(REQUESTS, { requestState: { a: 1 } })],
    ['a state that is too long', inputs(REQUESTS, { requestState: 'x'.repeat(65_536) })],
    ['too much', inputs(Object.fromEntries([...Array(33).keys()].map((i) => [i, REQUESTS.roots])))],
  ])('that is %s is withheld', async (_what, answer) => {
    const { told, parts } = await ask({}, answer);
    expect(told.error.data.reason_code).toBe('RESULT_WITHHELD');
    expect(parts.decisionPoint.decisions).toHaveLength(1);
  });

  test.each([
    [{}, 'form'],
    [{ elicitation: { url: {} } }, 'form'],
    [{ elicitation: {} }, 'page'],
    [{ elicitation: {}, roots: {} }, 'sample'],
    [{ elicitation: {}, sampling: {} }, 'roots'],
  ])('%j offers no %s, so that it is withheld', async (clientCapabilities, name) => {
    const _meta = { ...ENVELOPE, 'io.modelcontextprotocol/clientCapabilities': clientCapabilities };
    const request = REQUESTS[name as keyof typeof REQUESTS];
    const { told, parts } = await ask({}, inputs({ [name]: request }), _meta);
    expect(told.error.data.reason_code).toBe('RESULT_WITHHELD');
    expect(parts.decisionPoint.decisions).toHaveLength(1);
  });

  test('is withheld where its result would be masked', async () => {
    const script: Script = {
      decide: ({ resource }) =>
        resource.type === 'mcp_server' ? allow() : allow({ obligations: [KEEP] }),
    };
    const { told, parts } = await ask(script, inputs(REQUESTS));
    expect(told.error.data.reason_code).toBe('RESULT_WITHHELD');
    expect(parts.decisionPoint.decisions).toHaveLength(1);
  });

  test('in the words of the other era it is withheld', async () => {
    const rig = await asking({}, answering(inputs(REQUESTS), { line }));
    const { error } = await rig.wire.askFor(1, method, USES.get(method));
    expect(error.data.reason_code).toBe('RESULT_WITHHELD');
    const { told } = await ask({}, required([PAGE]));
    expect(told.error.data.reason_code).toBe('RESULT_WITHHELD');
  });
});

const required = (elicitations: unknown, more: object = {}) => ({
  error: { code: -32042, message: 'Sign in first', data: { elicitations, ...more } },
});

describe.each(LINES)('the error that sends a user to addresses, SDK %i.x', (line) => {
  const call = async (script: Script, answer: object, options: AskingOptions = {}) => {
    const serve: AskingOptions['serve'] = (_params, method) =>
      method === 'tools/call' ? answer : undefined;
    const rig = await asking(script, { line, serve, ...options });
    return { ...rig, told: await rig.wire.call(1, 'balance') };
  };

  test('is told anew where each is allowed, and each may be done with', async () => {
    const other = { ...PAGE, elicitationId: 'e-8', url: 'https://pay.example/consent' };
    const given = [
      { ...PAGE, secret: 1 },
      { ...other, _meta: { secret: 1 } },
    ];
    const { told, parts, say, wire } = await call({}, required(given, { secret: 1 }));
    expect(told).toEqual({ jsonrpc: '2.0', id: 1, ...required([PAGE, other]) });
    expect(parts.decisionPoint.decisions.map(({ action }) => action.name)).toEqual([
      'tools/call',
      'elicitation/create',
      'elicitation/create',
    ]);
    const method = 'notifications/elicitation/complete';
    await say({ method, params: { elicitationId: 'e-8' } });
    expect(wire.messages.at(-1)).toMatchObject({ method });
  });

  test('is refused where one is not', async () => {
    const decide: Script['decide'] = ({ resource }) =>
      resource.type === 'mcp_server' ? deny() : allow();
    const { told, say, wire } = await call({ decide }, required([PAGE]));
    expect(told.result._meta[EXTENSION].reason_code).toBe('CAPABILITY_NOT_ALLOWED');
    await say({ method: 'notifications/elicitation/complete', params: { elicitationId: 'e-7' } });
    expect(wire.sent.join()).not.toContain('e-7');
  });

  test.each([
    ['of a form', [{ ...FORM, elicitationId: 'e' }]],
    ['of an address that is none', [{ ...PAGE, url: 'x' }]],
    ['without any', []],
    ['that is no list', { 0: PAGE }],
    ['of which one is a form', [PAGE, { ...FORM, elicitationId: 'e' }]],
    ['of which one is an address that is none', [PAGE, { ...PAGE, url: 'x' }]],
  ])('is withheld %s', async (_what, elicitations) => {
    const { told } = await call({}, required(elicitations));
    expect(told.result._meta[EXTENSION].reason_code).toBe('RESULT_WITHHELD');
  });

  test('is withheld where it says nothing to the user', async () => {
    const { error } = required([PAGE]);
    const { told } = await call({}, { error: { ...error, message: undefined } });
    expect(told.result._meta[EXTENSION].reason_code).toBe('RESULT_WITHHELD');
  });

  test('is withheld where the client opens none, and where the call is masked', async () => {
    const masking: Script = { decide: () => allow({ obligations: [KEEP] }) };
    const offers = { elicitation: { form: {} } };
    for (const { told } of [
      await call({}, required([PAGE]), { offers }),
      await call(masking, required([PAGE])),
    ]) {
      expect(told.result._meta[EXTENSION].reason_code).toBe('RESULT_WITHHELD');
    }
  });
});

describe.each(LINES)('what may not ask, SDK %i.x', (line) => {
  test.each([
    ['tools/list', {}, { tools: [] }],
    ['prompts/list', {}, { prompts: [] }],
    ['server/discover', {}, { capabilities: {} }],
    [
      'completion/complete',
      { ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'name', value: 'A' } },
      { completion: { values: [] } },
    ],
  ])('%s asks nothing', async (method, params, result) => {
    const { result: asked } = inputs(REQUESTS);
    const serve: AskingOptions['serve'] = (_params, served) =>
      served === method ? { result: { ...asked, ...result } } : undefined;
    const { wire } = await asking({}, { line, server: buildShelf, serve });
    const told = await wire.ask(1, method, { ...params, _meta: OFFERED });
    expect(told).not.toContain('inputRequests');
    expect(told).not.toContain('input_required');
  });
});
