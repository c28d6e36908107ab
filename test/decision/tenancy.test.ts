/** Each tenant is decided by its own policy, and by no other where it has none. */
import { describe, expect, test } from '@jest/globals';
import { demandTenants, FixedPolicies } from '../../src/decision/tenancy.ts';
import type { Caller } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import { CALLER, callOf } from '../support/decisions.ts';
import { plainCore, plainPolicy, tenantPolicies } from './plain_core.ts';
import { WAYS } from './ways.ts';

const BOUND: Caller = { ...CALLER, tenants: new Set(['acme']) };
const POLICIES = { acme: plainPolicy('of acme'), globex: plainPolicy('of globex') };
const subjectOf = (tenant: unknown): object => ({ properties: { tenant } });

describe('the policy that decides about a subject', () => {
  test.each<[string, unknown, Caller, string | undefined]>([
    ['of a tenant', 'acme', CALLER, 'of acme'],
    ['of another tenant', 'globex', CALLER, 'of globex'],
    ['of a tenant of its caller', 'acme', BOUND, 'of acme'],
    ["of a tenant that is not its caller's", 'globex', BOUND, undefined],
    ['of a tenant without a policy', 'initech', CALLER, undefined],
    ['of no tenant', undefined, CALLER, undefined],
    ['of a tenant that is no name', 7, CALLER, undefined],
  ])('%s', (_whose, tenant, caller, revision) => {
    const evaluator = tenantPolicies({ ...POLICIES, 'no tenant': plainPolicy('of nobody') });
    const policy = new FixedPolicies(evaluator, caller).of(subjectOf(tenant));
    expect(policy?.identity.revision).toBe(revision);
    // Nobody is asked for a policy of no tenant, or of one that is not the caller's.
    expect(evaluator.asked).toEqual(revision || tenant === 'initech' ? [tenant] : []);
  });

  test.each([
    ['an error of ours', new PortcullisError('DATA_INVALID', 'the data is of another version')],
    ['a defect', new TypeError('a defect')],
  ])('is not taken for absent because of %s', (_what, error) => {
    const evaluator = {
      ...tenantPolicies({}),
      current: () => {
        throw error;
      },
    };
    const policies = new FixedPolicies(evaluator, CALLER);
    expect(() => policies.of(subjectOf('acme'))).toThrow(error);
  });

  test('is absent for everybody where the one for all is', () => {
    const { per_tenant: _, ...evaluator } = tenantPolicies(POLICIES);
    const policies = new FixedPolicies(evaluator, CALLER);
    expect(() => policies.of(subjectOf('initech'))).toThrow(
      expect.objectContaining({ code: 'POLICY_ABSENT' }),
    );
  });
});

test('a caller hears that a subject is not of its own tenants, and not which exist', () => {
  const mixed = ['acme', 'globex'].map(subjectOf);
  expect(() => demandTenants(BOUND, mixed)).toThrow(
    expect.objectContaining({
      code: 'UNAUTHENTICATED',
      message: 'the caller may ask for subjects of its own tenants only',
    }),
  );
});

describe('of a tenant without a policy', () => {
  const DENIED = { outcome: 'deny', visible: false, reason_code: 'POLICY_UNAVAILABLE' };
  const absent = { tenant: 'initech' };

  test.each(WAYS.filter(({ what }) => what !== 'a list'))(
    'a subject is denied and recorded so by $what, under no policy',
    async ({ ask }) => {
      const { core, entries } = plainCore(tenantPolicies(POLICIES));
      await ask(core, absent, CALLER);
      const { policy, ...entry } = entries.at(-1)!;
      expect(policy).toBeUndefined();
      expect(entry).toMatchObject({
        kind: 'decision',
        decision: false,
        ...DENIED,
        detail: 'the tenant has no policy',
      });
    },
  );

  test('a subject is told no more than that', async () => {
    const { core } = plainCore(tenantPolicies(POLICIES));
    const call = callOf();
    const subject = { ...call.subject, properties: absent };
    const { body } = await core.evaluation({ ...call, subject }, CALLER);
    expect(body).toMatchObject({ decision: false, context: DENIED });
    expect(JSON.stringify(body)).not.toContain('of acme');
  });

  test('a list shows nothing, and its record says why', async () => {
    const { core, entries } = plainCore(tenantPolicies(POLICIES));
    const list = WAYS.find(({ what }) => what === 'a list')!;
    expect(await list.ask(core, absent, CALLER)).toMatchObject({
      body: { evaluations: [{ decision: false }] },
    });
    expect(entries).toMatchObject([
      {
        kind: 'discovery',
        shown: [],
        withheld: [{ ground: 0 }],
        grounds: [{ reason_code: 'POLICY_UNAVAILABLE', rules: [] }],
        detail: 'the tenant has no policy',
      },
    ]);
  });
});

test('each entry of a batch is decided by the policy of its own tenant', async () => {
  const { core, entries } = plainCore(tenantPolicies(POLICIES));
  const entryOf = (tenant: string) => ({
    subject: { type: 'user', id: 'a', ...subjectOf(tenant) },
  });
  const body = {
    action: { name: 'can_read' },
    resource: { type: 'todo', id: '1' },
    evaluations: ['globex', 'initech', 'acme'].map(entryOf),
  };
  expect(await core.evaluations(body, CALLER)).toMatchObject({
    body: { evaluations: [{ decision: true }, { decision: false }, { decision: true }] },
  });
  expect(entries.map(({ policy }) => policy?.revision)).toEqual([
    'of globex',
    undefined,
    'of acme',
  ]);
});

test('who watches a tenant hears of its policy, and of what concerns all', () => {
  const evaluator = tenantPolicies(POLICIES);
  const { core } = plainCore(evaluator);
  const told: unknown[] = [];
  const stop = core.watch(({ policy }) => told.push(policy?.revision), 'acme');
  evaluator.change('globex');
  expect(told).toEqual([]);
  evaluator.change('acme');
  expect(told).toEqual(['of acme']);
  evaluator.change();
  expect(told).toEqual(['of acme', 'of acme']);
  stop();
  evaluator.change('acme');
  expect(told).toHaveLength(2);
});
