import { expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import {
  asking,
  CALLER,
  callOf,
  contextOf,
  echoScene,
  foreignBundle,
  sceneOf,
  STRANGER,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

describeWithOpa('the actor that a policy requires', () => {
  test.each(['human', 'supervised_ai', 'automation', 'service_account'])(
    'the actor %s satisfies what ruling R12 says',
    async (actor_type) => {
      const { core } = await echoScene();
      const satisfied: string[] = [];
      for (const actor_required of ['human', 'supervised_ai', 'automation', 'service_account']) {
        const request = asking({ decision: 'allow', constraints: { actor_required } });
        request.subject.properties = { actor_type: actor_type as 'human' };
        const { body } = await core.evaluation(request, CALLER);
        if ((body as { decision: boolean }).decision) satisfied.push(actor_required);
      }
      expect(satisfied).toEqual(actor_type === 'human' ? ['human', 'supervised_ai'] : [actor_type]);
    },
  );

  test('what is denied anyway keeps the reason of the policy', async () => {
    const { core } = await echoScene();
    const constraints = { actor_required: 'service_account' };
    const denied = asking({ decision: 'deny', reason_code: 'TOO_LATE', constraints });
    expect(contextOf(await core.evaluation(denied, CALLER))).toMatchObject({
      reason_code: 'TOO_LATE',
      constraints,
    });
  });

  test('an actor type from a caller that may not attest it proves nothing', async () => {
    const { core, records } = await echoScene();
    const request = asking({ decision: 'allow', constraints: { actor_required: 'human' } });
    expect(contextOf(await core.evaluation(request, STRANGER))).toMatchObject({
      outcome: 'deny',
      reason_code: 'ACTOR_VALIDATION_FAILED',
    });
    expect((await records())[0]?.request?.subject).not.toHaveProperty('actor_type');
  });
});

describeWithOpa('the arguments that the rules read', () => {
  const ARGUED = `package argued
default allow := false
allow if not _refused
_refused if input.context.arguments.amount > 10
_refused if input.subject.id == "portcullis:nobody"
`;
  const pointers = { '*': [] as string[], 'tool:payments/*': ['/amount'] };
  const digest = digestOf(pointers);
  const stale = digestOf('another projection');
  const argued = async (read: Record<string, string[]> = pointers): Promise<Scene> =>
    sceneOf(await foreignBundle(ARGUED, ['argued/allow'], { metadata: { arguments: read } }));

  test.each<[string, object, object, object]>([
    [
      'followed, and sent',
      { arguments: { amount: 5 }, arguments_projection: digest },
      {},
      { outcome: 'allow' },
    ],
    [
      'followed, and sent beyond the limit',
      { arguments: { amount: 50 }, arguments_projection: digest },
      {},
      { outcome: 'deny' },
    ],
    [
      'followed, and not sent',
      { arguments_projection: digest },
      {},
      { reason_code: 'ARGUMENTS_INCOMPLETE' },
    ],
    [
      'sent without a word of which',
      { arguments: { amount: 5 } },
      {},
      { reason_code: 'ARGUMENTS_INCOMPLETE' },
    ],
    ['neither', {}, {}, { reason_code: 'ARGUMENTS_INCOMPLETE' }],
    [
      'another followed',
      { arguments: { amount: 5 }, arguments_projection: stale },
      {},
      { reason_code: 'ARGUMENTS_INCOMPLETE' },
    ],
    [
      'another followed for what needs none',
      { arguments_projection: stale },
      { properties: { server: 'mail' } },
      { reason_code: 'ARGUMENTS_INCOMPLETE' },
    ],
    ['none for what needs none', {}, { properties: { server: 'mail' } }, { outcome: 'allow' }],
    ['none in a discovery', { phase: 'discovery' }, {}, { outcome: 'allow' }],
  ])('%s', async (_title, context, resource, expected) => {
    const { core } = await argued();
    const told = contextOf(await core.evaluation(callOf(context, resource), CALLER));
    expect(told).toMatchObject(expected);
    const isIncomplete = 'reason_code' in expected;
    expect(told).toMatchObject(isIncomplete ? { outcome: 'deny', visible: true } : {});
    expect('arguments_projection' in told && told.arguments_projection).toEqual(
      isIncomplete && { digest, pointers },
    );
  });

  test.each([
    ['*', false],
    ['tool:payments/*', false],
    ['tool:payments/transfer', false],
    ['tool:payments/refund', true],
    ['tool:mail/*', true],
    ['prompt:payments/transfer', true],
  ])('where the rules of `%s` read some, a call without any is decided: %s', async (name, may) => {
    const { core } = await argued({ [name]: ['/amount'] });
    const { body } = await core.evaluation(callOf(), CALLER);
    expect(body).toMatchObject({ decision: may });
  });

  test('what the policy made of the rest is not told, nor recorded', async () => {
    const { core, records } = await echoScene();
    const result = {
      decision: 'allow',
      rules: ['payments/transfer_limit'],
      obligations: [{ type: 'log', level: 'info' }],
      constraints: { actor_required: 'human' },
    };
    const told = contextOf(
      await core.evaluation(asking(result, { arguments_projection: stale }), CALLER),
    );
    expect(told).toMatchObject({
      reason_code: 'ARGUMENTS_INCOMPLETE',
      constraints: {},
      obligations: [],
    });
    expect(await records()).toMatchObject([{ rules: [], obligations: [], constraints: {} }]);
  });

  test('a plain caller that sends none where rules read some gets a deny', async () => {
    const { core, records } = await argued();
    const plain = (context: object, server = 'payments'): object => ({
      subject: { type: 'user', id: 'alice' },
      action: { name: 'tools/call' },
      resource: { type: 'tool', id: 'transfer', properties: { server } },
      context,
    });
    const told = async (body: object): Promise<object> =>
      contextOf(await core.evaluation(body, CALLER));
    expect(await told(plain({}))).toMatchObject({
      outcome: 'deny',
      reason_code: 'POLICY_INDETERMINATE',
    });
    expect(await records()).toMatchObject([
      { detail: 'the rules read arguments and there are none' },
    ]);
    expect(await told(plain({ arguments: {} }))).toMatchObject({ outcome: 'allow' });
    expect(await told(plain({ arguments: { amount: 50 } }))).toMatchObject({ outcome: 'deny' });
    expect(await told(plain({}, 'mail'))).toMatchObject({ outcome: 'allow' });
  });
});
