import { expect, test } from '@jest/globals';
import { VALIDATORS } from '../../src/contract/validate.ts';
import {
  CALLER,
  callOf,
  codeOf,
  foreignBundle,
  sceneOf,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const AUTHZ = `package authz
default allow := false
allow if {
  input.subject.id == "alice"
  input.action.name == "read"
  not input.context.closed
}
`;

const scene = async (settings = {}): Promise<Scene> =>
  sceneOf(await foreignBundle(AUTHZ, ['authz/allow']), settings);

const alice = { type: 'user', id: 'alice' };
const bob = { type: 'user', id: 'bob' };
const read = { name: 'read' };
const todo = (id: string): object => ({ type: 'todo', id });

async function decisionsOf(body: object): Promise<boolean[]> {
  const { core } = await scene();
  const answer = await core.evaluations(body, CALLER);
  expect(VALIDATORS.evaluations_response(answer.body)).toMatchObject({ ok: true });
  const { evaluations } = answer.body as { evaluations: { decision: boolean }[] };
  return evaluations.map(({ decision }) => decision);
}

describeWithOpa('a batch (AuthZEN Authorization API 1.0, section 7)', () => {
  const top = { subject: alice, action: read, resource: todo('1') };

  test.each<[string, object, boolean[]]>([
    [
      'what an entry lacks is taken from the top',
      { ...top, evaluations: [{}, { subject: bob }, { resource: todo('2') }] },
      [true, false, true],
    ],
    [
      'an entity is taken whole, never mixed',
      { ...top, context: { closed: true, a: 1 }, evaluations: [{}, { context: { a: 2 } }] },
      [false, true],
    ],
    [
      'an entry that lacks an entity is denied, the others are not',
      {
        subject: alice,
        action: read,
        evaluations: [{ resource: todo('1') }, {}, { resource: todo('2') }],
      },
      [true, false, true],
    ],
    [
      'an entry with half an entity is denied',
      { ...top, evaluations: [{ subject: { type: 'user' } }, {}] },
      [false, true],
    ],
    [
      'no subject anywhere denies each',
      { action: read, resource: todo('1'), evaluations: [{}, {}] },
      [false, false],
    ],
    [
      'order and length are kept',
      { ...top, evaluations: [{ subject: bob }, {}, { subject: bob }, {}] },
      [false, true, false, true],
    ],
    [
      'all are decided by default',
      { ...top, options: {}, evaluations: [{ subject: bob }, {}] },
      [false, true],
    ],
    [
      'execute_all',
      {
        ...top,
        options: { evaluations_semantic: 'execute_all', other: 1 },
        evaluations: [{}, { subject: bob }, {}],
      },
      [true, false, true],
    ],
    [
      'deny_on_first_deny ends with the deny',
      {
        ...top,
        options: { evaluations_semantic: 'deny_on_first_deny' },
        evaluations: [{}, { subject: bob }, {}],
      },
      [true, false],
    ],
    [
      'permit_on_first_permit ends with the permit',
      {
        ...top,
        options: { evaluations_semantic: 'permit_on_first_permit' },
        evaluations: [{ subject: bob }, {}, {}],
      },
      [false, true],
    ],
    [
      'deny_on_first_deny without one',
      { ...top, options: { evaluations_semantic: 'deny_on_first_deny' }, evaluations: [{}, {}] },
      [true, true],
    ],
  ])('%s', async (_title, body, decisions) => {
    expect(await decisionsOf(body)).toEqual(decisions);
  });

  test.each<[string, object, string]>([
    [
      'an unknown semantic',
      { ...top, options: { evaluations_semantic: 'any' }, evaluations: [{}] },
      'REQUEST_INVALID /options/evaluations_semantic',
    ],
    ['evaluations that are no array', { ...top, evaluations: {} }, 'REQUEST_INVALID /evaluations'],
    ['an entry that is no object', { ...top, evaluations: [1] }, 'REQUEST_INVALID /evaluations/0'],
    [
      'more entries than the limit',
      { ...top, evaluations: [{}, {}, {}, {}] },
      'REQUEST_TOO_LARGE /evaluations',
    ],
    [
      'a single one without a resource',
      { subject: alice, action: read },
      'REQUEST_INVALID /resource',
    ],
    [
      'a single one without a resource, in an empty array',
      { subject: alice, action: read, evaluations: [] },
      'REQUEST_INVALID /resource',
    ],
  ])('%s is no request', async (_title, body, code) => {
    const { core } = await scene({ batch_items_max: 3 });
    expect(await codeOf(core.evaluations(body, CALLER))).toBe(code);
  });

  test('as many entries as the limit are decided, one more is told the limit', async () => {
    const { core } = await scene({ batch_items_max: 3 });
    const entries = (length: number) => ({
      ...top,
      evaluations: Array.from({ length }, () => ({})),
    });
    expect((await core.evaluations(entries(3), CALLER)).body).toMatchObject({
      evaluations: [{ decision: true }, { decision: true }, { decision: true }],
    });
    await expect(core.evaluations(entries(4), CALLER)).rejects.toMatchObject({
      message: 'the batch holds more entries than batch_items_max',
    });
  });

  test.each([
    ['no array', {}],
    ['an empty array', { evaluations: [], options: { evaluations_semantic: 'execute_all' } }],
  ])('%s is a single evaluation', async (_title, rest) => {
    const { core, records } = await scene();
    const answer = await core.evaluations({ ...top, ...rest }, CALLER);
    expect(VALIDATORS.evaluation_response(answer.body)).toMatchObject({ ok: true });
    expect(answer).toMatchObject({ evaluation_id: 'id-1', body: { decision: true } });
    const profiled = { ...callOf(), ...rest };
    expect(await core.evaluations(profiled, CALLER)).toMatchObject({ body: { decision: false } });
    expect((await records()).map(({ evaluation_id }) => evaluation_id)).toEqual(['id-1', 'id-2']);
  });

  test('two sendings are answered alike, and each entry is recorded under its own id', async () => {
    const { core, records } = await scene();
    const body = { ...top, evaluations: [{}, { subject: bob }, { subject: 'x' }, { action: {} }] };
    body.evaluations.splice(2, 1);
    const first = await core.evaluations(body, CALLER);
    const second = await core.evaluations(body, CALLER);
    expect(second.body).toEqual(first.body);
    const [answer] = (first.body as { evaluations: { context: object }[] }).evaluations;
    expect(answer?.context).not.toHaveProperty('evaluation_id');
    expect([first.evaluation_id, second.evaluation_id]).toEqual(['id-1', 'id-2']);
    const recorded = await records();
    expect(recorded.slice(0, 3)).toMatchObject([
      { evaluation_id: 'id-1#0', decision: true, request: { subject: { id: 'alice' } } },
      { evaluation_id: 'id-1#1', decision: false, request: { subject: { id: 'bob' } } },
      {
        evaluation_id: 'id-1#2',
        decision: false,
        visible: false,
        reason_code: 'POLICY_INDETERMINATE',
        detail: 'the request fails its schema (required): /action/name',
      },
    ]);
    expect(recorded).toHaveLength(6);
  });

  test('a profiled entry is closed, and one too large for the engine is denied', async () => {
    const { core } = await scene();
    const open = { ...callOf(), context: { ...callOf().context, extra: 1 } };
    const large = { ...top, context: { text: 'x'.repeat(1_100_000) } };
    const body = { evaluations: [open, large, top] };
    expect((await core.evaluations(body, CALLER)).body).toMatchObject({
      evaluations: [
        { decision: false, context: { reason_code: 'POLICY_INDETERMINATE' } },
        { decision: false, context: { reason_code: 'POLICY_INDETERMINATE' } },
        { decision: true },
      ],
    });
  });

  test('a long batch lets other work in between', async () => {
    const { core } = await scene();
    let turns = 0;
    const counting = setInterval(() => (turns += 1), 0);
    await core.evaluations(
      { ...top, evaluations: Array.from({ length: 2000 }, () => ({})) },
      CALLER,
    );
    clearInterval(counting);
    expect(turns).toBeGreaterThan(5);
  });

  test('one policy decides a whole batch', async () => {
    const { core, policy, change, records } = await scene();
    const next = (
      await sceneOf(await foreignBundle('package none\nallow := false\n', ['none/allow']))
    ).policy;
    const evaluations = Array.from({ length: 300 }, () => ({}));
    const answer = core.evaluations({ ...top, evaluations }, CALLER);
    setImmediate(() => change(next));
    const { body } = await answer;
    const allowed = (body as { evaluations: { decision: boolean }[] }).evaluations;
    expect(allowed.every(({ decision }) => decision)).toBe(true);
    const digests = new Set((await records()).map((record) => record.policy?.digest));
    expect([...digests]).toEqual([policy.identity.digest]);
  });
});
