import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { digestOf } from '../../src/contract/digest.ts';
import type { DiscoveryRequest } from '../../src/contract/types.gen.ts';
import { VALIDATORS } from '../../src/contract/validate.ts';
import type { ActivePolicy } from '../../src/decision/types.ts';
import { PortcullisError } from '../../src/errors.ts';
import {
  CALLER,
  callOf,
  codeOf,
  evidenceOnDisk,
  foreignBundle,
  sceneOf,
  sceneWith,
  STRANGER,
  UNWRITABLE,
  type Scene,
} from '../support/decisions.ts';
import { describeWithOpa } from '../support/toolchain.ts';

const LISTING = `package listing
default decision := false
decision if input.resource.id in {"even-0", "even-2"}
visible := [i | some i, item in input.resources; startswith(item.id, "even"); _asked]
_asked if {
  input.context.phase == "discovery"
  not input.context.arguments
  not input.resource
}
actors := [i | some i, _ in input.resources; input.subject.properties.actor_type == "human"]
`;
const ENTRYPOINTS = ['listing/decision', 'listing/visible', 'listing/actors'];
const CATALOGUE = digestOf('a catalogue');

function scene(discovery?: string, settings = {}): Promise<Scene> {
  const metadata = { entrypoint: 'listing/decision', ...(discovery && { discovery }) };
  return foreignBundle(LISTING, ENTRYPOINTS, { metadata }).then((bundle) =>
    sceneOf(bundle, settings),
  );
}

function listOf(ids: string[], context = {}): DiscoveryRequest {
  const { subject, context: shared } = callOf();
  return {
    subject,
    action: { name: 'tools/list', properties: { verb: 'list' } },
    context: { ...shared, phase: 'discovery', ...context },
    evaluations: ids.map((id) => ({
      resource: { type: 'tool', id, properties: { server: 'payments' } },
    })),
    options: { portcullis: { discovery: { catalogue_digest: CATALOGUE } } },
  };
}

const ids = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${i % 2 === 0 ? 'even' : 'odd'}-${i}`);

function shownOf(body: object): number[] {
  expect(VALIDATORS.evaluations_response(body)).toMatchObject({ ok: true });
  const { evaluations } = body as { evaluations: { decision: boolean }[] };
  return evaluations.flatMap(({ decision }, i) => (decision ? [i] : []));
}

/** A policy is a class, whose methods a spread leaves behind. */
const described = (policy: ActivePolicy): ActivePolicy => ({
  identity: policy.identity,
  projection: policy.projection,
  activated_at: policy.activated_at,
  unsafe_allow_all: false,
  evaluate: (input) => policy.evaluate(input),
  list: (input, resources) => policy.list(input, resources),
});

describeWithOpa('a discovery', () => {
  test('is one question, one answer for each item, and one record', async () => {
    const { core, records, policy } = await scene('listing/visible');
    const request = listOf(['even-0', 'odd-1'], { arguments: { amount: 1 } });
    const digest = digestOf('a definition');
    (request.evaluations[1] as { resource: { properties: object } }).resource.properties = {
      server: 'payments',
      definition_digest: digest,
    };
    expect(await core.evaluations(request, CALLER)).toEqual({
      evaluation_id: 'id-1',
      body: {
        evaluations: [
          {
            decision: true,
            context: {
              outcome: 'allow',
              visible: true,
              reason_code: 'ALLOWED',
              constraints: {},
              obligations: [],
            },
          },
          {
            decision: false,
            context: {
              outcome: 'deny',
              visible: false,
              reason_code: 'CAPABILITY_NOT_ALLOWED',
              constraints: {},
              obligations: [],
            },
          },
        ],
      },
    });
    expect(await records()).toEqual([
      {
        v: 1,
        index: 1,
        time: expect.any(String),
        instance: 'one',
        kind: 'discovery',
        evaluation_id: 'id-1',
        caller: 'guard',
        policy: policy.identity,
        profile: 'mcp/1',
        request: {
          subject: { id: 'user:alice@example.com', actor_type: 'human', groups: ['tellers'] },
          action: 'tools/list',
          phase: 'discovery',
          environment: 'production',
        },
        catalogue_digest: CATALOGUE,
        server: 'payments',
        grounds: [
          { reason_code: 'ALLOWED', rules: [] },
          { reason_code: 'CAPABILITY_NOT_ALLOWED', rules: [] },
        ],
        shown: [{ type: 'tool', id: 'even-0', ground: 0 }],
        withheld: [{ type: 'tool', id: 'odd-1', definition_digest: digest, ground: 1 }],
        seals: { items: expect.any(String), request: expect.any(String) },
      },
    ]);
  });

  test.each([0, 1, 250, 251, 1000])('of %d items keeps every position', async (count) => {
    const { core } = await scene('listing/visible');
    const { body } = await core.evaluations(listOf(ids(count)), CALLER);
    expect(shownOf(body)).toEqual([...ids(count).keys()].filter((i) => i % 2 === 0));
  });

  test('is recorded with no digest of a definition that nobody gave', async () => {
    const { policy } = await scene('listing/visible');
    const entries: object[] = [];
    const append = async (entry: object): Promise<number> => entries.push(entry);
    const { core } = sceneWith(policy, { ...UNWRITABLE, append }, async () => []);
    await core.evaluations(listOf(['even-0']), CALLER);
    const [{ shown }] = entries as [{ shown: unknown }];
    expect(shown).toStrictEqual([{ type: 'tool', id: 'even-0', ground: 0 }]);
  });

  test('without an entrypoint for lists asks for each item, without arguments', async () => {
    const { core } = await scene();
    const { body } = await core.evaluations(listOf(ids(6)), CALLER);
    expect(shownOf(body)).toEqual([0, 2]);
  });

  test('an actor type counts only from a caller that may attest it', async () => {
    const { core } = await scene('listing/actors');
    expect(shownOf((await core.evaluations(listOf(ids(2)), CALLER)).body)).toEqual([0, 1]);
    expect(shownOf((await core.evaluations(listOf(ids(2)), STRANGER)).body)).toEqual([]);
  });

  test('of a call is asked as a discovery', async () => {
    const { core } = await scene('listing/visible');
    const request = listOf(['even-0'], { phase: 'call' });
    expect(shownOf((await core.evaluations(request, CALLER)).body)).toEqual([0]);
  });

  test.each<[string, (request: DiscoveryRequest) => unknown, string]>([
    ['an unknown member', (request) => ({ ...request, extra: 1 }), 'REQUEST_INVALID /extra'],
    ['no subject', ({ subject: _, ...request }) => request, 'REQUEST_INVALID /subject'],
    [
      'an entry of another shape',
      (request) => ({ ...request, evaluations: [{}] }),
      'REQUEST_INVALID /evaluations/0/resource',
    ],
    [
      'an empty mark',
      (request) => ({ ...request, options: { portcullis: { discovery: null } } }),
      'REQUEST_INVALID /options/portcullis/discovery',
    ],
    ['more items than the limit', (request) => request, 'REQUEST_TOO_LARGE /evaluations'],
  ])('%s is refused', async (_title, change, code) => {
    const { core } = await scene('listing/visible', { batch_items_max: 3 });
    expect(await codeOf(core.evaluations(change(listOf(ids(4))), CALLER))).toBe(code);
  });

  test('says which limit its catalogue is over', async () => {
    const { core } = await scene('listing/visible', { batch_items_max: 3 });
    await expect(core.evaluations(listOf(ids(4)), CALLER)).rejects.toThrow(
      'the catalogue holds more entries than batch_items_max',
    );
  });

  test('that cannot be recorded is not answered', async () => {
    const { policy } = await scene('listing/visible');
    const { core } = sceneWith(policy, UNWRITABLE, async () => []);
    expect(await codeOf(core.evaluations(listOf(ids(2)), CALLER))).toBe('EVIDENCE_UNWRITABLE');
  });

  test.each<[number, number[]]>([
    [0, []],
    [250, [250]],
    [501, [250, 250, 1]],
  ])('of %d items lets others have their turn between its parts', async (count, parts) => {
    const { policy } = await scene('listing/visible');
    const asked: { items: number; turn: number }[] = [];
    let turn = 0;
    const list: ActivePolicy['list'] = (input, resources) => {
      asked.push({ items: resources.length, turn });
      return policy.list(input, resources);
    };
    const { evidence, read } = await evidenceOnDisk();
    const { core } = sceneWith({ ...described(policy), list }, evidence, read);
    let isRunning = true;
    const others = (async () => {
      while (isRunning) {
        await setImmediate();
        turn += 1;
      }
    })();
    await core.evaluations(listOf(ids(count)), CALLER);
    isRunning = false;
    await others;
    expect(asked.map(({ items }) => items)).toEqual(parts);
    expect(new Set(asked.map((part) => part.turn)).size).toBe(parts.length);
  });
});

describeWithOpa('a list that is not sound withholds everything', () => {
  const asked = async (list: ActivePolicy['list'], count: number): Promise<[number[], unknown]> => {
    const { policy } = await scene('listing/visible');
    const { evidence, read } = await evidenceOnDisk();
    const odd: ActivePolicy = { ...described(policy), list };
    const { core, records } = sceneWith(odd, evidence, read);
    const { body } = await core.evaluations(listOf(ids(count)), CALLER);
    const [record] = await records();
    expect(record).toMatchObject({ kind: 'discovery', shown: [] });
    expect(record?.withheld).toHaveLength(count);
    return [shownOf(body), record?.detail];
  };
  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['true', true],
    ['a position twice', [0, 0]],
    ['a position beyond', [0, 2]],
    ['a position that is none', ['0']],
    ['names', ['even-0']],
  ])('%s', async (_title, raw) => {
    expect(await asked(() => raw, 2)).toEqual([[], 'the policy does not list as it should']);
  });

  test('one that breaks off in the second chunk', async () => {
    let chunks = 0;
    const list = (): number[] => {
      chunks += 1;
      if (chunks === 1) return [0, 1];
      throw new PortcullisError('ENGINE_ABORTED', 'the evaluation broke off');
    };
    expect(await asked(list, 300)).toEqual([[], 'ENGINE_ABORTED: the evaluation broke off']);
  });

  test('a promise is waited for', async () => {
    const { policy } = await scene('listing/visible');
    const odd: ActivePolicy = { ...described(policy), list: async () => [1] };
    const { evidence, read } = await evidenceOnDisk();
    const { core } = sceneWith(odd, evidence, read);
    expect(shownOf((await core.evaluations(listOf(ids(2)), CALLER)).body)).toEqual([1]);
  });
});
