/** Answers, progress, withdrawal and limits of what a server asks its client. */
import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { asking, FORM, PAGE, type Asking } from './support/asking.ts';
import { allow, type Script } from './support/scripted.ts';
import { LINES } from './support/servers.ts';
import { settle } from './support/wire.ts';

const ASK = 'elicitation/create';
const KEEP: Obligation = { type: 'keep_fields', paths: ['/amount'], unstructured: 'drop' };
const accept = (id: unknown) => ({ jsonrpc: '2.0', id, result: { action: 'accept' } });
const cancel = (requestId: unknown) => ({
  method: 'notifications/cancelled',
  params: { requestId },
});
const refused = (id: string, reason_code: string) => ({
  id,
  error: { code: 403, data: { reason_code } },
});

/** Questions wait at the decision point until they are let on. */
function deciding(): { script: Script; reached: Promise<void>; open: () => void } {
  const gate = Promise.withResolvers<void>();
  const { promise: reached, resolve } = Promise.withResolvers<void>();
  const script: Script = {
    async decide({ resource }) {
      if (resource.type !== 'mcp_server') return allow();
      resolve();
      await gate.promise;
      return allow();
    },
  };
  return { script, reached, open: gate.resolve };
}

/** How many messages with this method or id the client was sent. */
const sent = ({ wire }: Asking, id: string): number =>
  wire.messages.filter((message) => message['id'] === id).length;

describe.each(LINES)('the answer of a client, SDK %i.x', (line) => {
  test('reaches the server once, and only under the id that was asked', async () => {
    const { wire, heard, ask } = await asking({}, { line });
    await ask('q1', ASK, FORM);
    for (const id of ['q2', 1, 'Q1', 'q1', 'q1']) wire.give(accept(id));
    await settle();
    expect(heard).toEqual([accept('q1')]);
  });

  test('given while it is being decided is none, and the later one is', async () => {
    const { script, reached, open } = deciding();
    const { wire, heard, say } = await asking(script, { line });
    const asked = say({ id: 'q1', method: ASK, params: FORM });
    await reached;
    wire.give(accept('q1'));
    expect(heard).toEqual([]);
    open();
    await asked;
    wire.give(accept('q1'));
    await settle();
    expect(heard).toEqual([accept('q1')]);
  });

  test('to what was refused is none', async () => {
    const { wire, heard, ask } = await asking({}, { line, offers: {} });
    await ask('q1', ASK, FORM);
    heard.splice(0);
    wire.give(accept('q1'));
    await settle();
    expect(heard).toEqual([]);
  });

  test('after the server withdrew its question is none', async () => {
    const rig = await asking({}, { line });
    const { wire, heard, ask, say } = rig;
    await ask('q1', ASK, FORM);
    await say(cancel('q1'));
    expect(wire.messages.at(-1)).toEqual({ jsonrpc: '2.0', ...cancel('q1') });
    wire.give(accept('q1'));
    await settle();
    expect(heard).toEqual([]);
  });

  test('of an error passes as it is', async () => {
    const { wire, heard, ask } = await asking({}, { line });
    await ask('q1', ASK, FORM);
    const error = { jsonrpc: '2.0', id: 'q1', error: { code: -1, message: 'User rejected' } };
    wire.give(error);
    await settle();
    expect(heard).toEqual([error]);
  });
});

describe.each(LINES)('what ends while it is decided, SDK %i.x', (line) => {
  test('withdrawn by the server, it is told to nobody', async () => {
    const { script, reached, open } = deciding();
    const rig = await asking(script, { line });
    const { heard, say, parts, wire } = rig;
    const before = wire.sent.length;
    const asked = say({ id: 'q1', method: ASK, params: FORM });
    await reached;
    await say(cancel('q1'));
    open();
    await asked;
    await settle();
    expect([wire.sent.slice(before), heard]).toEqual([[], []]);
    expect(parts.decisionPoint.reports).toEqual([]);
  });

  test('with the call that it serves, it is refused', async () => {
    const { script, reached, open } = deciding();
    const { heard, hold, say, wire } = await asking(script, { line });
    const call = await hold(1);
    const before = wire.sent.length;
    const asked = say({ id: 'q1', method: ASK, params: FORM }, { relatedRequestId: call });
    await reached;
    wire.give({ jsonrpc: '2.0', ...cancel(1) });
    open();
    await asked;
    await settle();
    expect(wire.sent.slice(before)).toEqual([]);
    expect(heard.at(-1)).toMatchObject(refused('q1', 'POLICY_UNAVAILABLE'));
  });

  test('with the connection, it is told to nobody', async () => {
    const { script, reached, open } = deciding();
    const { say, wire, parts } = await asking(script, { line });
    const before = wire.sent.length;
    const asked = say({ id: 'q1', method: ASK, params: FORM });
    await reached;
    await wire.close();
    open();
    await asked;
    expect([wire.sent.slice(before), parts.decisionPoint.reports]).toEqual([[], []]);
  });

  test('what names a call that has ended is refused, and not asked of the connection', async () => {
    const rig = await asking({}, { line });
    const call = await rig.hold(1);
    rig.finish();
    await rig.wire.answerTo(1);
    await rig.ask('q1', ASK, FORM, { relatedRequestId: call });
    expect([rig.heard.at(-1), sent(rig, 'q1')]).toMatchObject([{ error: { code: -32601 } }, 0]);
  });
});

describe.each(LINES)('limits, SDK %i.x', (line) => {
  test('questions that are not answered are few, and each has an id of its own', async () => {
    const { wire, heard, ask } = await asking(
      {},
      { line, settings: { requests_in_flight_max: 2 } },
    );
    for (const id of ['q1', 'q1', 'q2', 'q3']) await ask(id, ASK, FORM);
    expect(heard).toMatchObject(['q1', 'q3'].map((id) => refused(id, 'POLICY_UNAVAILABLE')));
    wire.give(accept('q1'));
    await ask('q3', ASK, FORM);
    expect(wire.messages.at(-1)).toMatchObject({ id: 'q3', method: ASK });
  });

  test('of pages that are never done with, the oldest is forgotten', async () => {
    const { wire, ask, say } = await asking({}, { line, settings: { requests_in_flight_max: 2 } });
    for (const elicitationId of ['a', 'b', 'c']) {
      await ask(`q${elicitationId}`, ASK, { ...PAGE, elicitationId });
      wire.give(accept(`q${elicitationId}`));
    }
    const before = wire.sent.length;
    for (const elicitationId of ['a', 'b', 'c']) {
      await say({ method: 'notifications/elicitation/complete', params: { elicitationId } });
    }
    expect(wire.messages.slice(before)).toMatchObject(
      ['b', 'c'].map((elicitationId) => ({ params: { elicitationId } })),
    );
  });
});

describe.each(LINES)('what is told beside it, SDK %i.x', (line) => {
  test('progress of the client has the token of the server, where it has one', async () => {
    const { wire, heard, say, ask } = await asking({}, { line });
    const params = { ...FORM, _meta: { progressToken: 7, secret: 1 } };
    await say({ id: 'q1', method: ASK, params });
    expect(wire.messages.at(-1)).toMatchObject({ params: { _meta: { progressToken: 'q1' } } });
    expect(JSON.stringify(wire.messages.at(-1))).not.toContain('secret');
    await ask('q2', ASK, FORM);
    const progress = (progressToken: unknown) => ({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress: 1, secret: 1 },
    });
    for (const token of [7, 'q1', 'q2', 'q3']) wire.give(progress(token));
    wire.give(accept('q1'));
    wire.give(progress('q1'));
    await settle();
    expect(heard).toEqual([
      {
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 7, progress: 1 },
      },
      accept('q1'),
    ]);
  });

  test.each([
    [{ roots: { listChanged: true } }, 1],
    [{ roots: {} }, 0],
    [{}, 0],
  ])('that roots changed passes where %j offers it', async (offers, times) => {
    const { wire, heard } = await asking({}, { line, offers });
    const method = 'notifications/roots/list_changed';
    wire.give({ jsonrpc: '2.0', method, params: { secret: 1 } });
    await settle();
    expect(heard).toEqual(Array(times).fill({ jsonrpc: '2.0', method, params: {} }));
  });

  test('that a page is done with passes once, for a page that the client was sent to', async () => {
    const { wire, ask, say } = await asking({}, { line });
    const method = 'notifications/elicitation/complete';
    await ask('q1', ASK, PAGE);
    const before = wire.sent.length;
    for (const elicitationId of ['e-8', 7, undefined, 'e-7', 'e-7']) {
      await say({ method, params: { elicitationId, secret: 1 } });
    }
    expect(wire.messages.slice(before)).toEqual([
      { jsonrpc: '2.0', method, params: { elicitationId: 'e-7' } },
    ]);
  });
});

describe.each(LINES)('a masked call, SDK %i.x', (line) => {
  const decide: Script['decide'] = ({ resource }) =>
    resource.id === 'masked' ? allow({ obligations: [KEEP] }) : allow();

  test('asks nothing, and after it only what names another call is asked', async () => {
    const rig = await asking({ decide }, { line });
    const { heard, ask, hold, finish, wire } = rig;
    const masked = await hold(1, 'masked');
    const plain = await hold(2, 'hold');
    await ask('q1', ASK, { ...FORM, message: 'ssn 123' }, { relatedRequestId: masked });
    await ask('q2', ASK, { ...FORM, message: 'ssn 123' });
    await ask('q3', ASK, FORM, { relatedRequestId: plain });
    finish();
    await Promise.all([wire.answerTo(1), wire.answerTo(2)]);
    await ask('q4', ASK, { ...FORM, message: 'ssn 123' });
    const withheld = ['q1', 'q2', 'q4'];
    expect(heard).toMatchObject(withheld.map((id) => refused(id, 'RESULT_WITHHELD')));
    expect(sent(rig, 'q3')).toBe(1);
    expect(wire.sent.join()).not.toContain('123');
  });
});
