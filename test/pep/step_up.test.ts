/** A demand for a stronger login is met by the login that was proved, or refuses. */
import { describe, expect, test } from '@jest/globals';
import type { TrustedContext } from '../../src/identity/types.ts';
import { askStepUp, stepUpAsked } from '../../src/pep/step_up.ts';
import { bare } from './support/bare.ts';
import { ALICE } from './support/parts.ts';
import { guarded } from './support/rig.ts';
import { allow, deny } from './support/scripted.ts';

const EXTENSION = 'io.modelcontextprotocol/server-policy-enforcement';

type Assurance = NonNullable<TrustedContext['subject']['properties']>['assurance'];

async function call(demand: object, assurance: Assurance) {
  const { subject } = ALICE;
  const properties = { ...subject.properties, ...(assurance && { assurance }) };
  const identity = () => ({ ...ALICE, subject: { ...subject, properties } });
  const obligations = [{ type: 'step_up' as const, ...demand }];
  const rig = await guarded({ decide: () => allow({ obligations }) }, { identity });
  const { result } = await rig.wire.call(7, 'balance');
  return { ...rig, result };
}

describe('a demand for a stronger login', () => {
  test.each<[string, object, Assurance]>([
    ['of the class that is demanded', { acr: 'high' }, { acr: 'high' }],
    ['by the method, of any class', { amr: ['otp'] }, { acr: 'low', amr: ['otp'] }],
    ['by all the methods', { amr: ['otp', 'pwd'] }, { amr: ['pwd', 'otp', 'geo'] }],
    [
      'of the class and by the method',
      { acr: 'high', amr: ['otp'] },
      { acr: 'high', amr: ['otp'] },
    ],
    ['that is not mandatory', { acr: 'high', mandatory: false }, undefined],
  ])('is met by a login %s, and nothing is masked', async (_what, demand, assurance) => {
    const { result, journal, parts } = await call(demand, assurance);
    expect(result).toMatchObject({ structuredContent: { amount: 12 } });
    expect(journal.calls).toHaveLength(1);
    expect(parts.decisionPoint.reports).toMatchObject([{ status: 'executed' }]);
  });

  test.each<[string, object, Assurance]>([
    ['nothing is proved of', { acr: 'high' }, undefined],
    ['of another class', { acr: 'high' }, { acr: 'low', amr: ['otp'] }],
    ['of a class whose name begins alike', { acr: 'high' }, { acr: 'higher' }],
    ['by one method of two', { amr: ['otp', 'pwd'] }, { amr: ['pwd'] }],
    ['of the class by another method', { acr: 'high', amr: ['otp'] }, { acr: 'high' }],
    ['where the demand says no more', {}, { acr: 'high', amr: ['otp'] }],
    ['where no class is empty', { amr: [], acr: 'high' }, { acr: '' }],
  ])('refuses a login %s', async (_what, demand, assurance) => {
    const { result, journal, parts } = await call(demand, assurance);
    expect(result.isError).toBe(true);
    expect(result._meta[EXTENSION]).toEqual({
      error: { code: 'POLICY_DENIED', message: 'This operation requires a stronger login.' },
      reason_code: 'STEP_UP_REQUIRED',
      retry: 'with_step_up',
      request_id: 'e-1',
    });
    expect(journal.calls).toEqual([]);
    expect(parts.decisionPoint.reports).toMatchObject([
      { status: 'refused', reason_code: 'STEP_UP_REQUIRED' },
    ]);
  });

  test('is kept beside the proof of the request for the head of its response', async () => {
    const obligations = [{ type: 'step_up' as const, acr: 'high' }];
    const { wire } = await guarded({ decide: () => allow({ obligations }) });
    const authInfo = {};
    const params = { name: 'balance', arguments: {} };
    const message = JSON.parse(await wire.ask(7, 'tools/call', params, { authInfo })) as object;
    expect(stepUpAsked(authInfo)).toEqual({ acr: 'high', message });
  });

  test('names what it demands to the decision point as what the guard can do', async () => {
    const { parts } = await call({ acr: 'high' }, { acr: 'high' });
    expect(parts.decisionPoint.decisions[0]?.context?.pep?.obligations).toContain('step_up');
  });
});

describe('what a caller is asked for beside the message', () => {
  const asked = { acr: 'high', message: {} };

  test('is kept with the proof that came with the request, and with no other', () => {
    const proof = {};
    askStepUp(proof, asked);
    expect([stepUpAsked(proof), stepUpAsked({})]).toEqual([asked, undefined]);
  });

  test.each([undefined, null, 'token', 7])('is not kept with %j, which is no proof', (proof) => {
    askStepUp(proof, asked);
    expect(stepUpAsked(proof)).toBeUndefined();
  });

  test.each<[string | undefined, object | undefined]>([
    ['step_up', { acr: undefined, message: expect.objectContaining({ id: 1 }) }],
    ['active', undefined],
    [undefined, undefined],
  ])('is any stronger login where a refusal meets a session that is %s', async (state, kept) => {
    const session = state && { session: { id: 's', state } };
    const identity = () => ({ ...ALICE, ...session }) as TrustedContext;
    const rig = await bare({ decide: () => deny() }, { identity });
    const authInfo = {};
    await rig.wire.ask(1, 'tools/call', { name: 'balance' }, { authInfo });
    expect(stepUpAsked(authInfo)).toEqual(kept);
  });
});
