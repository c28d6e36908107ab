/** Records under masks that are plain functions; `masking.test.ts` asks real policies. */
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { Discovery } from '../../src/decision/discovery.ts';
import type { RecordHead } from '../../src/decision/evidence_entry.ts';
import { recordDecision, recordList } from '../../src/decision/recording.ts';
import type { CompleteInput } from '../../src/decision/request.ts';
import type { ActivePolicy, MaskEvent } from '../../src/decision/types.ts';
import { plainVerdict, unavailable, type Verdict } from '../../src/decision/verdict.ts';
import { PortcullisError } from '../../src/errors.ts';
import type { EvidenceEntry } from '../../src/evidence/types.ts';
import { CALLER, NOW } from '../support/decisions.ts';
import { expectRecordable, plainPolicy } from './plain_core.ts';

const DIGEST = `sha256:${'0a'.repeat(32)}`;
const SECRET = 'canary-secret';
const ITEMS_A_PART = 250;

function headOf(mask?: ActivePolicy['mask']): RecordHead {
  const policy = plainPolicy('r1', { mask });
  return { evaluation_id: 'id-1', caller: CALLER, profile: 'mcp/1', policy };
}

const INPUT: CompleteInput = {
  subject: { type: 'user', id: 'alice', properties: { groups: ['a'] } },
  action: { name: 'tools/call' },
  resource: { type: 'tool', id: SECRET },
  context: { phase: 'call', time: NOW },
};

const VERDICT: Verdict = {
  ...plainVerdict('require_approval'),
  safe_message: 'ask first',
  constraints: { actor_required: 'human', approval_required: true, require_approval_via: 'task' },
  obligations: [
    { type: 'log', level: 'info' },
    { type: 'redact_patterns', classes: ['iban'] },
  ] as Verdict['obligations'],
  rules: ['r/one', 'r/two'],
};
const TYPES = ['log', 'redact_patterns'];

function decided(mask: ActivePolicy['mask'], verdict = VERDICT): ReturnType<typeof recordDecision> {
  const made = recordDecision(headOf(mask), INPUT, verdict, {});
  expectRecordable(made.evidence);
  return made;
}

describe('the record of a decision', () => {
  test('is whole without a policy, and of one without a mask', () => {
    const nobody = unavailable('there is none');
    const without = { ...headOf(), policy: undefined };
    const { verdict, evidence } = recordDecision(without, INPUT, nobody, {});
    expect(verdict).toBe(nobody);
    expect(evidence).toMatchObject({ reason_code: 'POLICY_UNAVAILABLE', detail: 'there is none' });
    expect(evidence.request).toMatchObject({ resource: { id: SECRET } });
    expect(decided(undefined)).toMatchObject({
      verdict: VERDICT,
      evidence: { outcome: 'require_approval', request: { resource: { id: SECRET } } },
    });
  });

  test.each<[string, Verdict, boolean]>([
    ['nobody said whether it is visible', VERDICT, false],
    ['it is visible', { ...VERDICT, visible: true }, true],
  ])('is masked by what was asked and decided, where %s', (_what, verdict, visible) => {
    const seen: MaskEvent[] = [];
    const { evidence } = decided((event) => void seen.push(event), verdict);
    const { constraints, obligations, rules, reason_code } = VERDICT;
    expect(seen).toEqual([
      {
        decision_id: 'id-1',
        about: 'decision',
        input: INPUT,
        result: {
          decision: 'require_approval',
          ...{ visible, reason_code, constraints, obligations, rules },
        },
        requested_by: 'guard',
        timestamp: NOW,
      },
    ]);
    expect(evidence).toMatchObject({ visible, constraints, obligations: TYPES, rules });
  });

  const { actor_required: _actor, ...others } = VERDICT.constraints;
  const put = (path: string, value: unknown): object => ({ op: 'upsert', path, value });
  test.each<[string, unknown, object]>([
    ['nothing', '/result/none', {}],
    ['a constraint', '/result/constraints/actor_required', { constraints: others }],
    ['another actor', put('/result/constraints/actor_required', '*'), { constraints: others }],
    ['all constraints', '/result/constraints', { constraints: {} }],
    ['an obligation', '/result/obligations/0', { obligations: ['redact_patterns'] }],
    ['the last obligation', '/result/obligations/1', { obligations: ['log'] }],
    ['a type', put('/result/obligations/0/type', '*'), { obligations: ['redact_patterns'] }],
    ['all obligations', '/result/obligations', { obligations: [] }],
    ['a text of obligations', put('/result/obligations', 'log'), { obligations: [] }],
    ['a rule', '/result/rules/0', { rules: ['r/two'] }],
    ['another rule', put('/result/rules/0', 'r'), { rules: ['r', 'r/two'] }],
    ['a rule without a name', put('/result/rules/0', ''), { rules: ['r/two'] }],
    ['a rule that is none', put('/result/rules/0', { id: 1 }), { rules: ['r/two'] }],
    ['all rules', '/result/rules', { rules: [] }],
    ['a text of rules', put('/result/rules', 'r/one'), { rules: [] }],
  ])('explains as much as is left where the mask names %s', (_what, operation, told) => {
    const { verdict, evidence } = decided(() => [operation]);
    expect(verdict).toBe(VERDICT);
    const { outcome, reason_code, constraints, obligations, rules } = evidence;
    expect([outcome, reason_code]).toEqual(['require_approval', 'APPROVAL_REQUIRED']);
    const whole = { constraints: VERDICT.constraints, obligations: TYPES, rules: VERDICT.rules };
    expect({ constraints, obligations, rules }).toEqual({ ...whole, ...told });
  });

  test.each<[string, Error, string]>([
    [
      'an error of ours in its words',
      new PortcullisError('ENGINE_ABORTED', 'too long'),
      'too long',
    ],
    ['any other without its words', new Error(SECRET), 'it failed'],
  ])('tells %s', (_what, error, problem) => {
    const { verdict, evidence } = decided(() => {
      throw error;
    });
    expect(verdict).toMatchObject({ outcome: 'deny', reason_code: 'POLICY_INDETERMINATE' });
    expect(evidence.detail).toBe(`the mask of the policy cannot be followed: ${problem}`);
    expect(JSON.stringify(evidence)).not.toContain(SECRET);
  });
});

function discoveryOf(count: number): Discovery {
  return {
    resources: Array.from({ length: count }, (_, i) => ({
      type: 'tool',
      id: `tool-${i}`,
      properties: { server: 'payments' },
    })),
    listed: Array.from({ length: count }, (_, i) => ({
      visible: true,
      reason_code: 'ALLOWED',
      rules: [`r/${i % 2}`],
    })),
    detail: undefined,
  };
}

const { resource: _, ...SHARED } = INPUT;

async function listed(mask: ActivePolicy['mask'], count: number): ReturnType<typeof recordList> {
  const made = await recordList(headOf(mask), SHARED, DIGEST, discoveryOf(count), {});
  expectRecordable(made.evidence);
  return made;
}

/** The items of the list whose names the mask took away. */
function maskedOf({ shown }: EvidenceEntry): number[] {
  const ids = (shown ?? []).map(({ id }) => id);
  return ids.flatMap((id, at) => (id === '[masked]' ? [at] : []));
}

function partOf({ about, input, result }: MaskEvent) {
  const { resources } = input as { resources: { id: string }[] };
  return { about, items: resources.map(({ id }) => id), result: result as unknown[] };
}

describe('the record of a list', () => {
  test('is whole without a policy, and of one without a mask', async () => {
    for (const head of [headOf(), { ...headOf(), policy: undefined }]) {
      const found = discoveryOf(2);
      const { given, evidence } = await recordList(head, SHARED, DIGEST, found, {});
      expect(given).toBe(found);
      expect(evidence.shown).toMatchObject([{ id: 'tool-0' }, { id: 'tool-1' }]);
    }
  });

  test.each([0, 1, ITEMS_A_PART, ITEMS_A_PART + 1, 2 * ITEMS_A_PART])(
    'of %d items is masked by what was asked and decided, part for part',
    async (count) => {
      const parts: ReturnType<typeof partOf>[] = [];
      const { evidence } = await listed((event) => {
        parts.push(partOf(event));
        return ['/input/subject/id'];
      }, count);
      const all = discoveryOf(count);
      expect(parts).toHaveLength(Math.max(1, Math.ceil(count / ITEMS_A_PART)));
      expect(new Set(parts.map(({ about }) => about))).toEqual(new Set(['discovery']));
      expect(parts.flatMap(({ items }) => items)).toEqual(all.resources.map(({ id }) => id));
      expect(parts.flatMap(({ result }) => result)).toEqual(
        all.listed.map(({ rules }) => [true, 'ALLOWED', rules]),
      );
      expect(evidence).toMatchObject({
        erased: ['/input/subject/id'],
        request: { subject: { id: '[masked]' } },
      });
    },
  );

  test('lets others have their turn between its parts', async () => {
    const turns: string[] = [];
    let other: Promise<unknown> | undefined;
    await listed(() => {
      turns.push('part');
      other ??= setImmediate().then(() => turns.push('other'));
      return undefined;
    }, ITEMS_A_PART + 1);
    await other;
    expect(turns).toEqual(['part', 'other', 'part']);
  });

  test.each<[string, number[]]>([
    ['/input/resources/0/id', [0, 250]],
    ['/input/resources/10/id', [10, 260]],
    ['/input/resources/+10/id', [10, 260]],
    ['/input/resources/249/id', [249, 499]],
    ['/input/resources/250/id', []],
    ['/input/resources/-1/id', []],
    ['/input/resources//id', []],
    ['/input/resources/x/id', []],
    ['/input/resource/0/id', []],
    ['/input/subject/0/id', []],
  ])('has no name where each of its parts names %s', async (path, expected) => {
    const { evidence } = await listed(() => [path], 2 * ITEMS_A_PART);
    expect(evidence.shown).toHaveLength(2 * ITEMS_A_PART);
    expect(maskedOf(evidence)).toEqual(expected);
    const told = expected.map((at) => `/input/resources/${at}/id`);
    expect(evidence.erased ?? []).toEqual(told);
  });

  test('has what is put beside its items where it was put, in each of its parts', async () => {
    const put = (path: string): object => ({ op: 'upsert', path, value: 1 });
    const paths = ['/input/context/0', '/input/context/more/0'];
    const { evidence } = await listed(() => paths.map(put), ITEMS_A_PART + 1);
    expect(evidence.masked).toEqual(paths);
  });

  test('has no names where the mask leaves another thing than a list', async () => {
    const put = { op: 'upsert', path: '/input/resources/x', value: 1 };
    const { given, evidence } = await listed(() => ['/input/resources', put], 2);
    expect(given.listed).toHaveLength(2);
    expect(maskedOf(evidence)).toEqual([0, 1]);
    expect([evidence.erased, evidence.masked]).toEqual([
      ['/input/resources'],
      ['/input/resources/x'],
    ]);
  });

  test.each<[string, unknown]>([
    ['shown', { op: 'upsert', path: '/result/0/0', value: false }],
    ['said of it', '/result/1/2/0'],
  ])('is refused where the mask changes what was %s', async (_what, operation) => {
    const { given, evidence } = await listed(() => [operation], 2);
    expect(given.listed.map(({ visible }) => visible)).toEqual([false, false]);
    expect(evidence.detail).toContain('it would change the decision itself');
  });

  describe('is refused where there is more to tell than a record holds', () => {
    const each = (event: MaskEvent, make: (at: number, member: string) => unknown): unknown[] =>
      partOf(event).items.flatMap((_id, at) => [make(at, 'id'), make(at, 'type')]);

    const upsert = (path: string): object => ({ op: 'upsert', path, value: 'x' });
    test.each<[string, (at: number, member: string) => unknown]>([
      ['was removed', (at, member) => `/input/resources/${at}/${member}`],
      ['was put', (at, member) => upsert(`/input/resources/${at}/${member}`)],
    ])('of what %s', async (_what, make) => {
      const most = await listed((event) => each(event, make), 10_000);
      expect(most.evidence.detail).toBeUndefined();
      expect(most.evidence.shown).toHaveLength(10_000);
      const more = await listed((event) => each(event, make), 10_001);
      expect(more.evidence.detail).toContain('it names more than 20000 values');
      expect(more.given.listed.some(({ visible }) => visible)).toBe(false);
      expect(more.evidence).not.toHaveProperty('request');
    });

    test('of a path that grew too long at its place in the list', async () => {
      const name = 'n'.repeat(1024 - '/input/resources/0/'.length);
      const found = discoveryOf(ITEMS_A_PART + 1);
      const resources = found.resources.map((one) => ({ ...one, [name]: 1 }));
      const mask = (): string[] => [`/input/resources/0/${name}`];
      const made = await recordList(headOf(mask), SHARED, DIGEST, { ...found, resources }, {});
      expectRecordable(made.evidence);
      expect(made.evidence.detail).toContain('one of its paths has more than 1024 characters');
    });
  });
});
