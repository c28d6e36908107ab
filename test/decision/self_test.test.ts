import { describe, expect, test } from '@jest/globals';
import { testPolicy } from '../../src/decision/self_test.ts';
import type { ActivePolicy, PolicyInput } from '../../src/decision/types.ts';
import { callOf, NOW } from '../support/decisions.ts';

/** A policy that keeps what it is asked. */
function asked(evaluate: (input: PolicyInput) => unknown): [ActivePolicy, PolicyInput[]] {
  const inputs: PolicyInput[] = [];
  const policy: ActivePolicy = {
    identity: { revision: 'r1', digest: `sha256:${'0'.repeat(64)}` },
    projection: { digest: '', pointers: {} },
    activated_at: NOW,
    unsafe_allow_all: false,
    evaluate(input) {
      inputs.push(input);
      return evaluate(input);
    },
    list: () => [],
  };
  return [policy, inputs];
}

describe('before a policy decides', () => {
  test('nobody calls nothing with it, as a guard would', async () => {
    const [policy, inputs] = asked(() => false);
    await testPolicy(policy, undefined, NOW);
    expect(inputs).toEqual([
      {
        subject: { type: 'identity', id: 'portcullis:nobody' },
        action: { name: 'tools/call', properties: { verb: 'execute' } },
        resource: {
          type: 'tool',
          id: 'portcullis:nothing',
          properties: { server: 'portcullis' },
        },
        context: { profile: 'mcp/1', phase: 'call', arguments: {}, time: NOW },
      },
    ]);
  });

  test('a self-test is asked as it stands, at its own time or that of the activation', async () => {
    const [policy, inputs] = asked(() => false);
    const { subject, action, resource, context } = callOf();
    const own = { ...context, time: '1999-01-01T00:00:00Z' };
    await testPolicy(
      policy,
      [
        { title: 'a', input: { subject, action, resource, context }, outcome: 'deny' },
        { title: 'b', input: { subject, context: own }, outcome: 'deny' },
      ],
      NOW,
    );
    expect(inputs.slice(1)).toEqual([
      { subject, action, resource, context: { ...context, time: NOW } },
      { subject, action: {}, resource: {}, context: own },
    ]);
  });

  test('one that lets nobody in is refused', async () => {
    const [policy] = asked(() => true);
    await expect(testPolicy(policy, [], NOW)).rejects.toMatchObject({
      code: 'BUNDLE_REFUSED',
      message: 'the policy does not deny nobody: allow',
    });
  });

  test('one that breaks off is refused for its cause', async () => {
    const cause = new Error('off');
    const [policy] = asked(() => {
      throw cause;
    });
    const refused = await testPolicy(policy, [], NOW).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'BUNDLE_REFUSED', message: 'a self-test broke off' });
    expect((refused as Error).cause).toBe(cause);
  });
});
