import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import { guarded, type RigOptions } from './support/rig.ts';
import { allow } from './support/scripted.ts';
import {
  buildServer,
  LINES,
  requestIdOf,
  said,
  type HighServer,
  type Line,
} from './support/servers.ts';
import { settle } from './support/wire.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';
const KEEP: Obligation = { type: 'keep_fields', paths: ['/amount'], unstructured: 'drop' };
const REFUSE: Obligation = {
  type: 'mask_fields',
  paths: ['/x'],
  mode: 'remove',
  unstructured: 'refuse',
};

/** Masks what `balance` and the tools named `masked…` answer. */
const decide = ({ resource }: { resource: { id: string } }) =>
  resource.id === 'balance' || resource.id.startsWith('masked')
    ? allow({ obligations: [KEEP] })
    : allow();

interface Low {
  transport: { send(message: object, options?: object): Promise<void> };
}

function low(server: HighServer): Low {
  return server.server as Low;
}

/** What a handler may be given to speak beside its result, on either line. */
interface Extra {
  sendNotification?(told: object): Promise<void>;
  mcpReq?: { notify(told: object): Promise<void> };
}

function notify(extra: unknown, told: object): Promise<void> {
  const { sendNotification, mcpReq } = extra as Extra;
  return (sendNotification ?? ((it) => mcpReq!.notify(it)))(told);
}

const log = (data: unknown) => ({
  method: 'notifications/message',
  params: { level: 'info', data },
});
const progress = (progressToken: unknown) => ({
  method: 'notifications/progress',
  params: { progressToken, progress: 1, message: 'ssn 123' },
});

/** A server whose tools wait for the test before they answer. */
function gated(line: Line): { options: RigOptions; open: () => void; extras: unknown[] } {
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const extras: unknown[] = [];
  const wait = async (_args: unknown, extra: unknown) => {
    extras.push(extra);
    await gate;
    return said('{"amount":1,"ssn":"123"}');
  };
  const server = () => buildServer(line, { calls: [] }, { masked: wait, plain: wait });
  return { options: { line, server }, open, extras };
}

describe.each(LINES)('a masked call, SDK %i.x', (line) => {
  test('tells only what may be told, and the report names the paths', async () => {
    const { wire, parts } = await guarded({ decide }, { line });
    expect((await wire.call(1, 'balance')).result).toEqual({
      content: [{ type: 'text', text: '{"amount":12}' }],
      structuredContent: { amount: 12 },
    });
    expect(parts.decisionPoint.reports).toEqual([
      {
        evaluation_id: 'e-1',
        status: 'executed',
        masked: expect.arrayContaining([expect.any(String)]),
        occurred_at: expect.any(String),
      },
    ]);
  });

  test('is withheld whole where it cannot be masked, and it was executed', async () => {
    const { wire, parts, journal } = await guarded(
      { decide: () => allow({ obligations: [REFUSE] }) },
      { line },
    );
    const { result } = await wire.call(1, 'transfer', { amount: 1, to: 'bob' });
    expect(result.content).toEqual([
      { type: 'text', text: 'The result of this operation may not be shown.' },
    ]);
    expect(result._meta[EXTENSION]).toMatchObject({
      reason_code: 'RESULT_WITHHELD',
      retry: 'never',
    });
    expect(journal.calls).toHaveLength(1);
    expect(parts.decisionPoint.reports).toMatchObject([
      { status: 'executed', reason_code: 'RESULT_WITHHELD' },
    ]);
  });

  test('is withheld where its result is larger than the limit', async () => {
    const settings = { result_bytes_max: 20 };
    const { wire } = await guarded({ decide }, { line, settings });
    expect((await wire.call(1, 'balance')).result._meta[EXTENSION].reason_code).toBe(
      'RESULT_WITHHELD',
    );
  });

  test('masks what a handler threw, and a JSON-RPC error too', async () => {
    const obligations = [KEEP];
    const { wire, server, parts } = await guarded(
      { decide: () => allow({ obligations }) },
      { line },
    );
    expect(JSON.stringify(await wire.call(1, 'broken'))).not.toContain('hunter2');
    const { transport } = low(server);
    const handlers = (server.server as { _requestHandlers: Map<string, unknown> })._requestHandlers;
    handlers.set('tools/call', () =>
      Promise.reject(
        Object.assign(new Error('ssn 123'), { code: 4242, data: { amount: 1, ssn: '123' } }),
      ),
    );
    const told = await wire.call(2, 'balance');
    expect(told).toEqual({
      jsonrpc: '2.0',
      id: 2,
      error: { code: -32603, message: '[withheld by policy]', data: { amount: 1 } },
    });
    expect(transport).toBeDefined();
    expect(parts.decisionPoint.reports.at(-1)).toMatchObject({ status: 'failed' });
  });

  test('its progress and logs are withheld, those of others pass', async () => {
    const { options, open, extras } = gated(line);
    const { wire, server } = await guarded({ decide }, options);
    const _meta = (progressToken: number) => ({ _meta: { progressToken } });
    wire.give({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: 'masked', ..._meta(11) },
    });
    wire.give({
      jsonrpc: '2.0',
      id: 2,
      method: 'tools/call',
      params: { name: 'plain', ..._meta(22) },
    });
    await settle();
    const before = wire.sent.length;
    const [masked, plain] = extras;
    await notify(masked, log('ssn 123'));
    await notify(masked, progress(requestIdOf(masked)));
    await server.sendLoggingMessage({ level: 'info', data: 'ssn 123' });
    await low(server).transport.send(
      { jsonrpc: '2.0', ...log('ssn 123') },
      { relatedRequestId: requestIdOf(masked) as number },
    );
    await low(server).transport.send({ jsonrpc: '2.0', ...progress('unknown') });
    await notify(masked, {
      method: 'notifications/tools/list_changed',
      params: { _meta: { ssn: '123' } },
    });
    expect(wire.messages.slice(before)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
    ]);
    await notify(plain, log('fine'));
    await notify(plain, progress(requestIdOf(plain)));
    expect(wire.messages.slice(before + 1)).toMatchObject([
      { method: 'notifications/message' },
      { method: 'notifications/progress', params: { progressToken: 22 } },
    ]);
    expect(wire.options.at(-1)).toEqual({ relatedRequestId: 2 });
    open();
    await Promise.all([wire.answerTo(1), wire.answerTo(2)]);
    expect(JSON.stringify(JSON.parse(await wire.answerTo(1)))).not.toContain('123');
    const after = wire.sent.length;
    await notify(masked, log('ssn 123'));
    await notify(plain, log('of a call that has ended'));
    await server.sendLoggingMessage({ level: 'info', data: 'ssn 123' });
    expect(wire.sent.slice(after)).toEqual([]);
  });

  test('under a shared progress token each call is known by its own', async () => {
    const { options, open, extras } = gated(line);
    const { wire, server } = await guarded({ decide }, options);
    for (const [id, name] of [
      [1, 'masked'],
      [2, 'plain'],
    ] as const) {
      wire.give({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name, _meta: { progressToken: 5 } },
      });
    }
    await settle();
    const before = wire.sent.length;
    const ids = extras.map(requestIdOf);
    const tell = (token: unknown) =>
      low(server).transport.send({ jsonrpc: '2.0', ...progress(token) });
    for (const token of [5, ids[0]]) await tell(token);
    expect(wire.sent.slice(before)).toEqual([]);
    await tell(ids[1]);
    expect(wire.messages.slice(before)).toMatchObject([{ params: { progressToken: 5 } }]);
    open();
    await wire.answerTo(2);
    const after = wire.sent.length;
    for (const token of ids) await tell(token);
    expect(wire.sent.slice(after)).toEqual([]);
  });

  test('what its handler says after the result is withheld as well', async () => {
    const later: Promise<void>[] = [];
    const masked = () => {
      later.push(
        settle(30).then(() => rig.server.sendLoggingMessage({ level: 'info', data: 'ssn 123' })),
      );
      return said('{"amount":1}');
    };
    const build = () => buildServer(line, { calls: [] }, { masked });
    const rig = await guarded({ decide }, { line, server: build });
    await rig.wire.call(1, 'masked');
    await Promise.all(later);
    expect(rig.wire.sent.join()).not.toContain('123');
  });

  test('what a worker says of it that another call started is withheld as well', async () => {
    const jobs: (() => Promise<void>)[] = [];
    const { promise: started, resolve: start } = Promise.withResolvers<void>();
    const worker = async () => {
      await started;
      for (const job of jobs) await job();
    };
    let working: Promise<void> | undefined;
    const plain = async () => {
      working = worker();
      await working;
      return said('plain');
    };
    const masked = () => {
      jobs.push(() => rig.server.sendLoggingMessage({ level: 'info', data: 'ssn 123' }));
      return said('{"amount":1}');
    };
    const build = () => buildServer(line, { calls: [] }, { masked, plain });
    const rig = await guarded({ decide }, { line, server: build });
    const running = rig.wire.call(1, 'plain');
    await rig.wire.call(2, 'masked');
    start();
    await running;
    expect(rig.wire.sent.join()).not.toContain('123');
  });

  test('after it was cancelled, a log line that belongs to nobody is withheld', async () => {
    const { options, open } = gated(line);
    const { wire, server } = await guarded({ decide }, options);
    wire.give({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'masked' } });
    await settle();
    wire.give({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    const before = wire.sent.length;
    await server.sendLoggingMessage({ level: 'info', data: 'ssn 123' });
    open();
    await settle();
    expect(wire.sent.slice(before)).toEqual([]);
  });
});
