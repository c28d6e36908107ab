import { expect, test } from '@jest/globals';
import { CALLER, callOf, contextOf, foreignBundle, POLICY, sceneOf } from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

describeWithOpa('a policy that only says yes or no', () => {
  const BOOLEAN = `package authz
default allow := false
allow if { input.subject.id == "alice"; input.action.name == "can_read" }
`;

  test('works unchanged for plain AuthZEN', async () => {
    const { core, records } = await sceneOf(await foreignBundle(BOOLEAN, ['authz/allow']));
    const body = {
      subject: { type: 'user', id: 'alice' },
      action: { name: 'can_read' },
      resource: { type: 'todo', id: '1' },
    };
    expect(await core.evaluation(body, CALLER)).toMatchObject({ body: { decision: true } });
    const other = { ...body, subject: { type: 'user', id: 'bob' } };
    expect((await core.evaluation(other, CALLER)).body).toEqual({
      decision: false,
      context: {
        outcome: 'deny',
        visible: false,
        reason_code: 'CAPABILITY_NOT_ALLOWED',
        safe_message: 'The server policy does not allow this operation.',
        constraints: {},
        obligations: [],
        evaluation_id: 'id-2',
        policy: POLICY,
      },
    });
    expect(await records()).toMatchObject([
      { decision: true, reason_code: 'ALLOWED', visible: true },
      { decision: false, reason_code: 'POLICY_DENIED', visible: false },
    ]);
  });
});

describeWithOpa('a policy with an entrypoint for lists', () => {
  const LISTING = `package listing
decision := {"decision": "deny", "reason_code": "NOT_NOW"}
visible := [i | some i, item in input.resources; item.id == input.context.claimed.shown]
`;

  test('is asked whether what it denies is visible', async () => {
    const metadata = { entrypoint: 'listing/decision', discovery: 'listing/visible' };
    const bundle = await foreignBundle(LISTING, ['listing/decision', 'listing/visible'], {
      metadata,
    });
    const { core } = await sceneOf(bundle);
    const told = async (shown: string): Promise<object> =>
      contextOf(await core.evaluation(callOf({ claimed: { shown } }), CALLER));
    expect(await told('transfer')).toMatchObject({ visible: true, reason_code: 'NOT_NOW' });
    expect(await told('refund')).toMatchObject({
      visible: false,
      reason_code: 'CAPABILITY_NOT_ALLOWED',
    });
  });
});
