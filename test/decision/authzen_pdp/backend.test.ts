/** Metadata and lists of AuthZEN decision points. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { DiscoveryRequest } from '../../../src/contract/types.gen.ts';
import { CALLER, callOf, codeOf } from '../../support/decisions.ts';
import { json, liar, sceneAt, servers, type Liar } from '../foreign/fixture.ts';

afterEach(() => servers.close());

function listing(count: number): DiscoveryRequest {
  const { subject, resource } = callOf();
  return {
    subject,
    action: { name: 'tools/list' },
    context: { profile: 'mcp/1', phase: 'discovery' },
    evaluations: Array.from({ length: count }, (_, i) => ({
      resource: { ...resource, id: `t${i}` },
    })),
    options: { portcullis: { discovery: { catalogue_digest: `sha256:${'0'.repeat(64)}` } } },
  };
}

async function listed(server: Liar, count: number, remote = {}): Promise<boolean[]> {
  const { core } = await sceneAt('authzen', { url: server.url, ...remote });
  const { body } = await core.evaluations(listing(count), CALLER);
  return (body as { evaluations: { decision: boolean }[] }).evaluations.map(
    (each) => each.decision,
  );
}

const even = (item: { resource: { id: string } }) => ({
  decision: Number(item.resource.id.slice(1)) % 2 === 0,
});

describe('the metadata of a decision point', () => {
  test.each<[string, (metadata: Record<string, unknown>) => unknown]>([
    ['is of another decision point', (m) => (m.policy_decision_point = 'https://pdp.example.com')],
    ['says not of which', (m) => delete m.policy_decision_point],
    ['names no endpoint', (m) => delete m.access_evaluation_endpoint],
    [
      'names an endpoint elsewhere',
      (m) => (m.access_evaluation_endpoint = 'https://evil.example/'),
    ],
    ['names a list elsewhere', (m) => (m.access_evaluations_endpoint = 'https://evil.example/')],
    ['names a path alone', (m) => (m.access_evaluation_endpoint = '/access/v1/evaluation')],
    ['names a number', (m) => (m.access_evaluation_endpoint = 1)],
  ])('that %s is refused', async (_what, spoil) => {
    const server = await liar();
    spoil(server.metadata);
    expect(await codeOf(sceneAt('authzen', { url: server.url }))).toBe('BACKEND_ANSWER_INVALID');
  });

  test('of one of many lies before its path, and its endpoints where it says', async () => {
    const server = await liar();
    const url = `${server.url}/tenant`;
    Object.assign(server.metadata, {
      policy_decision_point: url,
      access_evaluation_endpoint: `${url}/decide?v=1`,
    });
    const { core } = await sceneAt('authzen', { url });
    await core.evaluation(callOf(), CALLER);
    expect(server.got.map(({ path }) => path)).toEqual(['/tenant/decide?v=1']);
  });

  test('that changes is followed, and told', async () => {
    const server = await liar();
    const { core, evaluator } = await sceneAt('authzen', { url: server.url });
    const changed = Promise.withResolvers<void>();
    evaluator.watch(() => changed.resolve());
    server.metadata.access_evaluation_endpoint = `${server.url}/new/evaluation`;
    await changed.promise;
    await core.evaluation(callOf(), CALLER);
    expect(server.got.map(({ path }) => path)).toEqual(['/new/evaluation']);
  });
});

describe('a list', () => {
  test('is asked for in batches, in order, under the name of the method that lists', async () => {
    const server = await liar();
    server.act((response, request) => {
      const items = server.got.at(-1)?.body.evaluations;
      json({ evaluations: items.map(even) })(response, request);
    });
    const shown = await listed(server, 5, { batch_items_max: 2 });
    expect(shown).toEqual([true, false, true, false, true]);
    expect(server.got.map(({ body }) => body.evaluations.length)).toEqual([2, 2, 1]);
    expect(server.got[0]?.body.evaluations[0].action).toEqual({
      name: 'tools/list',
      properties: { verb: 'list' },
    });
  });

  test('is asked for item by item where there is no other endpoint', async () => {
    const server = await liar();
    delete server.metadata.access_evaluations_endpoint;
    server.act((response, request) => json(even(server.got.at(-1)?.body))(response, request));
    expect(await listed(server, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i % 2 === 0));
    expect(server.got.map(({ path }) => path)).toEqual(Array(20).fill('/access/v1/evaluation'));
  });

  const all = { decision: true };
  test.each<[string, unknown]>([
    ['one too few', { evaluations: [all, all] }],
    ['one too many', { evaluations: [all, all, all, all] }],
    ['no array', { evaluations: { 0: all, 1: all, 2: all, length: 3 } }],
    ['one decision for all', { decision: true }],
    ['one that is none', { evaluations: [all, { decision: 'true' }, all] }],
    ['null for one', { evaluations: [all, null, all] }],
    ['an array alone', [all, all, all]],
  ])('with %s shows nothing', async (_what, answer) => {
    const server = await liar();
    server.act(json(answer));
    expect(await listed(server, 3)).toEqual([false, false, false]);
  });

  test('shows no item whose duty nobody knows', async () => {
    const server = await liar();
    const context = { obligations: [{ type: 'dance' }] };
    server.act(json({ evaluations: [all, { decision: true, context }, all] }));
    expect(await listed(server, 3)).toEqual([true, false, true]);
  });
});
