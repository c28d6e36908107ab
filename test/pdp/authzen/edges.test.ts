/**
 * What the certification scenario of the AuthZEN working group asks beside decisions
 * (certification/authorization-api-1_0-scenario.md, and the modules of the OpenID Foundation's
 * conformance suite), against a running service.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { VALIDATORS } from '../../../src/contract/validate.ts';
import { describeWithOpa } from '../../support/toolchain.ts';
import { send } from '../fixture.ts';
import { EVALUATION, EVALUATIONS, serveAuthzen, type AuthzenService } from './fixture.ts';

const ann = { type: 'user', id: 'ann' };
const bob = { type: 'user', id: 'bob' };
const read = { name: 'can_read_todos' };
const update = { name: 'can_update_todo' };
const todo = (ownerID: string) => ({ type: 'todo', id: '1', properties: { ownerID } });
const OWN = { subject: ann, action: update, resource: todo('ann@example.com') };
const FOREIGN = { ...OWN, resource: todo('bob@example.com') };

describeWithOpa('AuthZEN Authorization API 1.0', () => {
  let service: AuthzenService;
  beforeAll(async () => {
    service = await serveAuthzen();
  });
  afterAll(() => service?.close());

  const decided = async (request: object): Promise<unknown> => {
    const { status, body } = await service.post(EVALUATION, request);
    return [status, (body as { decision?: unknown }).decision];
  };

  describe('an evaluation', () => {
    test.each<[string, object, boolean]>([
      ['what the policy allows', OWN, true],
      ['what it does not', FOREIGN, false],
      ['somebody it does not know', { ...OWN, subject: bob }, false],
      ['something it does not know', { ...OWN, action: { name: 'can_fly' } }, false],
      ['members that nobody knows', { ...OWN, extra: 1, context: { a: [null] } }, true],
      ['a property that is missing', { ...OWN, resource: { type: 'todo', id: '1' } }, false],
      ['an action with properties', { ...OWN, action: { ...update, properties: {} } }, true],
    ])('%s', async (_what, request, decision) => {
      expect(await decided(request)).toEqual([200, decision]);
    });

    test.each<[string, object | string]>([
      ['nothing', ''],
      ['half a text', '{"subject": {"type"'],
      ['an array', [OWN]],
      ['a text', '"allow"'],
      ['null', 'null'],
      ['no subject', { ...OWN, subject: undefined }],
      ['no action', { ...OWN, action: undefined }],
      ['no resource', { ...OWN, resource: undefined }],
      ['a subject without a type', { ...OWN, subject: { id: 'ann' } }],
      ['a subject without an id', { ...OWN, subject: { type: 'user' } }],
      ['an id that is a number', { ...OWN, subject: { type: 'user', id: 1 } }],
      ['an action without a name', { ...OWN, action: {} }],
      ['a resource that is a text', { ...OWN, resource: 'todo' }],
      ['properties that are a list', { ...OWN, subject: { ...ann, properties: [] } }],
      ['a context that is a text', { ...OWN, context: 'x' }],
    ])('%s is a 400', async (_what, request) => {
      const { status, body } = await service.post(EVALUATION, request);
      expect([status, body]).toEqual([
        400,
        { error: expect.objectContaining({ code: expect.any(String) }) },
      ]);
    });

    test('sent again is decided again alike', async () => {
      const answers = [await decided(OWN), await decided(OWN), await decided(OWN)];
      expect(answers).toEqual([
        [200, true],
        [200, true],
        [200, true],
      ]);
    });
  });

  describe('on the wire', () => {
    test.each(['text/plain', 'application/xml', 'application/x-www-form-urlencoded'])(
      'a body of the type %s is a 400',
      async (type) => {
        const { status } = await service.post(EVALUATION, OWN, { 'content-type': type });
        expect(status).toBe(400);
      },
    );

    test('UTF-8 may be named', async () => {
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      expect((await service.post(EVALUATION, OWN, headers)).body).toMatchObject({ decision: true });
    });

    test.each([EVALUATION, EVALUATIONS])('%s takes neither GET nor PUT', async (path) => {
      for (const method of ['GET', 'PUT'] as const) {
        const { status, headers } = await send(service.serving.url, path, { method });
        expect([status, headers.allow]).toEqual([405, 'POST']);
      }
    });

    test.each(['', 'Bearer wrong', 'Basic YTpi'])('the credential `%s` is a 401', async (value) => {
      const { status, headers, body } = await service.post(EVALUATION, OWN, {
        authorization: value,
      });
      expect([status, headers['www-authenticate']]).toEqual([401, 'Bearer realm="portcullis"']);
      expect(body).not.toHaveProperty('decision');
    });

    test('the request id comes back, with a decision and without', async () => {
      const headers = { 'x-request-id': 'bfe9eb29-ab87-4ca3-be83-a1d5d8305716' };
      for (const body of [OWN, FOREIGN, '[]']) {
        const sent = await service.post(EVALUATION, body, headers);
        expect(sent.headers['x-request-id']).toBe(headers['x-request-id']);
      }
    });

    test('the metadata name the address that was asked, and endpoints of version 1', async () => {
      const path = '/.well-known/authzen-configuration';
      const { url } = service.serving;
      const { status, headers, body } = await send(url, path, { method: 'GET' });
      expect([status, headers['content-type'], body]).toEqual([
        200,
        'application/json',
        {
          policy_decision_point: url,
          access_evaluation_endpoint: `${url}/access/v1/evaluation`,
          access_evaluations_endpoint: `${url}/access/v1/evaluations`,
        },
      ]);
    });
  });

  describe('a batch', () => {
    const some = { subject: ann, action: update, evaluations: [] as object[] };
    const entries = [OWN, FOREIGN, OWN].map(({ resource }) => ({ resource }));

    test.each<[string, object, boolean[]]>([
      [
        'takes what an entry lacks from the top',
        { ...some, evaluations: entries },
        [true, false, true],
      ],
      [
        'replaces an entity whole',
        { ...OWN, evaluations: [{}, { resource: { type: 'todo', id: '1' } }] },
        [true, false],
      ],
      [
        'execute_all decides each',
        { ...some, options: { evaluations_semantic: 'execute_all' }, evaluations: entries },
        [true, false, true],
      ],
      [
        'deny_on_first_deny ends there',
        { ...some, options: { evaluations_semantic: 'deny_on_first_deny' }, evaluations: entries },
        [true, false],
      ],
      [
        'permit_on_first_permit ends there',
        {
          ...some,
          options: { evaluations_semantic: 'permit_on_first_permit' },
          evaluations: [FOREIGN, OWN, FOREIGN],
        },
        [false, true],
      ],
      [
        'an entry that lacks a member is denied by itself',
        { ...some, evaluations: [entries[0], {}, { resource: { id: '1' } }, entries[0]] },
        [true, false, false, true],
      ],
      [
        'no subject anywhere denies each',
        { action: read, resource: todo(''), evaluations: [{}, {}] },
        [false, false],
      ],
      [
        'a hundred keep their order',
        { ...some, evaluations: Array.from({ length: 100 }, (_, i) => entries[i % 3]) },
        Array.from({ length: 100 }, (_, i) => i % 3 !== 1),
      ],
    ])('%s', async (_what, request, decisions) => {
      const first = await service.post(EVALUATIONS, request);
      const again = await service.post(EVALUATIONS, request);
      const { evaluations } = first.body as { evaluations: { decision: boolean }[] };
      expect(evaluations.map(({ decision }) => decision)).toEqual(decisions);
      expect(Object.keys(first.body as object)).toEqual(['evaluations']);
      expect(VALIDATORS.evaluations_response(first.body)).toMatchObject({ ok: true });
      expect([first.status, again.status, again.body]).toEqual([200, 200, first.body]);
    });

    test.each<[string, object | string]>([
      [
        'an unknown semantic',
        { ...OWN, options: { evaluations_semantic: 'any' }, evaluations: [{}] },
      ],
      ['an array at the top', [OWN]],
      ['nothing', ''],
      ['entries that are no list', { ...OWN, evaluations: { a: 1 } }],
      ['an entry that is no object', { ...OWN, evaluations: ['a'] }],
    ])('%s is a 400', async (_what, request) => {
      expect((await service.post(EVALUATIONS, request)).status).toBe(400);
    });

    test.each([
      ['no entries', {}],
      ['an empty list', { evaluations: [] }],
    ])('with %s is a single evaluation', async (_what, rest) => {
      const answers = [OWN, FOREIGN].map((body) => service.post(EVALUATIONS, { ...body, ...rest }));
      const bodies = (await Promise.all(answers)).map(({ body }) => body);
      expect(bodies).toMatchObject([{ decision: true }, { decision: false }]);
      for (const body of bodies) expect(body).not.toHaveProperty('evaluations');
    });
  });

  test('every decision that was told is on record', async () => {
    const { headers, body } = await service.post(EVALUATION, OWN);
    const id = headers['portcullis-evaluation-id'];
    expect(body).toMatchObject({ decision: true, context: { evaluation_id: id } });
    const found = (await service.records()).filter(({ evaluation_id }) => evaluation_id === id);
    expect(found).toMatchObject([{ kind: 'decision', decision: true }]);
  });
});
