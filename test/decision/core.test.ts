import { expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import type { EvaluationRequest } from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import { createDecisionCore } from '../../src/decision/core.ts';
import type { EvaluationAnswer } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  CALLER,
  callOf,
  codeOf,
  foreignBundle,
  NOW,
  sceneOf,
  sceneWith,
  STRANGER,
  UNWRITABLE,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

/** Yields what the request says it yields, so that each odd result can be had. */
const ECHO = `package echo
result := input.context.claimed.result if input.context.phase == "call"
result := {"decision": "allow"} if {
  input.context.phase == "discovery"
  not startswith(input.resource.id, "hidden")
}
result := "a conflict" if input.context.claimed.conflict
`;

function scene(): Promise<Scene> {
  return foreignBundle(ECHO, ['echo/result']).then((bundle) => sceneOf(bundle));
}

function asking(result: unknown, context = {}, resource = {}): EvaluationRequest {
  return callOf({ claimed: { result } as Record<string, unknown>, ...context }, resource);
}

function contextOf(answer: EvaluationAnswer): object {
  expect(VALIDATORS.evaluation_response(answer.body)).toMatchObject({ ok: true });
  return (answer.body as { context: object }).context;
}

const POLICY = { revision: 'foreign', digest: expect.stringMatching(/^sha256:/) };

describeWithOpa('one evaluation', () => {
  test('is answered and recorded, whole', async () => {
    const { core, records } = await scene();
    const result = {
      decision: 'allow',
      visible: true,
      reason_code: 'TELLER',
      safe_message: 'Tellers may.',
      constraints: { actor_required: 'human' },
      obligations: [{ type: 'log', level: 'info' }],
      rules: ['payments/teller'],
    };
    const request = asking(result, {
      pep: { obligations: ['log'] },
      agent: { id: 'cid-1', verified: true },
      arguments: { secret: 'hunter2' },
      arguments_digest: `hmac-sha256:k1:${'0'.repeat(64)}`,
      request: { id: 7, traceparent: '00-abc' },
      surface: 'ide',
      session: { state: 'active' },
    });
    expect(await core.evaluation(request, CALLER)).toEqual({
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
    const { core, records } = await scene();
    const answer = await core.evaluation(asking(result), CALLER);
    expect(contextOf(answer)).toMatchObject(expected);
    const { outcome } = expected as { outcome: string };
    expect(answer.body).toMatchObject({ decision: outcome === 'allow' });
    const { reason_code, visible } = contextOf(answer) as Record<string, unknown>;
    expect(await records()).toMatchObject([{ outcome, reason_code, visible }]);
  });

  test.each(['human', 'supervised_ai', 'automation', 'service_account'])(
    'the actor %s satisfies what ruling R12 says',
    async (actor_type) => {
      const { core } = await scene();
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

  test('an actor type from a caller that may not attest it proves nothing', async () => {
    const { core, records } = await scene();
    const request = asking({ decision: 'allow', constraints: { actor_required: 'human' } });
    expect(contextOf(await core.evaluation(request, STRANGER))).toMatchObject({
      outcome: 'deny',
      reason_code: 'ACTOR_VALIDATION_FAILED',
    });
    expect((await records())[0]?.request?.subject).not.toHaveProperty('actor_type');
  });

  test('what is hidden is refused in the words for what does not exist, and recorded truly', async () => {
    const { core, records } = await scene();
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
    const { core, records } = await scene();
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
    const { core, records } = await scene();
    const large = asking('x'.repeat(1_100_000));
    expect(await codeOf(core.evaluation(large, CALLER))).toBe('REQUEST_TOO_LARGE');
    expect(await records()).toEqual([]);
  });

  test('a plain request with odd members is decided, and its record is sound', async () => {
    const { core, records } = await scene();
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

  test('a decision that cannot be recorded is not given', async () => {
    const { policy } = await scene();
    const { core } = sceneWith(policy, UNWRITABLE, async () => []);
    expect(await codeOf(core.evaluation(asking(true), CALLER))).toBe('EVIDENCE_UNWRITABLE');
    expect(await codeOf(core.evaluation(asking(false), CALLER))).toBe('EVIDENCE_UNWRITABLE');
    const batch = { evaluations: [asking(true), asking(true)] };
    expect(await codeOf(core.evaluations(batch, CALLER))).toBe('EVIDENCE_UNWRITABLE');
    expect(core.status()).toMatchObject({ ready: false, problem: 'the disk is full' });
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
      settings: { instance: 'one', sep_server: 'default', batch_items_max: 10 },
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
  const argued = async (): Promise<Scene> =>
    sceneOf(await foreignBundle(ARGUED, ['argued/allow'], { metadata: { arguments: pointers } }));

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

  test('a plain caller that sends none where rules read some leaves the policy undecided', async () => {
    const { core } = await argued();
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
    expect(await told(plain({ arguments: {} }))).toMatchObject({ outcome: 'allow' });
    expect(await told(plain({ arguments: { amount: 50 } }))).toMatchObject({ outcome: 'deny' });
    expect(await told(plain({}, 'mail'))).toMatchObject({ outcome: 'allow' });
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

describeWithOpa('what a PEP does with a decision', () => {
  test('is recorded', async () => {
    const { core, records } = await scene();
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
    const { core, policy, change } = await scene();
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
