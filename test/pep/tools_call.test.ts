import { describe, expect, test } from '@jest/globals';
import { guarded, unguarded } from './support/rig.ts';
import { allow, deny, hide } from './support/scripted.ts';
import { buildServer, LINES } from './support/servers.ts';

describe.each(LINES)('tools/call on SDK %i.x', (line) => {
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
    const { wire, journal } = await guarded({ decide: () => deny() }, { line });
    expect(await wire.call(7, 'balance')).toEqual({
      jsonrpc: '2.0',
      id: 7,
      result: {
        content: [{ type: 'text', text: 'The server policy does not allow this operation.' }],
        isError: true,
        _meta: {
          'io.modelcontextprotocol/server-policy-enforcement': {
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
    expect(journal.calls).toEqual([]);
  });

  test('a hidden call and an unknown one are answered as an McpServer answers an unknown one', async () => {
    const decide = ({ resource }: { resource: { id: string } }) =>
      resource.id === 'secret' ? hide() : allow();
    const { wire, journal } = await guarded({ decide }, { line });
    const bare = await unguarded(buildServer(line));
    const ask = (at: typeof wire, name: string) => at.ask(7, 'tools/call', { name, arguments: {} });
    expect(await ask(wire, 'nothing')).toBe(await ask(bare, 'nothing'));
    expect(await ask(wire, 'secret')).toBe(
      (await ask(bare, 'nothing')).replace('nothing', 'secret'),
    );
    expect(journal.calls).toEqual([]);
  });
});
