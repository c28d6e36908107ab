import { describe, expect, test } from '@jest/globals';
import { connected, guarded, HELLO, unguarded } from './support/rig.ts';
import { allow, deny, hide } from './support/scripted.ts';
import { buildLowLevel, buildServer, LINES, plainTool } from './support/servers.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';

describe.each(LINES)('tools/call, SDK %i.x', (line) => {
  test('an allowed call is executed and its result passes byte for byte', async () => {
    const { wire, journal, parts } = await guarded({}, { line });
    const bare = await unguarded(buildServer(line));
    const call = { name: 'transfer', arguments: { amount: 5, to: 'bob' } };
    expect(await wire.ask(7, 'tools/call', call)).toBe(await bare.ask(7, 'tools/call', call));
    expect(journal.calls.map(({ name, args }) => ({ name, args }))).toEqual([
      { name: 'transfer', args: { amount: 5, to: 'bob' } },
    ]);
    expect(parts.decisionPoint.reports).toEqual([
      { evaluation_id: 'e-1', status: 'executed', occurred_at: '2026-11-20T08:00:00.000Z' },
    ]);
  });

  test('a denied call says why in a result and is not executed', async () => {
    const { wire, journal, parts } = await guarded({ decide: () => deny() }, { line });
    expect(await wire.call(7, 'balance')).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {
        content: [{ type: 'text', text: 'The server policy does not allow this operation.' }],
        isError: true,
        _meta: {
          [EXTENSION]: {
            error: {
              code: 'CAPABILITY_NOT_ALLOWED',
              message: 'The server policy does not allow this operation.',
            },
            reason_code: 'CAPABILITY_NOT_ALLOWED',
            retry: 'never',
            request_id: 'e-1',
          },
        },
      },
    });
    expect([journal.calls, parts.decisionPoint.reports]).toEqual([[], []]);
  });

  test('[R7] one setting makes a refusal an error, with a code that is free', async () => {
    const settings = { denials_as_errors: true };
    const safe_message = 'Ask the treasurer.';
    const decide = () => deny({ reason_code: 'TREASURER_ONLY', safe_message });
    const { wire } = await guarded({ decide }, { line, settings });
    expect((await wire.call(7, 'balance')).error).toEqual({
      code: 403,
      message: safe_message,
      data: {
        error: { code: 'TREASURER_ONLY', message: safe_message },
        reason_code: 'TREASURER_ONLY',
        retry: 'never',
        request_id: 'e-1',
      },
    });
  });

  test('[R5] a hidden call is answered as an McpServer answers an unknown one', async () => {
    const decide = ({ resource }: { resource: { id: string } }) =>
      resource.id === 'secret' ? hide() : allow();
    const { wire, journal } = await guarded({ decide }, { line });
    const bare = await unguarded(buildServer(line));
    const ask = (at: typeof wire, name: string, args: object) =>
      at.ask(7, 'tools/call', { name, arguments: args });
    for (const args of [{}, { amount: 'wrong' }]) {
      expect(await ask(wire, 'nothing', args)).toBe(await ask(bare, 'nothing', args));
      expect(await ask(wire, 'secret', args)).toBe(
        (await ask(bare, 'nothing', args)).replace('nothing', 'secret'),
      );
    }
    expect(journal.calls).toEqual([]);
  });

  test('what needs an approval is refused, in the words of the policy', async () => {
    const decide = () => ({
      ...deny({ outcome: 'require_approval', reason_code: 'MANAGER', safe_message: 'Ask.' }),
    });
    const { wire, journal } = await guarded({ decide }, { line });
    const { result } = await wire.call(7, 'balance');
    expect(result.content).toEqual([{ type: 'text', text: 'Ask.' }]);
    expect(result._meta[EXTENSION]).toEqual({
      error: { code: 'APPROVAL_REQUIRED', message: 'Ask.' },
      reason_code: 'APPROVAL_REQUIRED',
      retry: 'after_approval',
      request_id: 'e-1',
    });
    expect(journal.calls).toEqual([]);
  });

  test('arguments that break the schema of a refused tool are named', async () => {
    const { wire, parts } = await guarded({ decide: () => deny() }, { line });
    const { result } = await wire.call(7, 'transfer', { amount: 'all', to: 'bob' });
    expect(result.content[0].text).toBe(
      'The server policy does not allow this operation. The arguments do not fit the input schema' +
        ' of the tool at `/amount` (type).',
    );
    expect(result._meta[EXTENSION].arguments_fault).toEqual({
      pointer: '/amount',
      keyword: 'type',
    });
    expect(parts.decisionPoint.decisions[0]?.context.arguments).toEqual({ amount: 'all' });
    const fine = await wire.call(8, 'transfer', { amount: 1, to: 'bob' });
    expect(fine.result._meta[EXTENSION].arguments_fault).toBeUndefined();
  });

  test.each([
    ['broken', { type: 'no such type' }],
    ['of another draft', { $schema: 'http://json-schema.org/draft-07/schema#', type: 'object' }],
    ['asynchronous', { type: 'object', $async: true, required: [] }],
    ['pointing elsewhere', { $ref: 'https://example.com/schema' }],
    ['too large', { type: 'object', required: ['x'], description: 'a'.repeat(70_000) }],
  ])('a schema that is %s gives no hint and no failure', async (_what, schema) => {
    const inputSchema = { type: 'object', ...schema };
    const list = () => ({ tools: [plainTool('balance', { inputSchema })] });
    const server = () => buildLowLevel(line, list);
    const { wire } = await guarded({ decide: () => deny() }, { line, server });
    const told = await wire.call(7, 'balance');
    const refusal = 'The server policy does not allow this operation.';
    // 2.x does not let a server list a schema that is no object schema.
    const text = told.result.content[0].text;
    expect([refusal, 'The server policy is not available.']).toContain(text);
    expect(told.result._meta[EXTENSION].arguments_fault).toBeUndefined();
  });
});

describe.each(LINES)('arguments that are too large, SDK %i.x', (line) => {
  test('are refused in the same way whatever the name, and nobody is asked', async () => {
    const settings = { arguments_bytes_max: 1000 };
    const decide = ({ resource: { id } }: { resource: { id: string } }) =>
      id === 'balance' ? allow() : hide();
    const { wire, journal, parts } = await guarded({ decide }, { line, settings });
    const answers = ['balance', 'secret', 'unheard'].map(async (name, id) => {
      const { result } = await wire.call(id, name, { account: 'é'.repeat(500) });
      const { request_id: _id, ...refusal } = result._meta[EXTENSION];
      return { ...result, _meta: refusal };
    });
    const [visible, hidden, unheard] = await Promise.all(answers);
    expect(visible._meta).toMatchObject({
      error: { code: 'POLICY_INDETERMINATE' },
      reason_code: 'ARGUMENTS_TOO_LARGE',
      retry: 'with_smaller_arguments',
    });
    expect([hidden, unheard]).toEqual([visible, visible]);
    expect([journal.calls, parts.decisionPoint.decisions]).toEqual([[], []]);
    const fits = { account: 'e'.repeat(1000 - '{"account":""}'.length) };
    expect((await wire.call(7, 'balance', fits)).result.isError).toBeUndefined();
  });
});

describe.each(LINES)('what reaches the server, SDK %i.x', (line) => {
  test('neither a task, nor answers to questions, nor offers that are not enforced', async () => {
    const { wire, server } = await connected({}, { line });
    const low = server.server as { transport: { onmessage: (message: object) => void } };
    const heard: unknown[] = [];
    const { onmessage } = low.transport;
    low.transport.onmessage = (message: object) => {
      heard.push(message);
      onmessage.call(low.transport, message);
    };
    const { capabilities } = HELLO;
    const hello = { ...HELLO, capabilities: { ...capabilities, tasks: {}, experimental: {} } };
    await wire.ask('h', 'initialize', hello);
    await wire.ask(1, 'tools/call', {
      name: 'balance',
      arguments: {},
      task: { ttl: 1 },
      inputResponses: { q: 1 },
      requestState: 'x',
      _meta: { progressToken: 4 },
    });
    const params = {
      protocolVersion: '2025-11-25',
      capabilities,
      clientInfo: HELLO.clientInfo,
    };
    expect(
      heard.filter((message) => !String((message as { id: unknown }).id).startsWith('portcullis')),
    ).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'initialize', params },
      {
        jsonrpc: '2.0',
        id: 2,
        method: 'tools/call',
        params: { name: 'balance', arguments: {}, _meta: { progressToken: 2 } },
      },
    ]);
  });

  test('no request is answered into the queue of a task', async () => {
    const { wire, server } = await guarded({}, { line });
    const heard: unknown[] = [];
    const low = server.server as {
      transport: { onmessage: (message: { params?: object }) => void };
    };
    const { onmessage } = low.transport;
    low.transport.onmessage = (message) => {
      heard.push(message.params);
      onmessage.call(low.transport, message);
    };
    const _meta = { 'io.modelcontextprotocol/related-task': { taskId: 't' }, other: 1 };
    await wire.ask(1, 'ping', { _meta });
    await wire.ask(2, 'tools/call', { name: 'balance', _meta });
    expect(heard).toContainEqual({ name: 'balance', _meta: { other: 1 } });
    expect(JSON.stringify(heard)).not.toContain('taskId');
  });

  test('what the client changes after the decision began does not', async () => {
    const params = { name: 'transfer', arguments: { amount: 1, to: 'bob' } };
    const decide = async () => {
      params.arguments.amount = 1_000_000;
      params.name = 'secret';
      return allow();
    };
    const { wire, journal } = await guarded({ decide }, { line });
    await wire.ask(1, 'tools/call', params);
    expect(journal.calls).toMatchObject([{ name: 'transfer', args: { amount: 1 } }]);
  });
});
