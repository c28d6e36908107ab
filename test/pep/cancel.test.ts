import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { Exchange, Exchanges } from '../../src/pep/exchange.ts';
import { guarded } from './support/rig.ts';
import { allow } from './support/scripted.ts';
import { buildServer, LINES, said } from './support/servers.ts';
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

  test('cancelled while it runs, the server hears of it and no answer comes', async () => {
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
    wire.give(call(1, 'slow'));
    await settle(10);
    const before = wire.sent.length;
    wire.give(cancel(1));
    await settle(60);
    expect([aborted, wire.sent.slice(before)]).toEqual([[true], []]);
    expect(parts.decisionPoint.reports).toMatchObject([{ status: 'cancelled' }]);
  });

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

  test('a late answer of a server that does not care is dropped', async () => {
    const slow = () => settle(100).then(() => said('late'));
    const server = () => buildServer(line, { calls: [] }, { slow });
    const rig = await guarded({}, { line, server });
    rig.wire.give(call(1, 'slow'));
    await settle(10);
    rig.wire.give(cancel(1));
    const before = rig.wire.sent.length;
    const { transport } = rig.server.server as {
      transport: { send(message: object): Promise<void> };
    };
    await transport.send({ jsonrpc: '2.0', id: 1, result: { content: [] } });
    expect(rig.wire.sent.slice(before)).toEqual([]);
    await rig.server.close();
  });

  test('a late answer is not told as that of another request under the same id', async () => {
    const hang = () => new Promise<never>(() => undefined);
    const server = () => buildServer(line, { calls: [] }, { masked: hang, plain: hang });
    const decide = ({ resource: { id } }: { resource: { id: string } }) =>
      id === 'masked' ? allow({ obligations: [KEEP_NOTHING] }) : allow();
    const rig = await guarded({ decide }, { line, server });
    const { transport } = rig.server.server as {
      transport: { send(message: object): Promise<void> };
    };
    const late = () =>
      transport.send({ jsonrpc: '2.0', id: 1, result: { content: [said('ssn')] } });
    rig.wire.give(call(1, 'masked'));
    await settle(10);
    rig.wire.give(cancel(1));
    const before = rig.wire.sent.length;
    expect((await rig.wire.call(1, 'plain')).error).toMatchObject({ code: -32600 });
    await late();
    expect(rig.wire.sent.slice(before).join()).not.toContain('ssn');
    // Now the server is done with it.
    rig.wire.give(call(1, 'plain'));
    await settle(10);
    await late();
    expect(await rig.wire.answerTo(1, before + 1)).toContain('ssn');
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
    const { wire, parts } = await guarded({ report }, { line });
    expect((await wire.call(1, 'balance')).result.isError).toBeUndefined();
    parts.decisionPoint.script.report = () => new Promise(() => undefined);
    expect((await wire.call(2, 'balance')).result.isError).toBeUndefined();
    await settle(230);
    expect(parts.log.of('warn')).toEqual([
      'an outcome was not reported',
      'an outcome was not reported',
    ]);
  });
});

describe('the table of open requests', () => {
  const open = (id: number, progressToken?: string) =>
    new Exchange({
      request: { kind: 'request', id, method: 'm', params: { _meta: { progressToken } } },
      era: 'legacy',
      extra: undefined,
      claims: {},
      trusted: undefined,
    });

  test('keeps nothing of what is finished', () => {
    const exchanges = new Exchanges();
    const [one, two] = [open(1, 'shared'), open(2, 'shared')];
    exchanges.add(one);
    exchanges.add(two);
    expect([exchanges.size, exchanges.sharing('shared')]).toEqual([2, [one, two]]);
    exchanges.remove(one);
    expect([exchanges.get(1), exchanges.sharing('shared')]).toEqual([undefined, [two]]);
    exchanges.remove(two);
    expect([exchanges.size, exchanges.sharing('shared')]).toEqual([0, []]);
  });

  test('a finished request does not remove its successor of the same id', () => {
    const exchanges = new Exchanges();
    const [one, two] = [open(1), open(1)];
    exchanges.add(one);
    exchanges.remove(one);
    exchanges.add(two);
    exchanges.remove(one);
    expect(exchanges.get(1)).toBe(two);
  });

  test('what is cancelled while the server has it keeps its id, up to a limit', () => {
    const exchanges = new Exchanges();
    const ids = Array.from({ length: 1025 }, (_none, id) => id);
    const cancelled = ids.map((id) => {
      const exchange = open(id);
      exchanges.add(exchange);
      void exchange.forward(() => undefined);
      return exchanges.abandon(exchange);
    });
    expect(cancelled.indexOf(false)).toBe(1024);
    expect([exchanges.size, exchanges.isTaken(0), exchanges.isTaken(1024)]).toEqual([
      1,
      true,
      true,
    ]);
    exchanges.release(0);
    expect([exchanges.isTaken(0), exchanges.abandon(exchanges.get(1024)!)]).toEqual([false, true]);
    exchanges.cancelAll();
    expect(ids.some((id) => exchanges.isTaken(id))).toBe(false);
  });

  test('closing cancels what is open, and what is forwarded later is not sent', async () => {
    const exchanges = new Exchanges();
    const [sent, unsent] = [open(1), open(2)];
    exchanges.add(sent);
    exchanges.add(unsent);
    const answer = sent.forward(() => undefined);
    exchanges.cancelAll();
    expect([await answer, sent.signal.aborted, exchanges.size]).toEqual([undefined, true, 0]);
    let forwarded = false;
    const late = unsent.forward(() => {
      forwarded = true;
    });
    expect([await late, forwarded]).toEqual([undefined, false]);
  });
});
