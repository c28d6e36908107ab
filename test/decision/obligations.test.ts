import { describe, expect, test } from '@jest/globals';
import type { Obligation } from '../../src/contract/types.gen.ts';
import {
  demandObligations,
  mergeObligations,
  settleObligations,
} from '../../src/decision/obligations.ts';
import { intersectPaths } from '../../src/decision/paths.ts';
import type { CompleteInput } from '../../src/decision/request.ts';
import { plainVerdict } from '../../src/decision/verdict.ts';

const keep = (paths: string[], rest = {}): Obligation => ({
  type: 'keep_fields',
  paths,
  unstructured: 'redact',
  ...rest,
});
const mask = (mode: 'remove' | 'replace' | 'digest', paths: string[], rest = {}): Obligation => ({
  type: 'mask_fields',
  paths,
  mode,
  unstructured: 'redact',
  ...rest,
});

/** The most that one duty holds, in the order in which they are written. */
const MANY = Array.from({ length: 256 }, (_, i) => `/p${i}`).sort();

describe('merging duties', () => {
  test.each<[string, Obligation[], Obligation[]]>([
    ['nothing', [], []],
    ['one as it is', [keep(['/b', '/a'])], [keep(['/b', '/a'])]],
    [
      'what is kept is what all keep',
      [keep(['/a', '/b/c', '/d/*']), keep(['/a/x', '/b', '/d/y/z']), keep(['/a', '/b', '/d'])],
      [keep(['/a/x', '/b/c', '/d/y/z'])],
    ],
    ['nothing in common is nothing', [keep(['/a']), keep(['/b'])], [keep([])]],
    [
      'the strictest word on content that is not JSON',
      [keep(['/a']), keep(['/a'], { unstructured: 'drop' }), keep(['/a'])],
      [keep(['/a'], { unstructured: 'drop' })],
    ],
    [
      'what is masked is what any masks, a path in its strictest mode',
      [
        mask('digest', ['/a', '/b']),
        mask('remove', ['/b', '/c']),
        mask('replace', ['/c', '/d'], { unstructured: 'refuse' }),
      ],
      [
        mask('digest', ['/a'], { unstructured: 'refuse' }),
        mask('remove', ['/b', '/c'], { unstructured: 'refuse' }),
        mask('replace', ['/d'], { unstructured: 'refuse' }),
      ],
    ],
    [
      'all classes of patterns',
      [
        { type: 'redact_patterns', classes: ['iban', 'email'], unstructured: 'drop' },
        { type: 'redact_patterns', classes: ['email', 'card'], unstructured: 'refuse' },
      ],
      [{ type: 'redact_patterns', classes: ['card', 'email', 'iban'], unstructured: 'refuse' }],
    ],
    [
      'the lowest limits',
      [
        { type: 'limit_result', bytes_max: 10, items_max: 5 },
        { type: 'limit_result', bytes_max: 0 },
      ],
      [{ type: 'limit_result', bytes_max: 0, items_max: 5 }],
    ],
    [
      'arguments that agree',
      [
        { type: 'set_arguments', values: { a: { x: 1, y: 2 } } },
        { type: 'set_arguments', values: { a: { y: 2, x: 1 }, b: null } },
      ],
      [{ type: 'set_arguments', values: { a: { y: 2, x: 1 }, b: null } }],
    ],
    [
      'the lowest caps',
      [
        { type: 'cap_arguments', limits: { amount: 5, toString: 1 } },
        { type: 'cap_arguments', limits: { amount: 3 } },
      ],
      [{ type: 'cap_arguments', limits: { amount: 3, toString: 1 } }],
    ],
    [
      'one step up with all methods',
      [
        { type: 'step_up', acr: 'gold', amr: ['otp'] },
        { type: 'step_up', amr: ['hwk'] },
        { type: 'step_up', acr: 'gold' },
      ],
      [{ type: 'step_up', acr: 'gold', amr: ['hwk', 'otp'] }],
    ],
    [
      'one step up to a level that all name',
      [
        { type: 'step_up', acr: 'gold' },
        { type: 'step_up', acr: 'gold' },
      ],
      [{ type: 'step_up', acr: 'gold' }],
    ],
    [
      'one step up by a method',
      [{ type: 'step_up', amr: ['otp'] }],
      [{ type: 'step_up', amr: ['otp'] }],
    ],
    [
      'what is masked twice in one mode once',
      [mask('remove', ['/b', '/a']), mask('remove', ['/a'])],
      [mask('remove', ['/a', '/b'])],
    ],
    [
      'as many paths as a duty may hold',
      [mask('remove', MANY), mask('remove', MANY)],
      [mask('remove', MANY)],
    ],
    [
      'the lowest rate of each key and window',
      [
        { type: 'rate_limit', key: 'a', limit: 5, window_seconds: 60 },
        { type: 'rate_limit', key: 'a', limit: 3, window_seconds: 60 },
        { type: 'rate_limit', key: 'a', limit: 9, window_seconds: 3600 },
      ],
      [
        { type: 'rate_limit', key: 'a', limit: 3, window_seconds: 60 },
        { type: 'rate_limit', key: 'a', limit: 9, window_seconds: 3600 },
      ],
    ],
    [
      'each target and level once',
      [
        { type: 'notify', target: 'b' },
        { type: 'log', level: 'info' },
        { type: 'log', level: 'warn' },
        { type: 'notify', target: 'a' },
        { type: 'notify', target: 'b' },
        { type: 'log', level: 'warn' },
      ],
      [
        { type: 'log', level: 'info' },
        { type: 'log', level: 'warn' },
        { type: 'notify', target: 'a' },
        { type: 'notify', target: 'b' },
      ],
    ],
    [
      'optional only where all are',
      [
        { type: 'log', level: 'warn', mandatory: false },
        { type: 'limit_result', items_max: 1, mandatory: false },
        { type: 'limit_result', items_max: 2, mandatory: true },
      ],
      [
        { type: 'limit_result', items_max: 1 },
        { type: 'log', level: 'warn', mandatory: false },
      ],
    ],
  ])('%s', (_title, given, merged) => {
    expect(mergeObligations(given)).toStrictEqual(merged);
    expect(mergeObligations([...given].reverse())).toStrictEqual(merged);
  });

  test.each<[string, Obligation[]]>([
    [
      'an argument set to two values',
      [
        { type: 'set_arguments', values: { a: 1 } },
        { type: 'set_arguments', values: { a: 2 } },
      ],
    ],
    [
      'one of several arguments set to two values',
      [
        { type: 'set_arguments', values: { a: 1, b: 1 } },
        { type: 'set_arguments', values: { a: 1, b: 2 } },
      ],
    ],
    [
      'more paths in one mode than a duty may hold, beside few in another',
      [mask('remove', [...MANY, '/one_more']), mask('digest', ['/other'])],
    ],
    [
      'an argument set and capped',
      [
        { type: 'set_arguments', values: { a: 1 } },
        { type: 'cap_arguments', limits: { a: 5 } },
      ],
    ],
    [
      'two levels of assurance',
      [
        { type: 'step_up', acr: 'gold' },
        { type: 'step_up', acr: 'silver' },
      ],
    ],
    [
      'more paths than a duty may hold',
      [0, 1].map((half) =>
        mask(
          'remove',
          Array.from({ length: 200 }, (_, i) => `/p${half}${i}`),
        ),
      ),
    ],
  ])('%s is a contradiction', (_title, given) => {
    expect(mergeObligations(given)).toBeUndefined();
  });
});

describe('what two sets of paths have in common', () => {
  test.each([
    [['/a'], ['/a'], ['/a']],
    [['/a'], ['/ab'], []],
    [['/a/b'], ['/a'], ['/a/b']],
    [[''], ['/a', '/b/c'], ['/a', '/b/c']],
    [[''], [''], ['']],
    [['/*'], ['/a'], ['/a']],
    [['/*/id'], ['/customers'], ['/customers/id']],
    [['/*/id'], ['/customers/*'], ['/customers/id']],
    [['/customers/*/id'], ['/customers/0'], ['/customers/0/id']],
    [['/*/a'], ['/b/*'], ['/b/a']],
    [['/*/a'], ['/*/b'], []],
    [['/a~1b/c'], ['/a~1b'], ['/a~1b/c']],
    [['/a', '/a/b'], ['/a'], ['/a']],
    [['/a/*', '/a/b'], ['/a'], ['/a/*']],
    [[], ['/a'], []],
    [['/a', '/a/*'], [''], ['/a']],
    [['/a', '/a/*/*'], [''], ['/a']],
    [['/b', '/a'], [''], ['/a', '/b']],
  ])('%j and %j: %j', (a, b, common) => {
    expect(intersectPaths(a, b)).toEqual(common);
    expect(intersectPaths(b, a)).toEqual(common);
  });
});

describe('the duties of a verdict', () => {
  const contradiction: Obligation[] = [
    { type: 'step_up', acr: 'gold' },
    { type: 'step_up', acr: 'silver' },
  ];
  const input = (pep?: unknown): CompleteInput => ({
    subject: {},
    action: {},
    context: { ...(pep !== undefined && { pep: { obligations: pep } }) },
  });
  const deny = { ...plainVerdict('deny'), reason_code: 'TOO_LATE', visible: true, rules: ['a/b'] };

  test('that contradict each other deny, and what was denied anyway keeps its reason', () => {
    const allow = { ...plainVerdict('allow'), visible: true, rules: ['a/b'] };
    expect(settleObligations({ ...allow, obligations: contradiction })).toMatchObject({
      outcome: 'deny',
      visible: true,
      reason_code: 'POLICY_INDETERMINATE',
      obligations: [],
      rules: ['a/b'],
      detail: 'the duties contradict',
    });
    expect(settleObligations({ ...deny, obligations: contradiction })).toEqual(deny);
  });

  test('of what was denied anyway need not be known to a PEP', () => {
    const denied = { ...deny, obligations: contradiction };
    expect(demandObligations(denied, input())).toBe(denied);
  });

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['no list', 'step_up'],
    ['others', ['log']],
  ])('are refused for a PEP that knows %s of them', (_what, known) => {
    const allow = { ...plainVerdict('allow'), obligations: contradiction.slice(0, 1) };
    expect(demandObligations(allow, input(known))).toMatchObject({
      outcome: 'deny',
      reason_code: 'OBLIGATION_UNSUPPORTED',
    });
    expect(demandObligations(allow, input(['step_up']))).toBe(allow);
  });
});
