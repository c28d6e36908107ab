import { expect, test } from '@jest/globals';
import { createDecisionCore } from '../../src/decision/core.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  asking,
  CALLER,
  callOf,
  codeOf,
  echoScene,
  sceneWith,
  UNWRITABLE,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

describeWithOpa('no decision', () => {
  test('a decision that cannot be recorded is not given', async () => {
    const { policy } = await echoScene();
    const { core } = sceneWith(policy, UNWRITABLE, async () => []);
    expect(await codeOf(core.evaluation(asking(true), CALLER))).toBe('EVIDENCE_UNWRITABLE');
    expect(await codeOf(core.evaluation(asking(false), CALLER))).toBe('EVIDENCE_UNWRITABLE');
    const batch = { evaluations: [asking(true), asking(true)] };
    expect(await codeOf(core.evaluations(batch, CALLER))).toBe('EVIDENCE_UNWRITABLE');
    expect(core.status()).toMatchObject({ ready: false, problem: 'the disk is full' });
  });

  test('whatever keeps a record from being durable is told as that', async () => {
    const { policy } = await echoScene();
    const thrown = async (cause: Error): Promise<unknown> => {
      const evidence = { ...UNWRITABLE, append: () => Promise.reject(cause) };
      const { core } = sceneWith(policy, evidence, async () => []);
      return core.evaluation(asking(true), CALLER).catch((error: unknown) => error);
    };
    const full = new PortcullisError('EVIDENCE_UNWRITABLE', 'the disk is full');
    expect(await thrown(full)).toBe(full);
    for (const cause of [new PortcullisError('INTERNAL', 'x'), new TypeError('x')]) {
      expect(await thrown(cause)).toMatchObject({
        code: 'EVIDENCE_UNWRITABLE',
        message: 'the decision could not be recorded',
        cause,
      });
    }
  });

  test('without a policy nothing is decided, not even that it is denied', async () => {
    const absent = new PortcullisError('POLICY_ABSENT', 'no policy is active');
    const core = createDecisionCore({
      evaluator: {
        current: () => {
          throw absent;
        },
        watch: () => () => undefined,
      },
      evidence: UNWRITABLE,
      clock: { now_ms: () => 0 },
      random: { id: () => 'id' },
      settings: {
        instance: 'one',
        sep_server: 'default',
        batch_items_max: 10,
        batch_bytes_max: 1_048_576,
      },
    });
    expect(await codeOf(core.evaluation(callOf(), CALLER))).toBe('POLICY_ABSENT');
    expect(await codeOf(core.evaluations({ evaluations: [callOf()] }, CALLER))).toBe(
      'POLICY_ABSENT',
    );
    expect(await codeOf(core.evaluation({ ...callOf(), subject: 1 }, CALLER))).toBe(
      'REQUEST_INVALID /subject',
    );
    expect(await codeOf(core.evaluation(null, CALLER))).toBe('REQUEST_INVALID ');
    expect(core.status()).toMatchObject({ ready: false, problem: 'no policy is active' });
  });
});
