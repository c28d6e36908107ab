import { expect, test } from '@jest/globals';
import { VALIDATORS } from '../../src/contract/validate.ts';
import {
  CALLER,
  codeOf,
  ECHO,
  echoScene,
  foreignBundle,
  NOW,
  sceneOf,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

describeWithOpa('what a PEP does with a decision', () => {
  test('is recorded', async () => {
    const { core, records } = await echoScene();
    const report = {
      evaluation_id: 'id-9',
      status: 'executed',
      reason_code: 'DONE_SO',
      masked: ['/a/*'],
      occurred_at: NOW,
    };
    await core.outcome(report, CALLER);
    expect(await records()).toEqual([
      {
        v: 1,
        index: 1,
        time: expect.any(String),
        instance: 'one',
        kind: 'outcome',
        evaluation_id: 'id-9',
        caller: 'guard',
        status: 'executed',
        reason_code: 'DONE_SO',
        masked: ['/a/*'],
      },
    ]);
    expect(await codeOf(core.outcome({ ...report, status: 'done' }, CALLER))).toBe(
      'REQUEST_INVALID /status',
    );
  });
});

describeWithOpa('the status', () => {
  test('tells the policy, its projection and the duties that are known', async () => {
    const { core, policy, change } = await echoScene();
    const status = core.status();
    expect(VALIDATORS.status(status)).toMatchObject({ ok: true });
    expect(status).toMatchObject({
      ready: true,
      instance: 'one',
      policy: { ...policy.identity, activated_at: NOW, age_seconds: 0, unsafe_allow_all: false },
      arguments_projection: { pointers: {} },
      obligations: expect.arrayContaining(['keep_fields', 'step_up']),
    });
    const seen: unknown[] = [];
    const stop = core.watch(({ policy: active }) => seen.push(active?.digest));
    const next = (await sceneOf(await foreignBundle(ECHO, ['echo/result'], { data: { a: 1 } })))
      .policy;
    change(next);
    stop();
    change(policy);
    expect(seen).toEqual([next.identity.digest]);
  });
});
