/** What a server asks its client is data that leaves the server: policy decides on it. */
import { describe, expect, test } from '@jest/globals';
import type { EvaluationRequest, Obligation } from '../../src/contract/types.gen.ts';
import { asking, ASKS, FORM, OFFERS, PAGE, SAMPLE } from './support/asking.ts';
import { ALICE } from './support/parts.ts';
import { connected, HELLO } from './support/rig.ts';
import { OFFERED, offering } from './support/rounds.ts';
import { allow, deny, hide, READY, type Script } from './support/scripted.ts';
import { buildServer, LINES, said } from './support/servers.ts';

/** Allows calls, and answers otherwise about what is asked of the client. */
const onAsks = (decide: () => unknown): Script => ({
  decide: ({ resource }) => (resource.type === 'mcp_server' ? decide() : allow()),
});
const refused = (id: string, reason_code: string) => ({
  jsonrpc: '2.0',
  id,
  error: { code: 403, message: expect.any(String), data: expect.objectContaining({ reason_code }) },
});
interface Given {
  id: number;
  method?: string;
}

const KEEP: Obligation = { type: 'keep_fields', paths: ['/amount'], unstructured: 'drop' };

describe.each(LINES)('what a client offers, SDK %i.x', (line) => {
  test.each([
    [
      { ...OFFERS, tasks: { list: {} }, experimental: { x: {} }, extensions: { 'a/b': {} } },
      OFFERS,
    ],
    [
      { sampling: { tools: true, x: {} }, roots: { listChanged: 'yes' } },
      { sampling: {}, roots: {} },
    ],
    [{ elicitation: { form: { secret: 1 } }, sampling: 'all' }, { elicitation: { form: {} } }],
    ['everything', {}],
  ])('%j: only what is decided on reaches the server', async (capabilities, told) => {
    const { wire, server } = await connected({}, { line });
    const given: unknown[] = [];
    const { transport } = server.server as { transport: { onmessage(message: unknown): void } };
    const { onmessage } = transport;
    transport.onmessage = (message) => {
      given.push((message as { params: { capabilities: unknown } }).params.capabilities);
      onmessage({ ...(message as object), params: HELLO });
    };
    await wire.ask(1, 'initialize', { ...HELLO, capabilities });
    expect(given).toEqual([told]);
  });
});

describe.each(LINES)('what is allowed, SDK %i.x', (line) => {
  test.each(ASKS)('%s %# is told anew, and decided on for the caller', async (method, params) => {
    const { wire, parts, hold, ask } = await asking({}, { line });
    const call = await hold(5);
    const more = { _meta: { ssn: 1 }, task: { ttl: 1 }, secret: 2 };
    await ask('q1', method, { ...params, ...more }, { relatedRequestId: call });
    expect(wire.messages.at(-1)).toEqual({
      jsonrpc: '2.0',
      id: 'q1',
      method,
      ...(params && { params }),
    });
    expect(wire.options.at(-1)).toEqual({ relatedRequestId: 5 });
    const { subject, action, resource, context } = parts.decisionPoint.decisions.at(-1)!;
    const verb = method === 'roots/list' ? 'list' : 'create';
    expect({ subject, action, resource, phase: context?.phase }).toEqual({
      subject: ALICE.subject,
      action: { name: method, properties: { verb } },
      resource: { type: 'mcp_server', id: method, properties: { server: 'payments' } },
      phase: 'call',
    });
    expect(parts.decisionPoint.reports).toMatchObject([{ status: 'executed' }]);
  });

  test('is decided by what the policy reads of it, and what is read is what is told', async () => {
    const pointers = { 'mcp_server:payments/elicitation/create': ['/url', '/mode'] };
    const arguments_projection = { ...READY.arguments_projection!, pointers };
    const { wire, parts, ask } = await asking(
      { describe: () => ({ ready: true, arguments_projection }) },
      { line },
    );
    const asked = (): unknown => parts.decisionPoint.decisions.at(-1)?.context?.arguments;
    const urlTold = () => (wire.messages.at(-1) as { params: { url: string } }).params.url;
    const spellings = ['HTTPS://PAY.example/a/../sign-in', 'https:\\\\pay.example\\sign-in'];
    for (const [i, url] of spellings.entries()) {
      await ask(`q${i}`, 'elicitation/create', { ...PAGE, url });
      expect(asked()).toEqual({ mode: 'url', url: 'https://pay.example/sign-in' });
      expect(urlTold()).toBe('https://pay.example/sign-in');
    }
    await ask('q9', 'elicitation/create', FORM);
    expect(asked()).toEqual({ mode: 'form' });
  });

  test('outside a call it is asked of whoever the connection belongs to', async () => {
    const { wire, parts, ask } = await asking({}, { line });
    await ask('q1', 'elicitation/create', FORM);
    expect(wire.messages.at(-1)).toMatchObject({ id: 'q1' });
    expect(parts.decisionPoint.decisions.map(({ subject }) => subject)).toEqual([ALICE.subject]);
  });
});

test.each(LINES)(
  'a handler that names no call asks in the service of its own, SDK %i.x',
  async (line) => {
    const gate = Promise.withResolvers<void>();
    const late = async () => {
      await gate.promise;
      await rig.say({ id: 'q1', method: 'elicitation/create', params: FORM });
      return said('asked');
    };
    const server = () => buildServer(line, { calls: [] }, { late });
    const rig = await asking({}, { line, server });
    const called = rig.wire.call(5, 'late');
    await rig.wire.ask(6, 'ping');
    gate.resolve();
    await called;
    const { context } = rig.parts.decisionPoint.decisions.at(-1)!;
    expect(context.request?.id).toBe(5);
  },
);

describe.each(LINES)('a server is refused, and the client hears nothing, SDK %i.x', (line) => {
  const MASKED = () => allow({ obligations: [KEEP] });
  /** What policy allowed and the guard did not, of which the evidence is told. */
  const OVERRULED = ['ACTOR_VALIDATION_FAILED', 'OBLIGATION_UNSUPPORTED'];
  test.each<[string, () => unknown, string]>([
    ['denied', () => deny(), 'CAPABILITY_NOT_ALLOWED'],
    ['hidden', () => hide(), 'POLICY_DENIED'],
    ['to be approved', () => deny({ outcome: 'require_approval' }), 'APPROVAL_REQUIRED'],
    [
      'for another actor',
      () => allow({ constraints: { actor_required: 'automation' } }),
      'ACTOR_VALIDATION_FAILED',
    ],
    ['to be masked', MASKED, 'OBLIGATION_UNSUPPORTED'],
    ['not decided', () => Promise.reject(new Error('dead')), 'POLICY_UNAVAILABLE'],
    ['never decided', () => new Promise(() => undefined), 'POLICY_UNAVAILABLE'],
    ['decided in no known way', () => ({ decision: true }), 'POLICY_UNAVAILABLE'],
  ])('where it is %s', async (how, decide, reason_code) => {
    const settings = how === 'never decided' ? { decision_timeout_ms: 200 } : {};
    const { wire, heard, hold, ask, parts } = await asking(onAsks(decide), { line, settings });
    const call = await hold(1);
    const before = wire.sent.length;
    for (const [i, [method, params]] of ASKS.entries()) {
      await ask(`q${i}`, method, params, { relatedRequestId: call });
      expect(heard.at(-1)).toEqual(refused(`q${i}`, reason_code));
    }
    expect(wire.sent.slice(before)).toEqual([]);
    const told = parts.decisionPoint.reports.map((report) => [report.status, report.reason_code]);
    expect(told).toEqual(
      OVERRULED.includes(reason_code) ? ASKS.map(() => ['refused', reason_code]) : [],
    );
  });

  test('where nobody is proved', async () => {
    const { wire, heard, ask, parts } = await asking({}, { line, identity: () => undefined });
    const before = wire.sent.length;
    await ask('q1', 'elicitation/create', FORM);
    expect(heard.at(-1)).toEqual(refused('q1', 'POLICY_DENIED'));
    expect([wire.sent.slice(before), parts.decisionPoint.decisions]).toEqual([[], []]);
  });

  test('while no policy is active', async () => {
    const { wire, heard, ask, parts } = await asking({}, { line });
    parts.decisionPoint.announce({ ready: false });
    const before = wire.sent.length;
    await ask('q1', 'elicitation/create', FORM);
    expect([heard.at(-1)?.['error'], wire.sent.slice(before)]).toMatchObject([
      { code: -32601 },
      [],
    ]);
  });

  test.each([
    ['elicitation/create', FORM, { sampling: {}, elicitation: { url: {} } }],
    ['elicitation/create', PAGE, { elicitation: {} }],
    ['elicitation/create', PAGE, { elicitation: { form: {} } }],
    ['elicitation/create', FORM, {}],
    ['sampling/createMessage', { ...SAMPLE, tools: [] }, { sampling: {} }],
    ['sampling/createMessage', { ...SAMPLE, toolChoice: {} }, { sampling: {} }],
    ['sampling/createMessage', SAMPLE, { elicitation: {} }],
    ['roots/list', undefined, { sampling: {} }],
  ])('%s %# where the client does not offer it', async (method, params, offers) => {
    const { wire, heard, ask, parts } = await asking({}, { line, offers });
    const before = wire.sent.length;
    await ask('q1', method, params);
    expect([heard.at(-1)?.['error'], wire.sent.slice(before)]).toMatchObject([
      { code: -32601 },
      [],
    ]);
    expect(parts.decisionPoint.decisions).toEqual([]);
  });

  test('and where the client offers forms in the old words, it may be asked for one', async () => {
    const { wire, ask, say } = await asking({}, { line, offers: { elicitation: {} } });
    await ask('q1', 'elicitation/create', FORM);
    await say({ method: 'notifications/elicitation/complete', params: {} });
    expect(wire.messages.at(-1)).toMatchObject({ id: 'q1' });
  });

  test.each([
    ['elicitation/create', { ...FORM, mode: 'voice' }, '/params/mode'],
    ['elicitation/create', { message: 'x' }, '/params/requestedSchema'],
    ['elicitation/create', { ...PAGE, elicitationId: undefined }, '/params/elicitationId'],
    ['elicitation/create', { ...PAGE, url: '/sign-in' }, '/params/url'],
    ['elicitation/create', { ...PAGE, url: 'https://pay.example@evil.example/' }, '/params/url'],
    ['elicitation/create', { ...PAGE, message: '\uD800' }, '/params'],
    ['sampling/createMessage', { ...SAMPLE, maxTokens: '9' }, '/params/maxTokens'],
    ['sampling/createMessage', { ...SAMPLE, systemPrompt: {} }, '/params/systemPrompt'],
  ])('%s %j that is malformed', async (method, params, pointer) => {
    const { wire, heard, ask } = await asking({}, { line });
    const before = wire.sent.length;
    await ask('q1', method, params);
    expect(heard.at(-1)?.['error']).toMatchObject({ code: -32602, data: { pointer } });
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('what is larger than the decision point takes', async () => {
    const { wire, heard, ask } = await asking({}, { line, settings: { arguments_bytes_max: 100 } });
    const before = wire.sent.length;
    await ask('q1', 'elicitation/create', { ...FORM, message: 'x'.repeat(100) });
    expect(heard.at(-1)).toEqual(refused('q1', 'ARGUMENTS_TOO_LARGE'));
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('in the service of a call of 2026-07-28, which has no such requests', async () => {
    const { wire, heard, ask, server } = await asking({}, { line });
    const { transport } = server.server as { transport: { onmessage(message: Given): void } };
    const { onmessage } = transport;
    const given = Promise.withResolvers<number>();
    transport.onmessage = (message) =>
      message.method === 'tools/call' ? given.resolve(message.id) : onmessage(message);
    const params = { name: 'balance', _meta: offering(OFFERED) };
    wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
    await ask('q1', 'elicitation/create', FORM, { relatedRequestId: await given.promise });
    expect(heard.at(-1)).toMatchObject({ id: 'q1', error: { code: -32601 } });
  });
});

test('a denial is told in the words of the policy', async () => {
  const safe_message = 'Ask the user in person.';
  const script = {
    decide: (_request: EvaluationRequest) => deny({ reason_code: 'IN_PERSON', safe_message }),
  };
  const { heard, ask } = await asking(script);
  await ask('q1', 'elicitation/create', FORM);
  expect(heard.at(-1)?.['error']).toMatchObject({
    message: safe_message,
    data: { reason_code: 'IN_PERSON', request_id: 'e-1' },
  });
});
