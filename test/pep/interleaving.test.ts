/** What a client ends, a server says and a tool becomes in the middle of a call. */
import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { guarded, unguarded, type Rig } from './support/rig.ts';
import { allow, deny, hide } from './support/scripted.ts';
import { buildServer, LINES, said, type Line } from './support/servers.ts';
import { settle, type TestWire } from './support/wire.ts';

const KEEP_NOTHING: Obligation = { type: 'keep_fields', paths: [], unstructured: 'drop' };
/** Under which the guard gives it to the server: the handshake was the first. */
const SERVER_ID = 2;
const CALL = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'slow' } };

type Gates = Record<'listing' | 'deciding' | 'relisting' | 'executing', Gate>;

/** A place where a call waits until it is let on. */
class Gate {
  readonly #reached = Promise.withResolvers<void>();
  readonly #open = Promise.withResolvers<void>();
  readonly reached = this.#reached.promise;
  readonly open = this.#open.resolve;

  pass(): Promise<void> {
    this.#reached.resolve();
    return this.#open.promise;
  }
}

/** A call of `slow` waits at the named gate; the others are open. */
async function stopping(line: Line, at: keyof Gates) {
  const gate = new Gate();
  const wait = (place: keyof Gates) => (place === at ? gate.pass() : Promise.resolve());
  let lists = 0;
  const slow = () => wait('executing').then(() => said('done'));
  const server = () => buildServer(line, { calls: [] }, { slow });
  const rig = await guarded({}, { line, server, settings: { catalogue_timeout_ms: 60_000 } });
  const ran: string[] = [];
  interpose(rig, 'tools/call', async (handle) => {
    ran.push('slow');
    return handle();
  });
  interpose(rig, 'tools/list', async (handle) => {
    lists += 1;
    await wait(lists === 1 ? 'listing' : 'relisting');
    return handle();
  });
  rig.parts.decisionPoint.script.decide = async () => {
    if (at === 'relisting') rig.server.sendToolListChanged();
    await wait('deciding');
    return allow();
  };
  return { ...rig, gate, ran };
}

type Handle = (...args: unknown[]) => Promise<unknown>;

/** Stands before a handler of the SDK's. */
function interpose({ server }: Rig, method: string, before: (handle: Handle) => Promise<unknown>) {
  const handlers = (server.server as { _requestHandlers: Map<string, Handle> })._requestHandlers;
  const handle = handlers.get(method)!;
  handlers.set(method, (...args) => before(() => handle(...args)));
}

const ENDINGS: [string, (wire: TestWire) => unknown][] = [
  [
    'cancelled',
    (wire) =>
      wire.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }),
  ],
  ['disconnected', (wire) => wire.close()],
];

/** Whether it is executed, and what is asked and reported, by the place where it ends. */
const PLACES: [keyof Gates, { ran: number; asked: number; reports: string[] }][] = [
  ['listing', { ran: 0, asked: 0, reports: [] }],
  ['deciding', { ran: 0, asked: 1, reports: [] }],
  ['relisting', { ran: 0, asked: 1, reports: ['cancelled'] }],
  ['executing', { ran: 1, asked: 1, reports: ['abandoned'] }],
];

const CASES = LINES.flatMap((line) =>
  ENDINGS.flatMap(([how, end]) => PLACES.map(([place, left]) => ({ line, how, end, place, left }))),
);

describe('a call that ends early', () => {
  test.each(CASES)('$how while $place, SDK $line.x', async ({ line, end, place, left }) => {
    const { wire, parts, gate, ran } = await stopping(line, place);
    wire.give(CALL);
    await gate.reached;
    const before = wire.sent.length;
    await end(wire);
    gate.open();
    await settle();
    const { decisions, reports } = parts.decisionPoint;
    expect(wire.sent.slice(before)).toEqual([]);
    expect({
      ran: ran.length,
      asked: decisions.length,
      reports: reports.map(({ status }) => status),
    }).toEqual(left);
  });

  test.each(CASES.filter(({ place }) => place === 'executing'))(
    '$how while its result is masked, SDK $line.x',
    async ({ line, end }) => {
      const { wire, parts, server, gate } = await stopping(line, 'executing');
      parts.decisionPoint.script.decide = () => allow({ obligations: [KEEP_NOTHING] });
      wire.give(CALL);
      await gate.reached;
      const before = wire.sent.length;
      let looked = 0;
      const toJSON = () => {
        looked += 1;
        void end(wire);
        return { ssn: '123' };
      };
      await sendAs(server, {
        jsonrpc: '2.0',
        id: SERVER_ID,
        result: { content: [], structuredContent: { toJSON } },
      });
      expect([looked > 0, wire.sent.slice(before)]).toEqual([true, []]);
      gate.open();
    },
  );
});

/** Says something as the server, past its SDK. */
function sendAs({ server }: Rig['server'], message: object): Promise<void> {
  return (server as { transport: { send(message: object): Promise<void> } }).transport.send(
    message,
  );
}

describe.each(LINES)('answers out of turn, SDK %i.x', (line) => {
  test.each([
    ['denied', () => deny()],
    ['hidden', () => hide()],
    ['not decided', () => undefined],
  ])('one to a call that was %s says nothing more', async (_what, decide) => {
    const { wire, server } = await guarded({ decide }, { line });
    await wire.call(1, 'balance');
    const before = wire.sent.length;
    await sendAs(server, { jsonrpc: '2.0', id: SERVER_ID, result: said('smuggled') });
    await sendAs(server, {
      jsonrpc: '2.0',
      id: SERVER_ID,
      error: { code: 1, message: 'smuggled' },
    });
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('a second one to the same call says nothing more', async () => {
    const { wire, server } = await guarded({}, { line });
    await wire.call(1, 'balance');
    const before = wire.sent.length;
    await sendAs(server, { jsonrpc: '2.0', id: SERVER_ID, result: said('again') });
    expect(wire.sent.slice(before)).toEqual([]);
  });

  test('one to a number is none to the text that looks like it', async () => {
    const hang = () => new Promise<never>(() => undefined);
    const build = () => buildServer(line, { calls: [] }, { slow: hang });
    const { wire, server } = await guarded({}, { line, server: build });
    wire.give(CALL);
    await settle();
    const before = wire.sent.length;
    await sendAs(server, { jsonrpc: '2.0', id: String(SERVER_ID), result: said('smuggled') });
    expect(wire.sent.slice(before)).toEqual([]);
  });
});

describe.each(LINES)('a tool that is not what was decided, SDK %i.x', (line) => {
  test('removed while it is decided, it is unknown', async () => {
    const { wire, parts, server } = await guarded({}, { line });
    const ran: string[] = [];
    const tool = server.registerTool('late', {}, () => said(String(ran.push('late'))));
    parts.decisionPoint.script.decide = () => {
      (tool as unknown as { remove(): void }).remove();
      return allow();
    };
    const told = await wire.ask(1, 'tools/call', { name: 'late', arguments: {} });
    const bare = await unguarded(buildServer(line));
    expect(told).toBe(await bare.ask(1, 'tools/call', { name: 'late', arguments: {} }));
    expect(ran).toEqual([]);
    expect(parts.decisionPoint.reports).toMatchObject([
      { status: 'refused', reason_code: 'DEFINITION_CHANGED' },
    ]);
  });

  test('not to be listed again once it was decided, it is refused', async () => {
    const rig = await guarded({}, { line });
    let lists = 0;
    interpose(rig, 'tools/list', async (handle) => {
      lists += 1;
      if (lists > 1) throw new Error('disk');
      return handle();
    });
    rig.parts.decisionPoint.script.decide = () => {
      rig.server.sendToolListChanged();
      return allow();
    };
    const { result } = await rig.wire.call(1, 'balance');
    expect(result.content[0].text).toBe('The server policy is not available.');
    expect(rig.journal.calls).toEqual([]);
    expect(rig.parts.decisionPoint.reports).toMatchObject([
      { status: 'refused', reason_code: 'POLICY_UNAVAILABLE' },
    ]);
  });

  test('replaced by one that says the same of itself, it is the same', async () => {
    const { wire, parts, server } = await guarded({}, { line });
    const tool = server.registerTool('late', { description: 'x' }, () => said('one'));
    parts.decisionPoint.script.decide = () => {
      tool.update({ description: 'x' });
      return allow();
    };
    expect((await wire.call(1, 'late')).result.content).toEqual([{ type: 'text', text: 'one' }]);
  });
});
