import { describe, expect, test } from '@jest/globals';
import type { ActorType } from '../../src/contract/types.gen.ts';
import { ALICE } from './support/parts.ts';
import { guarded } from './support/rig.ts';
import { allow } from './support/scripted.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';

const ACTORS: [ActorType, ActorType[]][] = [
  ['human', ['human']],
  ['supervised_ai', ['supervised_ai', 'human']],
  ['automation', ['automation']],
  ['service_account', ['service_account']],
];
const KINDS = ['human', 'supervised_ai', 'automation', 'service_account', undefined] as const;

describe('constraints are checked again', () => {
  test.each(ACTORS)(
    '[R12] only who may be %s passes, whatever the answer says',
    async (actor_required, may) => {
      for (const kind of KINDS) {
        const properties = { ...(kind && { actor_type: kind }) };
        const identity = () => ({ ...ALICE, subject: { ...ALICE.subject, properties } });
        const decide = () => allow({ constraints: { actor_required } });
        const { wire, journal, parts } = await guarded({ decide }, { identity });
        const { result } = await wire.call(7, 'balance');
        const passes = kind !== undefined && may.includes(kind);
        expect([kind, result.isError ?? false, journal.calls.length]).toEqual([
          kind,
          !passes,
          Number(passes),
        ]);
        expect(parts.decisionPoint.reports).toMatchObject([
          passes
            ? { status: 'executed' }
            : { status: 'refused', reason_code: 'ACTOR_VALIDATION_FAILED' },
        ]);
      }
    },
  );

  test.each([
    [{ approval_required: true }],
    [{ require_approval_via: 'task' as const }],
    [{ approval_required: false, require_approval_via: 'none' as const }],
  ])('[R9] an allow with %j needs an approval', async (constraints) => {
    const { wire, journal } = await guarded({ decide: () => allow({ constraints }) });
    const { result } = await wire.call(7, 'balance');
    expect(result._meta[EXTENSION].reason_code).toBe('APPROVAL_REQUIRED');
    expect(journal.calls).toEqual([]);
  });

  test('an obligation that cannot be met refuses, unless it is optional', async () => {
    const notify = { type: 'notify' as const, target: 'ops' };
    const { wire, journal, parts } = await guarded({
      decide: () => allow({ obligations: [notify] }),
    });
    expect((await wire.call(7, 'balance')).result._meta[EXTENSION].reason_code).toBe(
      'OBLIGATION_UNSUPPORTED',
    );
    expect(journal.calls).toEqual([]);
    parts.decisionPoint.script.decide = () =>
      allow({ obligations: [{ ...notify, mandatory: false }] });
    expect((await wire.call(8, 'balance')).result.isError).toBeUndefined();
  });
});
