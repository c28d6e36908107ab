import { describe, expect, test } from '@jest/globals';
import { keyedDigestOf } from '../../src/contract/digest.ts';
import { ALICE } from './support/parts.ts';
import { connected, guarded, HELLO } from './support/rig.ts';
import { allow, deny, PROJECTION } from './support/scripted.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';

describe('what the decision point is asked', () => {
  test('names the caller, the tool with its digest, and the circumstances', async () => {
    const trusted = {
      ...ALICE,
      agent: { id: 'cid-1', verified: true, claimed: { team: 'x' } },
      surface: 'ide',
      session: { state: 'active' as const },
      purpose: { text: 'audit', source: 'launcher' },
    };
    const { wire, parts } = await guarded({}, { identity: () => trusted });
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await wire.ask(7, 'tools/call', {
      name: 'transfer',
      arguments: { amount: 5, to: 'bob', note: 'password: hunter2' },
      _meta: { traceparent, 'x/secret': 'hunter2' },
    });
    expect(parts.decisionPoint.decisions).toEqual([
      {
        subject: ALICE.subject,
        action: { name: 'tools/call', properties: { verb: 'execute' } },
        resource: {
          type: 'tool',
          id: 'transfer',
          properties: { server: 'payments', definition_digest: expect.stringMatching(/^sha256:/) },
        },
        context: {
          profile: 'mcp/1',
          phase: 'call',
          agent: {
            id: 'cid-1',
            verified: true,
            claimed: { name: 'tester', version: '9', team: 'x' },
          },
          surface: 'ide',
          environment: { deployment: 'production' },
          session: { state: 'active' },
          purpose: { text: 'audit', source: 'launcher' },
          arguments: { amount: 5 },
          arguments_digest: keyedDigestOf(parts.digestKey, {
            amount: 5,
            to: 'bob',
            note: 'password: hunter2',
          }),
          arguments_projection: PROJECTION.digest,
          pep: { obligations: ['keep_fields', 'mask_fields', 'step_up'] },
          request: { id: 7, protocol_version: '2025-11-25', transport: 'stdio', traceparent },
        },
      },
    ]);
  });

  test('[E-18] holds no argument that the policy does not read, and no secret', async () => {
    const { wire, parts } = await guarded();
    const extra = { authInfo: { token: 'bearer-secret', clientId: 'c' } };
    const params = {
      name: 'transfer',
      arguments: { amount: 5, to: 'arg-secret' },
      _meta: { key: 'meta-secret' },
    };
    await wire.ask(7, 'tools/call', params, extra);
    await wire.ask(8, 'tools/list', undefined, extra);
    const { decisions, discoveries, reports } = parts.decisionPoint;
    const told = JSON.stringify({ decisions, discoveries, reports });
    expect(decisions).toHaveLength(1);
    expect(told).not.toMatch(/bearer-secret|arg-secret|meta-secret/);
    expect(JSON.stringify(parts.log.lines)).not.toMatch(/bearer-secret|arg-secret|meta-secret/);
  });

  test('claims that are no text, too long, or no trace stay behind', async () => {
    const { wire, parts } = await connected();
    await wire.ask('h', 'initialize', {
      ...HELLO,
      clientInfo: { name: 'n'.repeat(999), version: {} },
    });
    await wire.ask('i'.repeat(300), 'tools/call', {
      name: 'balance',
      arguments: {},
      _meta: { traceparent: 'hunter2' },
    });
    const { agent, request } = parts.decisionPoint.decisions[0]!.context;
    expect(agent).toEqual({ claimed: { name: 'n'.repeat(256) } });
    expect(request).toEqual({ protocol_version: '2025-11-25', transport: 'stdio' });
  });

  const IDS = `${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
  test.each([
    ['of a later version', `01-${IDS}`, true],
    ['with words of the client behind it', `01-${IDS}-hunter2`, false],
    ['with nothing behind its last dash', `01-${IDS}-`, false],
    ['of no version', `ff-${IDS}`, false],
    ['with more than its version has', `00-${IDS}-m`, false],
    ['of zeros', `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`, false],
  ])('a trace %s: whether a question tells it', async (_which, traceparent, is_told) => {
    const { wire, parts } = await connected();
    await wire.ask(1, 'tools/call', { name: 'balance', arguments: {}, _meta: { traceparent } });
    const { request } = parts.decisionPoint.decisions[0]!.context;
    expect(request?.traceparent).toBe(is_told ? traceparent : undefined);
  });

  test('a claim is cut between characters, not within one', async () => {
    const { wire, parts } = await connected();
    const name = `${'n'.repeat(255)}😀`;
    await wire.ask('h', 'initialize', { ...HELLO, clientInfo: { name, version: `${name}!` } });
    await wire.call(1, 'balance');
    const { agent } = parts.decisionPoint.decisions[0]!.context;
    expect(agent).toEqual({ claimed: { name: 'n'.repeat(255), version: 'n'.repeat(255) } });
  });

  test('where other arguments are needed, they are sent once', async () => {
    const wanted = { digest: `sha256:${'1'.repeat(64)}`, pointers: { '*': ['/to'] } };
    const incomplete = () =>
      deny({ reason_code: 'ARGUMENTS_INCOMPLETE', arguments_projection: wanted });
    let decided = 0;
    const decide = () => {
      decided += 1;
      return decided === 1 ? incomplete() : allow();
    };
    const { wire, parts } = await guarded({ decide });
    parts.decisionPoint.script.describe = () => ({ ready: true, arguments_projection: wanted });
    const { result } = await wire.call(7, 'transfer', { amount: 5, to: 'bob' });
    expect(result.isError).toBeUndefined();
    expect(parts.decisionPoint.decisions.map(({ context }) => context.arguments)).toEqual([
      { amount: 5 },
      { to: 'bob' },
    ]);
    expect(parts.decisionPoint.decisions[1]?.context.arguments_projection).toBe(wanted.digest);
    decided = 0;
    parts.decisionPoint.script.decide = incomplete;
    const refused = await wire.call(8, 'transfer', { amount: 5, to: 'bob' });
    expect(refused.result._meta[EXTENSION]).toMatchObject({
      reason_code: 'ARGUMENTS_INCOMPLETE',
      retry: 'after_seconds',
    });
    expect(parts.decisionPoint.decisions).toHaveLength(4);
  });
});
