import { describe, expect, test } from '@jest/globals';
import { OBLIGATION_TYPES } from '../../src/contract/obligations.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { createDecisionCore, type DecisionParts } from '../../src/decision/core.ts';
import type { Caller, DecisionCore, Scope } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  CALLER,
  codeOf,
  ECHO,
  echoScene,
  foreignBundle,
  NOW,
  sceneOf,
  sceneWith,
  UNWRITABLE,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';
import { plainCore, plainPolicy, tenantPolicies } from './plain_core.ts';

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
        occurred_at: NOW,
        seals: { internals: expect.any(String) },
      },
    ]);
    expect(await codeOf(core.outcome({ ...report, status: 'done' }, CALLER))).toBe(
      'REQUEST_INVALID /status',
    );
  });

  test('is recorded with no more members than were reported', async () => {
    const { policy } = await echoScene();
    const entries: object[] = [];
    const append = async (entry: object): Promise<number> => entries.push(entry);
    const { core } = sceneWith(policy, { ...UNWRITABLE, append }, async () => []);
    await core.outcome({ evaluation_id: 'id-9', status: 'executed' }, CALLER);
    expect(entries).toStrictEqual([
      { kind: 'outcome', evaluation_id: 'id-9', caller: 'guard', status: 'executed' },
    ]);
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

  const coreAt = (now_ms: number, parts: Partial<DecisionParts>): DecisionCore =>
    createDecisionCore({
      evaluator: {
        current: () => {
          throw new PortcullisError('POLICY_ABSENT', 'x'.repeat(2000));
        },
        watch: () => () => undefined,
      },
      evidence: { ...UNWRITABLE, status: () => ({ writable: true, size: 0 }) },
      clock: { now_ms: () => now_ms },
      random: { id: () => 'id' },
      settings: { instance: 'one', sep_server: 'x', batch_items_max: 1, batch_bytes_max: 1 },
      ...parts,
    });

  test.each([
    [90_500, 90.5],
    [0, 0],
    [-1000, 0],
  ])('tells the age of the policy %d ms after it began', async (passed_ms, age_seconds) => {
    const { policy } = await echoScene();
    const evaluator = { current: () => policy, watch: () => () => undefined };
    const status = coreAt(Date.parse(NOW) + passed_ms, { evaluator }).status();
    expect(status).toMatchObject({ ready: true, policy: { age_seconds } });
    expect(status).not.toHaveProperty('problem');
  });

  test('is not ready where records cannot be written, even without a word on why', async () => {
    const { policy } = await echoScene();
    const evaluator = { current: () => policy, watch: () => () => undefined };
    const evidence = { ...UNWRITABLE, status: () => ({ writable: false, size: 0 }) };
    expect(coreAt(0, { evaluator, evidence }).status()).toMatchObject({
      ready: false,
      problem: 'the evidence log cannot be written',
    });
  });

  test('tells how exports stand to whoever may read the evidence of all tenants', async () => {
    const exports = [
      {
        name: 'one',
        type: 'jsonl',
        required: false,
        stopped: false,
        lag_records: 3,
        gap_records: 1,
        gaps: [{ first: 2, last: 2, records: 1, reason: 'it is away' }],
        problem: 'it is away',
      },
    ];
    const evidence = { ...UNWRITABLE, status: () => ({ writable: true, size: 9, exports }) };
    const { policy } = await echoScene();
    const core = coreAt(0, {
      evidence,
      evaluator: { current: () => policy, watch: () => () => undefined },
    });
    const reader: Caller = { ...CALLER, scopes: new Set<Scope>(['decide', 'evidence']) };
    const told = core.status(undefined, reader);
    expect(told).toMatchObject({ ready: true, exports });
    expect(VALIDATORS.status(told)).toMatchObject({ ok: true });
    expect(core.status(undefined, CALLER)).not.toHaveProperty('exports');
    expect(core.status()).not.toHaveProperty('exports');
    const bound = { ...reader, tenants: new Set(['acme']) };
    expect(core.status(undefined, bound)).not.toHaveProperty('exports');
    expect(core.status('acme', bound)).not.toHaveProperty('exports');
  });

  test('tells why there is no policy, as far as a status can, and hides no defect', () => {
    const status = coreAt(0, {}).status();
    expect(VALIDATORS.status(status)).toMatchObject({ ok: true });
    expect(status).toMatchObject({ ready: false, problem: 'x'.repeat(1024) });
    const current = (): never => {
      throw new TypeError('a defect');
    };
    const evaluator = { current, watch: () => () => undefined };
    expect(() => coreAt(0, { evaluator }).status()).toThrow(TypeError);
  });
});

describe('the status where each tenant has its own policy', () => {
  const { core } = plainCore(
    tenantPolicies({ acme: plainPolicy('r1'), globex: plainPolicy('r2') }),
  );
  const bound = { ...CALLER, tenants: new Set(['acme']) };
  const base = { instance: 'one', obligations: [...OBLIGATION_TYPES] };
  const NOT_ITS = { ...base, ready: false, problem: 'the tenant has no policy' };

  test('of a tenant tells its policy to whoever may ask for it', () => {
    for (const caller of [undefined, CALLER, bound]) {
      const status = core.status('acme', caller);
      expect(status).toMatchObject({ ready: true, policy: { revision: 'r1' } });
    }
    expect(core.status('globex', CALLER)).toMatchObject({ policy: { revision: 'r2' } });
  });

  test('tells a caller of other tenants nothing, not even whether there is a policy', () => {
    expect(core.status('globex', bound)).toStrictEqual(NOT_ITS);
    expect(core.status('initech', bound)).toStrictEqual(NOT_ITS);
  });

  test('of no tenant is that of the service, which has no policy of its own', () => {
    for (const caller of [undefined, CALLER, bound]) {
      expect(core.status(undefined, caller)).toStrictEqual({ ...base, ready: true });
    }
  });
});
