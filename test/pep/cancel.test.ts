import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { Exchange, Exchanges } from '../../src/pep/exchange.ts';
import { guarded, type RigOptions } from './support/rig.ts';
import { allow } from './support/scripted.ts';
import { buildServer, LINES, requestIdOf, said, type Line } from './support/servers.ts';
import { settle } from './support/wire.ts';

const KEEP_NOTHING: Obligation = { type: 'keep_fields', paths: [], unstructured: 'drop' };

const cancel = (requestId: unknown) => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason: 'enough' },
});
const call = (id: unknown, name: string) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: {} },
});

/** A server whose tools never answer, unless the test does under the ids that they were given. */
async function hanging(options: RigOptions & { line: Line }) {
  const ids: unknown[] = [];
  const hang = (_args: unknown, extra: unknown) => {
    ids.push(requestIdOf(extra));
    return new Promise<never>(() => undefined);
  };
  const server = () => buildServer(options.line, { calls: [] }, { masked: hang, plain: hang });
  const decide = ({ resource: { id } }: { resource: { id: string } }) =>
    id === 'masked' ? allow({ obligations: [KEEP_NOTHING] }) : allow();
  const rig = await guarded({ decide }, { ...options, server });
  const { transport } = rig.server.server as {
    transport: { send(message: object): Promise<void> };
  };
  const answer = (id: unknown, text: string) =>
    transport.send({ jsonrpc: '2.0', id, result: said(text) });
  return { rig, ids, answer };
}

describe.each(LINES)('a call that is no longer wanted, SDK %i.x', (line) => {
  test('cancelled while it is decided, it never reaches the server', async () => {
    const decide = () => settle(40).then(() => allow());
    const { wire, journal, parts } = await guarded({ decide }, { line });
    wire.give(call(1, 'balance'));
    await settle(5);
    const before = wire.sent.length;
    wire.give(cancel(1));
    await settle(80);
    expect([wire.sent.slice(before), journal.calls]).toEqual([[], []]);
    expect(parts.decisionPoint.reports).toEqual([]);
    expect((await wire.call(1, 'balance')).result.content).toHaveLength(1);
  });

  // SDK 1.x takes a cancellation of 0 or of the empty text for one of nothing.
  test.each([1, 0, ''])(
    'cancelled while it runs as %j, the server hears of it and no answer comes',
    async (id) => {
      const aborted: boolean[] = [];
      const slow = async (_args: unknown, extra: unknown) => {
        const { signal, mcpReq } = extra as {
          signal?: AbortSignal;
          mcpReq?: { signal: AbortSignal };
        };
        await settle(40);
        aborted.push((signal ?? mcpReq!.signal).aborted);
        return said('late');
      };
      const server = () => buildServer(line, { calls: [] }, { slow });
      const { wire, parts } = await guarded({}, { line, server });
      wire.give(call(id, 'slow'));
      await settle(10);
      const before = wire.sent.length;
      wire.give(cancel(id));
      await settle(60);
      expect([aborted, wire.sent.slice(before)]).toEqual([[true], []]);
      expect(parts.decisionPoint.reports).toMatchObject([{ status: 'abandoned' }]);
    },
  );

  test('cancelled while no policy is active, the server hears of it too', async () => {
    const heard = Promise.withResolvers<void>();
    const slow = (_args: unknown, extra: unknown) => {
      const { signal, mcpReq } = extra as {
        signal?: AbortSignal;
        mcpReq?: { signal: AbortSignal };
      };
      (signal ?? mcpReq!.signal).addEventListener('abort', () => heard.resolve());
      return heard.promise.then(() => said('late'));
    };
    const server = () => buildServer(line, { calls: [] }, { slow });
    const { wire, parts } = await guarded({}, { line, server });
    wire.give(call(1, 'slow'));
    await settle(10);
    parts.decisionPoint.announce({ ready: false });
    wire.give(cancel(1));
    await heard.promise;
    wire.give({ jsonrpc: '2.0', method: 'notifications/initialized' });
    expect(wire.messages.filter(({ id }) => id === 1)).toEqual([]);
  });

  test.each([1, 0, ''])(
    'a late answer is not told as that of another request under the same id %j',
    async (id) => {
      const { rig, answer, ids } = await hanging({ line });
      rig.wire.give(call(id, 'masked'));
      await settle(10);
      rig.wire.give(cancel(id));
      rig.wire.give(call(id, 'plain'));
      await settle(10);
      const before = rig.wire.sent.length;
      await answer(ids[0], 'ssn');
      expect(rig.wire.sent.slice(before)).toEqual([]);
      await answer(ids[1], 'plain');
      expect(await rig.wire.answerTo(id, before)).toContain('plain');
      await rig.server.close();
    },
  );

  test('what was cancelled counts as long as the server may be at work on it', async () => {
    const { rig, answer, ids } = await hanging({ line, settings: { requests_in_flight_max: 2 } });
    for (const id of [1, 2]) {
      rig.wire.give(call(id, 'plain'));
      await settle(10);
      rig.wire.give(cancel(id));
    }
    expect(JSON.stringify(await rig.wire.call(3, 'plain'))).toContain('POLICY_UNAVAILABLE');
    await answer(ids[0], 'done');
    rig.wire.give(call(4, 'plain'));
    await settle(10);
    expect(ids).toHaveLength(3);
    await rig.server.close();
  });

  test('nobody cancels what is not open, nor what the guard asked itself', async () => {
    const { wire, server } = await guarded({}, { line });
    const heard: string[] = [];
    const low = server.server as {
      transport: { onmessage: (message: { method?: string }) => void };
    };
    low.transport.onmessage = ({ method }) => heard.push(method ?? 'answer');
    for (const id of [1, 'x', undefined, {}, 'portcullis:00000000-0000-4000-8000-000000000001']) {
      wire.give(cancel(id));
    }
    await settle();
    expect(heard).toEqual([]);
  });

  test('disconnected, nothing is sent, executed or kept', async () => {
    const decide = () => settle(40).then(() => allow());
    const { wire, journal, parts } = await guarded({ decide }, { line });
    wire.give(call(1, 'balance'));
    wire.give(call(2, 'balance'));
    await settle(5);
    const before = wire.sent.length;
    await wire.close();
    wire.give(call(3, 'balance'));
    parts.decisionPoint.announce({ ready: true });
    await settle(80);
    expect([wire.sent.slice(before), journal.calls]).toEqual([[], []]);
    expect(parts.decisionPoint.decisions).toHaveLength(2);
  });

  test('disconnected while the guard lists the server, it gives up', async () => {
    const { wire, server, parts } = await guarded(
      {},
      { line, settings: { catalogue_timeout_ms: 60_000 } },
    );
    const handlers = (server.server as { _requestHandlers: Map<string, unknown> })._requestHandlers;
    handlers.set('tools/list', () => new Promise(() => undefined));
    wire.give(call(1, 'balance'));
    await settle(5);
    await wire.close();
    await settle(5);
    expect(parts.log.of('error')).toContain('a request cannot be decided');
  });

  test('a client that is gone does not stop the server, and is logged', async () => {
    const { wire, parts } = await guarded({}, { line });
    wire.send = () => Promise.reject(new Error('EPIPE'));
    wire.give(call(1, 'balance'));
    await settle();
    expect(parts.log.of('warn')).toContain('a message did not reach the client');
  });

  test('a report that fails or hangs does not hold up the answer', async () => {
    const report = () => Promise.reject(new Error('disk full'));
    const settings = { decision_timeout_ms: 200 };
    const { wire, parts } = await guarded({ report }, { line, settings });
    expect((await wire.call(1, 'balance')).result.isError).toBeUndefined();
    parts.decisionPoint.script.report = () => new Promise(() => undefined);
    expect((await wire.call(2, 'balance')).result.isError).toBeUndefined();
    while (parts.log.of('error').length < 2) await settle(10);
    expect(parts.log.of('error')).toEqual([
      'an outcome was not reported',
      'an outcome was not reported',
    ]);
  });
});

describe('the table of open requests', () => {
  const exchanges = new Exchanges(30_000);
  const open = (id: number) => {
    const exchange = new Exchange(
      {
        request: { kind: 'request', id, method: 'm', params: {} },
        era: 'legacy',
        extra: undefined,
        claims: {},
        trusted: undefined,
        offers: {},
      },
      exchanges.nextId(),
    );
    exchanges.add(exchange);
    return exchange;
  };
  afterEach(() => {
    exchanges.cancelAll();
    jest.useRealTimers();
  });

  test('keeps nothing of what is finished', () => {
    const one = open(1);
    expect([exchanges.size, exchanges.get(1)]).toEqual([1, one]);
    exchanges.remove(one);
    expect([exchanges.size, exchanges.get(1)]).toEqual([0, undefined]);
  });

  test('a finished request does not remove its successor of the same id', () => {
    const one = open(1);
    exchanges.remove(one);
    const two = open(1);
    exchanges.remove(one);
    expect(exchanges.get(1)).toBe(two);
    expect(two.server_id).toBeGreaterThan(one.server_id);
  });

  test('what is cancelled while the server has it counts on, and no longer than for a time', () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate'] });
    const [sent, unsent, answered] = [open(1), open(2), open(3)];
    for (const exchange of [sent, answered]) void exchange.forward(() => undefined);
    for (const exchange of [sent, unsent, answered]) exchanges.abandon(exchange);
    expect([exchanges.size, exchanges.get(1)]).toEqual([2, undefined]);
    expect(exchanges.running(sent.server_id)).toBeUndefined();
    exchanges.release(answered.server_id);
    exchanges.remove(sent);
    expect(exchanges.size).toBe(1);
    jest.runAllTimers();
    expect(exchanges.size).toBe(0);
  });

  test('closing cancels what is open, and what is forwarded later is not sent', async () => {
    const [sent, unsent] = [open(1), open(2)];
    const answer = sent.forward(() => undefined);
    exchanges.cancelAll();
    expect([await answer, sent.signal.aborted, exchanges.size]).toEqual([undefined, true, 0]);
    let forwarded = false;
    const late = unsent.forward(() => {
      forwarded = true;
    });
    expect([await late, forwarded]).toEqual([undefined, false]);
    expect([sent.sent, unsent.sent]).toEqual([true, false]);
  });
});
