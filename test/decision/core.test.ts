import { expect, test } from '@jest/globals';
import {
  asking,
  CALLER,
  callOf,
  codeOf,
  contextOf,
  echoScene,
  POLICY,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const CONTEXT = {
  pep: { obligations: ['log'] },
  agent: { id: 'cid-1', verified: true },
  arguments: { secret: 'hunter2' },
  arguments_digest: `hmac-sha256:k1:${'0'.repeat(64)}`,
  request: { id: 7, traceparent: '00-abc' },
  surface: 'ide',
  session: { state: 'active' },
};

describeWithOpa('one evaluation', () => {
  test('is answered and recorded, whole', async () => {
    const { core, records } = await echoScene();
    const result = {
      decision: 'allow',
      visible: true,
      reason_code: 'TELLER',
      safe_message: 'Tellers may.',
      constraints: { actor_required: 'human' },
      obligations: [{ type: 'log', level: 'info' }],
      rules: ['payments/teller'],
    };
    expect(await core.evaluation(asking(result, CONTEXT), CALLER)).toEqual({
      evaluation_id: 'id-1',
      body: {
        decision: true,
        context: {
          outcome: 'allow',
          visible: true,
          reason_code: 'TELLER',
          safe_message: 'Tellers may.',
          constraints: { actor_required: 'human' },
          obligations: [{ type: 'log', level: 'info' }],
          evaluation_id: 'id-1',
          policy: POLICY,
        },
      },
    });
    const recorded = await records();
    expect(recorded).toEqual([
      {
        v: 1,
        index: 1,
        time: expect.any(String),
        instance: 'one',
        kind: 'decision',
        evaluation_id: 'id-1',
        caller: 'guard',
        policy: POLICY,
        profile: 'mcp/1',
        request: {
          subject: { id: 'user:alice@example.com', actor_type: 'human', groups: ['tellers'] },
          action: 'tools/call',
          resource: { type: 'tool', id: 'transfer', server: 'payments' },
          phase: 'call',
          agent: 'cid-1',
          surface: 'ide',
          environment: 'production',
          session: 'active',
          arguments_digest: `hmac-sha256:k1:${'0'.repeat(64)}`,
          request_id: 7,
          traceparent: '00-abc',
        },
        decision: true,
        outcome: 'allow',
        visible: true,
        reason_code: 'TELLER',
        constraints: { actor_required: 'human' },
        obligations: ['log'],
        rules: ['payments/teller'],
        seals: { internals: expect.any(String), request: expect.any(String) },
      },
    ]);
    expect(JSON.stringify(recorded)).not.toContain('hunter2');
  });

  test.each<[string, unknown, object]>([
    ['an allow', true, { outcome: 'allow', reason_code: 'ALLOWED' }],
    [
      'a deny of what is listed',
      false,
      { outcome: 'deny', reason_code: 'POLICY_DENIED', visible: true },
    ],
    [
      'an approval',
      { decision: 'require_approval' },
      {
        outcome: 'require_approval',
        reason_code: 'APPROVAL_REQUIRED',
        safe_message: 'This operation requires approval before execution.',
      },
    ],
    [
      'an approval with a reason of its own',
      { decision: 'require_approval', reason_code: 'OVER_LIMIT' },
      {
        outcome: 'require_approval',
        reason_code: 'OVER_LIMIT',
        constraints: { approval_required: true },
        safe_message: 'This operation requires approval before execution.',
      },
    ],
    [
      'an actor that is not proved',
      { decision: 'allow', constraints: { actor_required: 'service_account' } },
      { outcome: 'deny', reason_code: 'ACTOR_VALIDATION_FAILED', visible: true },
    ],
    [
      'a duty that the PEP cannot fulfil',
      { decision: 'allow', obligations: [{ type: 'log', level: 'info' }] },
      {
        outcome: 'deny',
        reason_code: 'OBLIGATION_UNSUPPORTED',
        obligations: [{ type: 'log', level: 'info' }],
      },
    ],
    [
      'an optional duty',
      { decision: 'allow', obligations: [{ type: 'log', level: 'info', mandatory: false }] },
      { outcome: 'allow' },
    ],
    [
      'duties that contradict',
      {
        decision: 'allow',
        obligations: [
          { type: 'step_up', acr: 'a' },
          { type: 'step_up', acr: 'b' },
        ],
      },
      { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE', obligations: [] },
    ],
    [
      'a typo',
      { decision: 'allow', reson_code: 'A_B' },
      { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE', visible: true },
    ],
    ['no result', undefined, { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' }],
    [
      'errors',
      { decision: 'allow', errors: ['x'] },
      { outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' },
    ],
  ])('%s', async (_title, result, expected) => {
    const { core, records } = await echoScene();
    const answer = await core.evaluation(asking(result), CALLER);
    expect(contextOf(answer)).toMatchObject(expected);
    const { outcome } = expected as { outcome: string };
    expect(answer.body).toMatchObject({ decision: outcome === 'allow' });
    const { reason_code, visible } = contextOf(answer);
    expect(await records()).toMatchObject([{ outcome, reason_code, visible }]);
  });

  test('what is hidden is refused like what does not exist, and recorded truly', async () => {
    const { core, records } = await echoScene();
    const result = {
      decision: 'deny',
      reason_code: 'ENVIRONMENT_BOUNDARY',
      safe_message: 'No.',
      constraints: { actor_required: 'human' },
    };
    const context = contextOf(await core.evaluation(asking(result, {}, { id: 'hidden' }), CALLER));
    expect(context).toEqual({
      outcome: 'deny',
      visible: false,
      reason_code: 'CAPABILITY_NOT_ALLOWED',
      safe_message: 'The server policy does not allow this operation.',
      constraints: {},
      obligations: [],
      evaluation_id: 'id-1',
      policy: POLICY,
    });
    expect(await records()).toMatchObject([
      { outcome: 'deny', visible: false, reason_code: 'ENVIRONMENT_BOUNDARY' },
    ]);
  });

  test('an evaluation that breaks off is a deny with its cause in the evidence', async () => {
    const { core, records } = await echoScene();
    const broken = callOf({ claimed: { result: true, conflict: true } });
    expect(contextOf(await core.evaluation(broken, CALLER))).toMatchObject({
      outcome: 'deny',
      reason_code: 'POLICY_INDETERMINATE',
    });
    expect(contextOf(await core.evaluation(asking(true), CALLER))).toMatchObject({
      outcome: 'allow',
    });
    expect(await records()).toMatchObject([
      { kind: 'decision', decision: false, detail: 'ENGINE_ABORTED: the evaluation broke off' },
      { kind: 'decision', decision: true },
    ]);
  });

  test('a request beyond the limit of the engine is no decision', async () => {
    const { core, records } = await echoScene();
    const large = asking('x'.repeat(1_100_000));
    expect(await codeOf(core.evaluation(large, CALLER))).toBe('REQUEST_TOO_LARGE');
    expect(await records()).toEqual([]);
  });

  test('a plain request with odd members is decided, and its record is sound', async () => {
    const { core, records } = await echoScene();
    const body = {
      subject: {
        type: 'user',
        id: '',
        properties: {
          actor_type: 'robot',
          groups: ['a', 1, ''],
          tenant: 'x'.repeat(500),
          delegation: 'x',
        },
      },
      action: { name: 'can_read' },
      resource: {
        type: 't'.repeat(100),
        id: 'x'.repeat(9000),
        properties: { server: 7, definition_digest: 'sha256:x' },
      },
      context: {
        claimed: { result: true },
        agent: 'cid-1',
        request: { id: 1.5 },
        surface: '',
        arguments_digest: 'x',
        environment: 'x',
      },
    };
    expect(contextOf(await core.evaluation(body, CALLER))).toMatchObject({ outcome: 'allow' });
    expect(await records()).toMatchObject([
      {
        profile: 'authzen',
        request: {
          subject: { id: '""', groups: ['a', '""'], tenant: expect.stringMatching(/^sha256:/) },
          action: 'can_read',
          resource: {
            type: expect.stringMatching(/^sha256:/),
            id: expect.stringMatching(/^sha256:/),
          },
          phase: 'call',
          agent: 'cid-1',
          surface: '""',
        },
      },
    ]);
  });
});
